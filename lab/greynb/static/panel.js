// The panel: what serves the roles, the versions, the tables and the queries of one notebook.
import { h } from "./dom.js";
import { queries, roles, tables, versions } from "./sections.js";

export class StatusPanel {
  #link = null;
  #version = null; // whose tables are shown
  #alert = h("p", { role: "alert", class: "greynb-alert" });
  #parts = Object.fromEntries(["roles", "versions", "tables", "queries"].map((name) => [name, h("div")]));
  node = h("section", { class: "greynb-panel", "aria-label": "greynb", tabindex: "-1" });

  constructor({ Dialog, showDialog }) {
    this.dialogs = { Dialog, showDialog };
    const refresh = h("button", { type: "button", onclick: () => this.#load(true) }, "Refresh");
    const head = h("div", { class: "greynb-row" }, h("h2", {}, "greynb"), refresh);
    this.node.append(head, this.#alert, ...Object.values(this.#parts));
  }

  // Show what a notebook's kernel says, from now on.
  show(link) {
    if (link !== this.#link) {
      this.#link?.removeEventListener("change", this.#changed);
      this.#link = link;
      this.#link?.addEventListener("change", this.#changed);
    }
    this.#load(true);
  }

  #changed = () => {
    if (this.node.offsetParent && !this.#link.running) this.#load(false);
  };

  async #load(everything) {
    const link = this.#link;
    if (!link?.connected) return this.#blank();
    this.#alert.textContent = "";
    try {
      const status = everything ? await link.ask("status") : link.status;
      if (!status || link !== this.#link) return;
      if (status.error) throw status.error;
      this.#put("roles", roles(status));
      this.#put("queries", queries(await link.ask("queries")));
      const shown = status.pinned ?? status.version;
      if (!everything && shown === this.#version) return;
      this.#put("versions", versions(await link.ask("versions"), status.pinned, this.#actions(link)));
      if (link.running) return;
      this.#put("tables", tables(await link.ask("tables"), (table) => link.ask("columns", { table })));
      this.#version = shown;
    } catch (error) {
      this.#complain(error);
    }
  }

  #actions(link) {
    const done = (asked) => asked.then(() => (link.refresh(), this.#load(true)), (error) => this.#complain(error));
    return {
      pin: (version) => done(link.ask("pin", { version })),
      unpin: () => done(link.ask("unpin")),
      rollback: async (version) => {
        if (await this.#sure(version)) await done(link.ask("rollback", { version }));
      },
    };
  }

  async #sure(version) {
    const { Dialog, showDialog } = this.dialogs;
    const answer = await showDialog({
      title: `Roll back to ${version}?`,
      body: `All readers of analytics see ${version} again, as a new version. The versions that are there stay.`,
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: "Roll back" })],
    });
    return answer.button.accept;
  }

  #put(part, elements) {
    this.#parts[part].replaceChildren(...elements);
  }

  #blank() {
    for (const part of Object.values(this.#parts)) part.replaceChildren();
    this.#complain({ message: "greynb is not loaded in this notebook", hint: "%load_ext greynb" });
  }

  #complain({ message, hint }) {
    this.#alert.textContent = [message, hint].filter(Boolean).join(": ");
  }
}
