// Where an explorer was, in a notebook that is opened again: such a widget lives as long as its kernel does.
const EXPLORER = "(an explorer, in a live notebook)"; // its text in the notebook, by greynb/notebook/exploring.py
const LOST = "Error displaying widget: model not found"; // ipywidgets' words, in Lab and Notebook
const INSTEAD = "The explorer ended with its kernel: run the cell again to have it back.";

export function explorers(tracker) {
  tracker.widgetAdded.connect((_, { content, disposed }) => {
    const observer = new MutationObserver((changes) => {
      for (const node of changes.flatMap(({ target, addedNodes }) => [target, ...widgetsIn(addedNodes)]))
        if (isLost(node) && isExplorer(content, node)) node.textContent = INSTEAD;
    });
    observer.observe(content.node, { childList: true, subtree: true });
    disposed.connect(() => observer.disconnect());
  });
}

// JupyterLab takes cells out of the page while they are far from what is seen, and adds them again whole.
const widgetsIn = (nodes) =>
  [...nodes].flatMap((node) => (node.querySelectorAll ? [...node.querySelectorAll(".jupyter-widgets")] : []));

const isLost = (node) => node.classList?.contains("jupyter-widgets") && node.textContent === LOST;

function isExplorer({ widgets }, node) {
  const outputs = widgets.find((cell) => cell.node.contains(node))?.model.outputs;
  if (!outputs) return false;
  return Array.from({ length: outputs.length }, (_, at) => outputs.get(at)).some(
    ({ data }) => data["text/plain"] === EXPLORER,
  );
}
