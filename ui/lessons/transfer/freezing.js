// The blocks of a network, and which of them training changes at which time.

import { mount, Panel } from "../../viewer/panel.js";

const BLOCKS = [
  ["encoder 1", 9], ["encoder 2", 7.5], ["encoder 3", 6], ["encoder 4", 4.75], ["encoder 5", 3.75],
  ["decoder 4", 4.75], ["decoder 3", 6], ["decoder 2", 7.5], ["decoder 1", 9],
];
const UNFROZEN = 25; // % of a staged training
export default (component) => mount(Freezing, component);

// Whether an encoder's block is changed at a share of the training, in %.
export function moves(arm, done) {
  if (arm === "frozen") return false;
  return arm === "staged" ? done >= UNFROZEN : true;
}

class Freezing extends Panel {
  static figure = "freezing";

  constructor(parent) {
    super(parent);
    this.radios("[type=radio]", (arm) => this.set({ arm }), () => this.commit());
    const slider = this.find("[name=done]");
    slider.oninput = () => this.set({ done: +slider.value });
    slider.onchange = () => this.commit();
    this.find(".blocks").replaceChildren(...BLOCKS.map(([name, height]) => {
      const block = document.createElement("div");
      block.innerHTML = `<span></span><strong></strong>`;
      block.querySelector("span").textContent = name;
      block.style.height = `${height}rem`;
      return block;
    }));
  }

  receive(data, send) {
    this.send = send;
    if (!this.meta) Object.assign(this.state, data.start);
    this.meta = data;
    this.show();
  }

  show() {
    const { arm, done } = this.state;
    this.select("[type=radio]", arm);
    this.slide("done", `${done}%`);
    const moving = moves(arm, done);
    [...this.find(".blocks").children].forEach((block, index) => {
      const encoder = index < 5;
      block.className = encoder && !moving ? "still" : "moves";
      block.querySelector("strong").textContent = encoder && !moving ? "still" : "moves";
    });
    const origin = arm === "scratch" ? "begins with random numbers" : arm === "handed"
      ? "begins as the encoder of this experiment's network of the other task" : "begins as it was trained on something else";
    const counts = this.meta.counts[arm];
    const counted = counts ? ` Of ${counts[1].toLocaleString("en-US")} numbers in the network, ${counts[0].toLocaleString("en-US")} are trained at the end.` : "";
    const words = `The encoder ${origin} and ${moving ? "is trained along" : "stands still: only the decoder learns"} at this point.${counted}`;
    this.find("[data-say=freezing]").textContent = words;
    this.find(".blocks").setAttribute("aria-label", words);
    this.find(".freezing").dataset.moves = String(moving);
  }
}
