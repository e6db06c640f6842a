// The plugins, and the libraries of JupyterLab that they are given.
import { explorers } from "./explorers.js";
import { formatting } from "./formatting.js";
import { highlighting } from "./highlighting.js";
import { linksOf } from "./link.js";
import { statusItems } from "./status.js";

const SHARED = {
  apputils: "@jupyterlab/apputils",
  codemirror: "@jupyterlab/codemirror",
  highlight: "@lezer/highlight",
  language: "@codemirror/language",
  notebook: "@jupyterlab/notebook",
  state: "@codemirror/state",
  statusbar: "@jupyterlab/statusbar", // not in Notebook 7
  ui: "@jupyterlab/ui-components",
  view: "@codemirror/view",
  widgets: "@lumino/widgets",
};

export async function plugins(use) {
  const found = Object.entries(SHARED).map(async ([name, library]) => [name, (await use(library)) ?? {}]);
  const shared = Object.fromEntries(await Promise.all(found));
  const { apputils, codemirror, notebook, statusbar } = shared;
  const links = linksOf(notebook);
  return [
    {
      id: "greynb:highlighting",
      description: "SQL highlighting in %%analytics and %%staging cells.",
      autoStart: true,
      requires: [codemirror.IEditorExtensionRegistry, codemirror.IEditorLanguageRegistry],
      activate: (app, extensions, languages) => highlighting(shared, extensions, languages),
    },
    {
      id: "greynb:explorers",
      description: "What stands where an explorer was, once its kernel is gone.",
      autoStart: true,
      requires: [notebook.INotebookTracker],
      activate: (app, tracker) => explorers(tracker),
    },
    {
      id: "greynb:formatting",
      description: "Format SQL: a command for the cell.",
      autoStart: true,
      requires: [notebook.INotebookTracker],
      optional: [apputils.ICommandPalette],
      activate: (app, tracker, palette) => formatting(shared, app, links, tracker, palette),
    },
    {
      id: "greynb:status",
      description: "What serves greynb's cells and what runs: toolbar, status bar and panel.",
      autoStart: true,
      requires: [notebook.INotebookTracker, apputils.IToolbarWidgetRegistry],
      optional: [statusbar.IStatusBar].filter(Boolean),
      activate: (app, tracker, toolbars, bar) => statusItems(shared, app, links, tracker, toolbars, bar),
    },
  ];
}
