// A notebook's line to greynb in its kernel: it hears when a query runs, and asks for what is shown.
//
// Two comms: `greynb` is the kernel's, opened when the extension is loaded; all front ends hear it. Over
// `greynb.requests`, one for each notebook, questions go to a subshell of the kernel, where there are such,
// so that they are answered while a cell runs. Nothing is asked unless something happened.
const EVENTS = "greynb";
const REQUESTS = "greynb.requests";
const SETTLED = 400; // milliseconds after a cell's end before the state is asked for

export class Link extends EventTarget {
  status = null; // the last answer to "status"; null where greynb is not loaded
  running = null; // { label, fraction, rows, began } of the query that runs
  #kernel = null;
  #events = null;
  #requests = null;
  #waiting = new Map();
  #asked = 0;
  #due = 0;

  constructor(context) {
    super();
    context.kernelChanged.connect((_, { newValue }) => this.#follow(newValue));
    context.statusChanged.connect((_, status) => /restarting|dead/.test(status) && this.#drop());
    this.context = context;
    this.#follow(context.session?.kernel);
  }

  get connected() {
    return this.#requests !== null;
  }

  // The answer to one request; rejects with { message, hint } where greynb says no.
  ask(what, values = {}) {
    if (!this.#requests) return Promise.reject({ message: "greynb is not loaded", hint: "%load_ext greynb" });
    const id = String(++this.#asked);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#requests.send({ id, do: what, ...values });
    });
  }

  // Ask for the state anew, once however often this is called at about the same time.
  refresh() {
    clearTimeout(this.#due);
    if (this.connected) this.#due = setTimeout(() => this.#refresh(), SETTLED);
  }

  async stop() {
    await this.#kernel?.interrupt();
  }

  dispose() {
    this.#follow(null);
  }

  async #refresh() {
    try {
      this.status = await this.ask("status");
      this.#runs(this.status.running);
    } catch (error) {
      this.status = { error };
    }
    this.#changed();
  }

  async #follow(kernel) {
    this.#drop();
    this.#kernel?.removeCommTarget?.(EVENTS, this.#opened);
    this.#kernel = kernel ?? null;
    if (!kernel?.handleComms) return;
    kernel.registerCommTarget(EVENTS, this.#opened);
    try {
      const { content } = await kernel.requestCommInfo({ target_name: EVENTS });
      const [id] = Object.keys(content.comms ?? {}); // greynb was loaded before this page
      if (id && kernel === this.#kernel && !this.#events) this.#opened(kernel.createComm(EVENTS, id));
    } catch (error) {
      console.debug("greynb: the kernel does not say which comms it has", error); // it ended meanwhile
    }
  }

  // Returns at once: no other message of the kernel is handled before.
  #opened = (events) => {
    this.#drop();
    this.#events = events;
    events.onMsg = ({ content }) => this.#hear(content.data);
    events.onClose = () => this.#drop();
    this.#ready(this.#kernel, events).catch((error) => console.debug("greynb: no answers", error));
  };

  // Opens the comm of one's own, in a subshell where the kernel has such.
  async #ready(kernel, events) {
    await kernel.info;
    const requests = kernel.createComm(REQUESTS);
    if (kernel.supportsSubshells && requests.commsOverSubshells !== "disabled") await requests.subshellStarted;
    if (events !== this.#events) return;
    requests.onMsg = ({ content }) => this.#answered(content.data);
    requests.onClose = () => this.#drop();
    requests.open({});
    this.#requests = requests;
    this.refresh();
  }

  #hear({ event, ...told }) {
    this.#runs(event === "running" ? told : null);
    if (event === "ended") this.refresh();
    this.#changed();
  }

  #runs(task) {
    this.running = task && { ...task, began: Date.now() - 1000 * task.seconds };
  }

  #answered({ id, answer, error }) {
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    error ? reject?.(error) : resolve?.(answer);
  }

  #drop() {
    clearTimeout(this.#due);
    this.#events = this.#requests = this.status = this.running = null;
    for (const { reject } of this.#waiting.values()) reject({ message: "the kernel went away", hint: "" });
    this.#waiting.clear();
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

// Gives each notebook its link, which is asked for the state whenever one of its cells has run.
export function linksOf({ NotebookActions }) {
  const links = new Map();
  NotebookActions.executed.connect((_, { notebook }) => {
    for (const [panel, link] of links) if (panel.content === notebook) link.refresh();
  });
  return (panel) => {
    if (!links.has(panel)) {
      const link = new Link(panel.sessionContext);
      links.set(panel, link);
      panel.disposed.connect(() => {
        links.delete(panel);
        link.dispose();
      });
    }
    return links.get(panel);
  };
}
