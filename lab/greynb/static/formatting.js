// Format SQL: the command lays the active cell's SQL out anew, in the kernel.
import { magicOf } from "./sqlcells.js";

const COMMAND = "greynb:format-sql";

export function formatting({ apputils }, app, links, tracker, palette) {
  const cell = () => tracker.activeCell?.model.type === "code" && tracker.activeCell;
  app.commands.addCommand(COMMAND, {
    label: "Format SQL",
    caption: "Lay the SQL of this %%analytics or %%staging cell out anew",
    isEnabled: () => Boolean(cell() && magicOf(cell().model.sharedModel.getSource().split("\n", 1)[0])),
    execute: async () => {
      try {
        await format(cell(), links(tracker.currentWidget));
      } catch ({ message, hint }) {
        apputils.Notification.error([message, hint].filter(Boolean).join(": "), { autoClose: 8000 });
      }
    },
  });
  palette?.addItem({ command: COMMAND, category: "Notebook Cell Operations" });
}

async function format({ editor, model }, link) {
  const text = model.sharedModel.getSource();
  const formatted = await link.ask("format", { text });
  // What was typed meanwhile is not lost.
  if (formatted === text || model.sharedModel.getSource() !== text) return;
  const position = editor?.getCursorPosition();
  model.sharedModel.setSource(formatted);
  if (position) editor.setCursorPosition(position);
}
