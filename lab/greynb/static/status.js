// The status item in a notebook's toolbar and in JupyterLab's status bar; a click opens the panel.
import { h } from "./dom.js";
import { StatusPanel } from "./panel.js";
import { fullText, longText, runningText, shortText } from "./wording.js";

export function statusItems({ apputils, ui, widgets }, app, links, tracker, toolbars, bar) {
  const panel = new StatusPanel(apputils);
  let side = null;
  const open = (link) => {
    panel.show(link);
    side ??= sideBar(ui, widgets, panel);
    if (!side.isAttached) app.shell.add(side, "right", { rank: 1100 });
    app.shell.activateById(side.id);
  };

  toolbars.addFactory("Notebook", "greynb-status", (notebook) => {
    const item = new StatusItem(open, shortText);
    item.follow(links(notebook));
    return new widgets.Widget({ node: item.node });
  });

  const inBar = bar && new StatusItem(open, longText);
  if (bar) {
    const item = new widgets.Widget({ node: inBar.node });
    bar.registerStatusItem("greynb:status", { item, align: "left", rank: 900 });
  }
  tracker.currentChanged.connect((_, notebook) => {
    const link = notebook ? links(notebook) : null;
    inBar?.follow(link);
    if (side?.isVisible && link) panel.show(link);
  });
}

function sideBar({ LabIcon }, { Widget }, panel) {
  const side = new Widget({ node: panel.node });
  side.id = "greynb-panel";
  side.title.caption = "greynb";
  side.title.icon = new LabIcon({ name: "greynb:databases", svgstr: ICON });
  side.onActivateRequest = () => panel.node.focus();
  return side;
}

// Two cylinders: staging behind, analytics before it.
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
<g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.3">
<ellipse cx="6" cy="3.5" rx="4.5" ry="2"/><path d="M1.5 3.5v6c0 1.1 2 2 4.5 2M10.5 3.5v2"/>
<ellipse cx="11" cy="8.5" rx="4" ry="1.8"/><path d="M7 8.5v4.5c0 1 1.8 1.8 4 1.8s4-.8 4-1.8V8.5"/>
</g></svg>`;

class StatusItem {
  #link = null;
  #clock = 0;
  #text = h("span");
  #open = h("button", { type: "button", class: "greynb-open" }, this.#text);
  #stop = h("button", { type: "button", class: "greynb-stop", "aria-label": "Stop the query" }, "Stop");
  #said = h("span", { role: "status", class: "greynb-unseen" }); // what screen readers are told at once
  node = h("div", { class: "greynb-status", role: "group", "aria-label": "greynb" });

  constructor(open, idleText) {
    this.idleText = idleText;
    this.node.append(this.#open, this.#stop, this.#said);
    this.#open.addEventListener("click", () => open(this.#link));
    this.#stop.addEventListener("click", () => this.#link?.stop());
    // How far behind it is grows by itself: asked for when somebody turns to it.
    for (const turned of ["pointerenter", "focusin"]) {
      this.node.addEventListener(turned, () => this.#link?.refresh());
    }
    this.#show();
  }

  follow(link) {
    this.#link?.removeEventListener("change", this.#show);
    this.#link = link;
    this.#link?.addEventListener("change", this.#show);
    this.#show();
  }

  #show = () => {
    const running = this.#link?.running ?? null;
    this.node.hidden = !this.#link?.status && !running;
    this.#stop.hidden = !running;
    clearInterval(this.#clock);
    if (running) this.#clock = setInterval(this.#tell, 1000);
    const said = running ? `${running.label} is running` : "";
    if (this.#said.textContent !== said) this.#said.textContent = said;
    this.#tell();
  };

  #tell = () => {
    const running = this.#link?.running;
    this.#text.textContent = running ? runningText(running) : this.idleText(this.#link ?? {});
    const all = fullText(this.#link ?? {});
    this.#open.title = all;
    this.#open.setAttribute("aria-label", `${this.#text.textContent}. Open the panel of greynb. ${all}`);
  };
}
