// A residual block as a drawing, and what its shortcut does to a gradient on its way back.

import { mount, Panel } from "../../../viewer/panel.js";
import { svg } from "../../shared/figures.js";

const LAYERS = 2; // of a block
const LOWEST = -6; // power of ten at the foot of the bars

export default (component) => mount(ResidualBlock, component);

// Gradient at the entrance of each block, from the first to the last, where 1 comes in from the answer.
// Through the layers it is multiplied by `factor` twice; the shortcut adds it once as it was.
export function gradients(blocks, factor, shortcut) {
  const kept = factor ** LAYERS + (shortcut ? 1 : 0);
  return Array.from({ length: blocks }, (_, block) => kept ** (blocks - block));
}

// A share as words: 0.25, 1 / 65,536, 300.
export function inWords(value) {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  if (value >= 0.01) return String(+value.toPrecision(2));
  return `1 / ${Math.round(1 / value).toLocaleString("en-US")}`;
}

class ResidualBlock extends Panel {
  static figure = "residual";

  constructor(parent) {
    super(parent);
    this.state = { shortcut: true, blocks: 8, factor: 0.5 };
    this.bind(["shortcut"], ({ checked }) => checked);
    this.bind(["blocks", "factor"]);
    this.redraw();
  }

  get ready() {
    return true;
  }

  receive() {}

  show() {
    const { shortcut, blocks, factor } = this.state;
    this.find("[name=shortcut]").checked = shortcut;
    this.slide("blocks", String(blocks));
    this.slide("factor", factor.toFixed(2));
    this.find(".shortcut").classList.toggle("gone", !shortcut);
    this.find("[data-say=formula]").textContent = shortcut ? "y = x + f(x)" : "y = f(x)";
    this.find(".block").setAttribute("aria-label",
      `Two convolutions make f(x) of x. ${shortcut ? "A shortcut adds x to it." : "The shortcut is taken away."}`);
    const found = gradients(blocks, factor, shortcut);
    this.bars(found);
    const [first] = found;
    const verdict = first < 0.01 ? "It has vanished: the first layers learn next to nothing."
      : first > 100 ? "It has exploded: normalization has to keep such sums in check."
        : "The first layers can learn.";
    this.find("[data-say=left]").textContent =
      `Of a gradient of 1 at the answer, ${inWords(first)} reaches the first block. ${verdict}`;
    this.find(".lesson").dataset.first = String(first);
  }

  // On a scale of powers of ten.
  bars(found) {
    const [width, height, left] = [320, 120, 44];
    const most = Math.max(1, Math.log10(Math.max(...found)));
    const up = (value) => ((Math.max(LOWEST, Math.log10(value)) - LOWEST) / (most - LOWEST)) * (height - 16);
    const step = (width - left) / found.length;
    const drawn = [0, -2, -4].flatMap((power) => [
      svg("line", { x1: left, x2: width, y1: height - up(10 ** power), y2: height - up(10 ** power) }),
      svg("text", { x: left / 2, y: height - up(10 ** power) + 4 }, power ? `1/${(10 ** -power).toLocaleString("en-US")}` : "1"),
    ]);
    drawn.push(...found.map((value, i) => svg("rect", {
      x: left + i * step + 1, width: Math.max(1, step - 2), y: height - up(value), height: Math.max(1, up(value)),
    })));
    const chart = this.find(".bars");
    chart.replaceChildren(...drawn);
    chart.setAttribute("aria-label", `Gradient at blocks 1 to ${found.length}: ${found.map(inWords).join(", ")}`);
  }
}
