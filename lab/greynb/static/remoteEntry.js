// What JupyterLab loads before it starts: a module federation container, written by hand so that nothing has
// to be built. It hands JupyterLab the plugins and takes the libraries that JupyterLab shares; it brings none.
// https://webpack.js.org/concepts/module-federation/#dynamic-remote-containers
(() => {
  const here = document.currentScript.src;
  const code = import(new URL("plugins.js", here).href); // fetched while JupyterLab fetches its own
  code.catch(() => {}); // whoever awaits it is told
  let shared = {};

  // The one copy of a library that everybody in the page uses: one that is loaded, else the newest.
  async function use(name) {
    const copies = Object.entries(shared[name] ?? {});
    if (!copies.length) return undefined;
    const newer = ([a], [b]) => b.localeCompare(a, undefined, { numeric: true });
    const [, copy] = copies.find(([, each]) => each.loaded) ?? copies.sort(newer)[0];
    return (await copy.get())();
  }

  const modules = {
    "./extension": async () => {
      const { plugins } = await code;
      return { __esModule: true, default: await plugins(use) };
    },
    "./style": async () => {
      const link = document.createElement("link");
      Object.assign(link, { rel: "stylesheet", href: new URL("style.css", here).href });
      document.head.append(link);
      return {};
    },
  };

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB.greynb = {
    init: (scope) => void (shared = scope),
    get: async (name) => {
      const module = await modules[name]();
      return () => module;
    },
  };
})();
