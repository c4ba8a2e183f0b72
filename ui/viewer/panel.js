// A component's panel: made where the component first appears, told what Python says, gone with it.
// Streamlit calls a component's script with each change of its data, and cleans up after the last call once
// the component has left the page. It also cleans up after a call that a later change overtook while modules
// were loading; such a call may even come after that of the later change, which then is told again.

const MOUNTED = new WeakMap();
const KEPT = 4; // calls that may still turn out to have been overtaken

export function mount(Kind, { parentElement, data, setStateValue, setTriggerValue }) {
  if (!MOUNTED.has(parentElement)) MOUNTED.set(parentElement, { panel: new Kind(parentElement), calls: [] });
  const mounted = MOUNTED.get(parentElement);
  const call = [data, setStateValue, setTriggerValue];
  mounted.calls = [...mounted.calls.slice(1 - KEPT), call];
  tell(mounted.panel, call);
  return () => {
    if (MOUNTED.get(parentElement) !== mounted) return;
    if (parentElement.isConnected) {
      const newest = mounted.calls.at(-1) === call;
      mounted.calls = mounted.calls.filter((each) => each !== call);
      if (newest && mounted.calls.length) tell(mounted.panel, mounted.calls.at(-1));
    } else {
      mounted.panel.close?.();
      MOUNTED.delete(parentElement);
    }
  };
}

// Tell a panel what Python says, and then what it was asked for while that was on its way.
function tell(panel, call) {
  Promise.resolve(panel.receive(...call)).then(() => panel.adoptAsked?.());
}

const ASKED = "panel:asked"; // an event of the window
let asked = null; // what no panel has shown yet: {figure, state}

// Ask the panel of a figure for a state. One that is still being loaded shows it as soon as it can.
export function ask(figure, state) {
  asked = { figure, state };
  window.dispatchEvent(new Event(ASKED));
}

// Who asked has left: nothing is to move on another page.
export function forget() {
  asked = null;
}

// Scroll until an element is in view; of one that is higher than the screen, its upper part.
export function bring(element) {
  const block = element.offsetHeight > 0.9 * window.innerHeight ? "start" : "nearest";
  element.scrollIntoView({ block, behavior: "smooth" });
}

// What panels share: `state` that controls set, one drawing a frame, and what Python is told at rest.
// A panel defines show(), which draws `state`, and view(), what Python is told of it; one that others may
// ask for a state has a static `figure`, its name.
export class Panel {
  constructor(parent) {
    this.find = (selector) => parent.querySelector(selector);
    this.all = (selector) => [...parent.querySelectorAll(selector)];
    this.state = {};
    this.adopting = () => this.adoptAsked();
    if (this.constructor.figure) window.addEventListener(ASKED, this.adopting);
  }

  // Whether there is something to show: the script of a panel may come seconds before its slice.
  get ready() {
    return Boolean(this.meta);
  }

  // Show what this panel is asked for, if it is and if it can.
  adoptAsked() {
    if (!asked || asked.figure !== this.constructor.figure || !this.ready || this.closed) return;
    if (this.adopt(asked.state) === false) return;
    asked = null;
    bring(this.find(".lesson, .viewer")); // who asked may stand far below
  }

  // Take over a state that was asked for; false if it cannot be.
  adopt(state) {
    this.set(state);
    this.commit();
  }

  // The radios that a selector finds are one group, apart from those of other panels.
  radios(selector, chosen, atRest) {
    const name = Math.random().toString(36).slice(2);
    for (const radio of this.all(selector)) {
      radio.name = name;
      if (chosen) radio.oninput = () => chosen(radio.value);
      if (atRest) radio.onchange = atRest;
    }
  }

  // Controls with these names set the state's values of the same names.
  bind(names, read = ({ value }) => +value) {
    for (const name of names) this.find(`[name=${name}]`).oninput = ({ target }) => this.set({ [name]: read(target) });
  }

  // Mark the radio that has a value.
  select(selector, value) {
    this.all(selector).forEach((radio) => (radio.checked = radio.value === String(value)));
  }

  // Put a value on a slider that holds `state[name]`, and say it in words.
  slide(name, text, value = this.state[name]) {
    const input = this.find(`[name=${name}]`);
    if (+input.value !== value) input.value = value;
    input.parentElement.querySelector("output").textContent = text;
    input.setAttribute("aria-valuetext", text);
    return input;
  }

  set(change) {
    Object.assign(this.state, change);
    this.redraw();
  }

  redraw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = undefined;
      if (!this.closed) this.show();
    });
  }

  view() {
    return this.state;
  }

  // The hand rests: Python hears of what has changed.
  commit() {
    if (this.closed) return;
    const view = JSON.stringify(this.view());
    if (view !== this.sent) this.send?.("view", JSON.parse(view));
    this.sent = view;
  }

  // Write texts where `data-number`, or another attribute, names them.
  write(texts, attribute = "number") {
    for (const [name, text] of Object.entries(texts)) this.find(`[data-${attribute}=${name}]`).textContent = text;
  }

  // For a screen reader.
  say(words) {
    this.find("[role=status]").textContent = words;
  }

  close() {
    this.closed = true;
    window.removeEventListener(ASKED, this.adopting);
    cancelAnimationFrame(this.drawing);
  }
}
