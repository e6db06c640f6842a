// SQL highlighting of line magics: the rest of a line such as `df = %analytics SELECT …`, inside Python.
import { DIALECTS, magicOf, queryInLine } from "./sqlcells.js";

export function lineQueries(cm, load) {
  const { Prec, ViewPlugin } = cm;
  const supports = {};
  const plugin = ViewPlugin.define(
    (view) => {
      const value = {
        marks: marks(cm, view, supports),
        update(change) {
          if (change.docChanged || change.viewportChanged || change.transactions.some(isReady)) {
            this.marks = marks(cm, change.view, supports);
            fetchMissing(change.view);
          }
        },
      };
      fetchMissing(view);
      return value;
    },
    { decorations: (value) => value.marks },
  );

  const ready = cm.StateEffect.define();
  const isReady = (transaction) => transaction.effects.some((each) => each.is(ready));

  function fetchMissing(view) {
    for (const magic of Object.keys(DIALECTS)) {
      if (!(magic in supports) && queries(view).some((each) => each.magic === magic)) {
        supports[magic] = null;
        load(magic).then((support) => {
          supports[magic] = support;
          view.dispatch({ effects: ready.of(null) });
        });
      }
    }
  }

  return Prec.lowest(plugin); // inside Python's own marks, so that SQL's colours show
}

// The queries in the visible lines, by their place in the cell.
function queries({ state, visibleRanges }) {
  if (magicOf(state.doc.line(1).text)) return [];
  const found = [];
  for (const { from, to } of visibleRanges) {
    for (let line = state.doc.lineAt(from); ; line = state.doc.line(line.number + 1)) {
      const query = queryInLine(line.text);
      if (query) found.push({ magic: query.magic, from: line.from + query.from, to: line.to });
      if (line.to >= to) break;
    }
  }
  return found;
}

function marks(cm, view, supports) {
  const found = [];
  for (const { magic, from, to } of queries(view)) {
    if (!supports[magic] || from === to) continue;
    const tree = supports[magic].language.parser.parse(view.state.sliceDoc(from, to));
    const style = (tags) => cm.highlightingFor(view.state, tags);
    let end = from;
    // What SQL gives no colour must not keep the one that Python gave it.
    const plain = (until) => until > end && found.push(mark(cm, "greynb-plain").range(end, until));
    cm.highlightTree(tree, { style }, (start, stop, classes) => {
      plain(from + start);
      found.push(mark(cm, classes).range(from + start, from + stop));
      end = from + stop;
    });
    plain(to);
  }
  return cm.Decoration.set(found);
}

const mark = ({ Decoration }, name) => Decoration.mark({ class: name });
