// Presenting by key and button.

import { copyText } from "../viewer/copy.js";
import { mount, Panel } from "../viewer/panel.js";
import { VIEWER_CHANGE } from "../viewer/sync.js";
import { elapsed } from "./clock.js";

const PLACES = { PageUp: -1, ArrowLeft: -1, PageDown: 1, ArrowRight: 1, " ": 1 };
const CHANGES = { // what a key changes in the picture
  m: { toggle: "prediction" }, t: { toggle: "truth" }, p: { toggle: "probability" },
  "[": { threshold: -0.05 }, "]": { threshold: 0.05 },
};

export default (component) => mount(Presenter, component);

class Presenter extends Panel {
  constructor(parent) {
    super(parent);
    const act = (name, go) => (this.find(`[name=${name}]`).onclick = go);
    act("present", () => this.go("present"));
    act("previous", () => this.walk(-1));
    act("next", () => this.walk(1));
    act("reset", () => this.reset());
    act("leave", () => this.go("leave"));
    act("copy", ({ target }) => copyText(this.link(), this.find("input"), target));
    // The keys of the page come here before the picture has them: a clicker walks the route.
    this.pressed = (event) => this.key(event);
    document.addEventListener("keydown", this.pressed, { capture: true });
    this.look = () => this.check();
    this.looking = setInterval(this.look, 2000);
    this.ticking = setInterval(() => this.tick(), 500);
  }

  receive(data, _, setTriggerValue) {
    this.send = setTriggerValue;
    this.data = data;
    this.step = data.step;
    for (const kind of ["switch", "panel", "bar"]) this.find(`.${kind}`).hidden = kind !== data.kind;
    if (data.kind === "bar") this.count();
    if (data.kind === "panel") this.check();
  }

  close() {
    super.close();
    document.removeEventListener("keydown", this.pressed, { capture: true });
    clearInterval(this.looking);
    clearInterval(this.ticking);
  }

  go(where) {
    this.send("go", where);
  }

  walk(by) {
    const to = Math.max(1, Math.min(this.data.steps.length, this.step + by));
    if (to === this.step) return;
    this.step = to; // two quick presses are two steps, whenever the server answers
    this.count();
    this.go(to);
  }

  // Back to the first step, and whatever was changed at it is as the route has it.
  reset() {
    this.step = Math.min(1, this.data.steps.length);
    this.count();
    this.go(this.step);
  }

  count() {
    const { stops, steps } = this.data;
    const before = stops ? `Before stop 1 of ${stops}` : "No stops";
    this.find("output").textContent = this.step ? `Stop ${steps[this.step - 1]} of ${stops}` : before;
    this.find("[name=previous]").disabled = this.step < 2;
    this.find("[name=next]").disabled = this.step >= steps.length;
  }

  key(event) {
    const { kind } = this.data;
    const { key } = event;
    if (kind === "panel" || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    const typing = target.matches?.("input, textarea, select, [role=slider], [contenteditable=true]");
    const clicker = key === "PageUp" || key === "PageDown" || key === "Escape";
    if (typing && !(kind === "bar" && clicker)) return;
    if (kind === "switch") {
      if (key !== "p" && key !== "P") return;
      this.go("present");
    } else if (!this.press(key, event, target)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // Do what a key means while presenting; false where it means nothing here.
  press(key, event, target) {
    const blank = this.find(".blank");
    const letter = key.length === 1 ? key.toLowerCase() : key;
    if (key === " " && target.matches?.("button")) return false;
    if (letter === "b" || key === ".") blank.hidden = !blank.hidden;
    else if (!blank.hidden) blank.hidden = true; // any other key brings the picture back, and no more
    else if (key in PLACES && !event.shiftKey && this.data.steps.length) this.walk(PLACES[key]);
    else if (letter in CHANGES) window.dispatchEvent(new CustomEvent(VIEWER_CHANGE, { detail: CHANGES[letter] }));
    else if (key === "Home") this.reset();
    else if (key === "Escape") this.go("leave");
    else if (letter === "f") this.fillScreen();
    else if (letter === "c") this.time();
    else if (letter === "h" || key === "?") this.find(".keys").classList.toggle("faded");
    else return false;
    if (letter !== "h" && key !== "?") this.find(".keys").classList.add("faded");
    return true;
  }

  // The clock runs from the first press; the next one puts it away.
  time() {
    this.began = this.began === undefined ? Date.now() : undefined;
    this.tick();
  }

  tick() {
    const clock = this.find("time");
    clock.hidden = this.began === undefined;
    if (!clock.hidden) clock.textContent = elapsed(Date.now() - this.began);
  }

  fillScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  }

  // What the server knows, and what only the browser knows: where the page was loaded from.
  check() {
    if (this.data.kind !== "panel") return;
    const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name));
    const outside = loaded.filter(({ protocol, host }) => /^http/.test(protocol) && host !== location.host);
    const words = outside.length ? `Loaded from outside: ${outside[0].host}` : "Nothing from outside";
    const items = [...this.data.checks, [words, !outside.length]].map(([text, fine]) => {
      const item = Object.assign(document.createElement("li"), { textContent: text });
      item.classList.toggle("fine", fine);
      return item;
    });
    this.find("ul").replaceChildren(...items);
  }

  link() {
    const address = new URL("analyze", document.baseURI);
    address.search = new URLSearchParams({ present: 1, route: this.data.route });
    return address.href;
  }
}
