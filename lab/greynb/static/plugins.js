// The plugins, and the libraries of JupyterLab that they are given. A library that this page does not have
// (Notebook 7 shares fewer than JupyterLab) leaves out what needs it.
import { highlighting } from "./highlighting.js";

export async function plugins(use) {
  const names = ["@codemirror/language", "@codemirror/state", "@codemirror/view", "@lezer/highlight"];
  const [codemirror, ...editor] = await Promise.all(["@jupyterlab/codemirror", ...names].map(use));
  const libraries = Object.assign({}, codemirror, ...editor);
  return [
    {
      id: "greynb:highlighting",
      description: "SQL highlighting in %%analytics and %%staging cells.",
      autoStart: true,
      requires: [codemirror.IEditorExtensionRegistry, codemirror.IEditorLanguageRegistry],
      activate: (app, extensions, languages) => highlighting(libraries, extensions, languages),
    },
  ];
}
