// SQL highlighting of code cells, switched on and off while the user types or deletes the magic.
import { lineQueries } from "./linequeries.js";
import { DIALECTS, headLength, magicOf } from "./sqlcells.js";

export function highlighting({ codemirror, highlight, language, state, view }, extensions, languages) {
  const cm = { ...language, ...state, ...view, highlightTree: highlight.highlightTree };
  // A language's grammar is fetched from JupyterLab when the first cell needs it.
  const load = async (magic) => (await languages.getLanguage(DIALECTS[magic]))?.support;
  extensions.addExtension({
    name: "greynb:sql",
    factory: ({ model }) => {
      if (model.type !== "code") return null;
      const sql = [switching(cm, load), magicLine(cm), lineQueries(cm, load)];
      return codemirror.EditorExtensionRegistry.createImmutableExtension(sql);
    },
  });
}

// Gives the whole cell SQL's grammar, indentation and comment sign as long as its first line is a magic.
function switching({ Compartment, Prec, ViewPlugin }, load) {
  const language = new Compartment();
  const plugin = ViewPlugin.define((view) => {
    let shown = null;
    async function follow() {
      const magic = magicOf(view.state.doc.line(1).text);
      if (magic === shown) return;
      shown = magic;
      const support = await (magic && load(magic));
      if (magic !== shown) return; // the cell changed, or went, while the grammar was fetched
      view.dispatch({ effects: language.reconfigure(support ? Prec.highest(support) : []) });
    }
    follow();
    return { update: (change) => change.docChanged && follow(), destroy: () => (shown = undefined) };
  });
  return [language.of([]), plugin];
}

// Shows the magic and its options as such: SQL would take `--show` for a comment.
function magicLine({ Decoration, Prec, ViewPlugin }) {
  const mark = Decoration.mark({ class: "greynb-magic" });
  const marked = ({ state }) => {
    const length = headLength(state.doc.line(1).text);
    return length ? Decoration.set(mark.range(0, length)) : Decoration.none;
  };
  const plugin = ViewPlugin.define(
    (view) => ({
      marks: marked(view),
      update(change) {
        if (change.docChanged) this.marks = marked(change.view);
      },
    }),
    { decorations: (value) => value.marks },
  );
  return Prec.lowest(plugin); // the innermost mark's colour is the one that shows
}
