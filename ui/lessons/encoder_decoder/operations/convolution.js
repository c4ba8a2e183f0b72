// A convolution by hand: nine pixels under a kernel, nine products, their sum, and the pixel of the map.

import { unpack } from "../../../viewer/masks.js";
import { mount } from "../../../viewer/panel.js";
import { middleOf } from "../../shared/figures.js";
import { Picture, Pointing } from "../../shared/picture.js";
import { SlicePanel } from "../../shared/slice_panel.js";
import { shades } from "../../transfer/convolve.js";

const FLAIR = 1;
const SIDE = 3;
export const KERNELS = {
  edges: { title: "vertical edges", weights: [-1, 0, 1, -2, 0, 2, -1, 0, 1] },
  level: { title: "horizontal edges", weights: [-1, -2, -1, 0, 0, 0, 1, 2, 1] },
  mean: { title: "mean", weights: Array(9).fill(1 / 9) },
  sharpen: { title: "sharpen", weights: [0, -1, 0, -1, 5, -1, 0, -1, 0] },
  outline: { title: "outline", weights: [-1, -1, -1, -1, 8, -1, -1, -1, -1] },
};

export default (component) => mount(Convolution, component);

// Rows (or columns) of a map: how often the kernel fits, with zeros around the picture or without.
export function places(number, stride, padding) {
  return Math.max(0, Math.floor((number - (padding ? 1 : SIDE)) / stride) + 1);
}

// What lies under the kernel where it makes one number of the map: pixels, null beyond the picture; and
// the first row and column, which lie beyond it where there is padding.
export function under(gray, rows, cols, [row, col], stride, padding) {
  const [top, left] = [row, col].map((at) => at * stride - (padding ? 1 : 0));
  const pixels = Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [r, c] = [top + Math.floor(i / SIDE), left + (i % SIDE)];
    return r < 0 || c < 0 || r >= rows || c >= cols ? null : gray[r * cols + c];
  });
  return { top, left, pixels };
}

// The whole map: float, of `places` rows and columns.
export function mapOf(gray, rows, cols, weights, stride, padding) {
  const [down, right] = [places(rows, stride, padding), places(cols, stride, padding)];
  const map = new Float32Array(down * right);
  for (let row = 0; row < down; row++) {
    for (let col = 0; col < right; col++) {
      const [top, left] = [row * stride - (padding ? 1 : 0), col * stride - (padding ? 1 : 0)];
      let sum = 0;
      for (let i = 0; i < SIDE; i++) {
        const r = top + i;
        if (r < 0 || r >= rows) continue;
        for (let j = 0; j < SIDE; j++) {
          const c = left + j;
          if (c >= 0 && c < cols) sum += gray[r * cols + c] * weights[i * SIDE + j];
        }
      }
      map[row * right + col] = sum;
    }
  }
  return { map, rows: down, cols: right };
}

// A number as it stands in the tables: whole ones as they are, others to two places.
export function short(value) {
  return (Number.isInteger(value) ? String(value) : value.toFixed(2)).replace("-", "−");
}

class Convolution extends SlicePanel {
  static figure = "convolution";

  constructor(parent) {
    super(parent);
    this.input = new Picture(this.find(".frame.input"), ["window", "beyond"]);
    this.output = new Picture(this.find(".frame.output"), ["written"]);
    const move = (cell) => this.moveTo(cell);
    this.pointing = new Pointing(this.input, { down: move, drag: move, steer: move });
    const back = ([row, col]) => this.moveTo([row * this.state.stride, col * this.state.stride]);
    new Pointing(this.output, { down: back, drag: back, steer: back });
    this.state = { weights: [...KERNELS.edges.weights], padding: true, stride: 1, relu: false };
    this.find(".presets").append(...Object.entries(KERNELS).map(([key, { title }]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: title });
      button.dataset.kernel = key;
      button.onclick = () => this.adopt({ kernel: key });
      return button;
    }));
    this.cells = Object.fromEntries(["pixels", "weights", "products"].map((name) => [name, this.table(name)]));
    this.cells.weights.forEach((cell, i) => {
      const input = Object.assign(document.createElement("input"), { type: "number", step: "any" });
      input.setAttribute("aria-label", `Kernel, row ${Math.floor(i / SIDE) + 1}, column ${(i % SIDE) + 1}`);
      input.oninput = () => {
        const weights = [...this.state.weights];
        weights[i] = Number.isFinite(input.valueAsNumber) ? input.valueAsNumber : 0;
        this.set({ weights });
      };
      cell.append(input);
    });
    this.bind(["padding", "relu"], ({ checked }) => checked);
    this.bind(["stride"]);
  }

  table(name) {
    const body = this.find(`table.${name}`).createTBody();
    const rows = Array.from({ length: SIDE }, () => body.insertRow());
    return rows.flatMap((row) => Array.from({ length: SIDE }, () => row.insertCell()));
  }

  load({ rows, cols, hasTruth }, part) {
    return Promise.all([
      unpack(part("image"), 3, rows, cols), hasTruth ? unpack(part("truth"), 1, rows, cols) : [null],
    ]);
  }

  take(meta, channels, [truth]) {
    const { rows, cols } = meta;
    Object.assign(this, { meta, rows, cols, gray: channels[FLAIR] });
    this.at = this.start(truth);
    this.pointing.at = this.at;
    this.input.set(rows, cols, channels, FLAIR, meta.window);
    this.redraw();
  }

  // The left border of what is marked, where there is something to see.
  start(truth) {
    const [row, col] = middleOf(truth, this.rows, this.cols);
    if (!truth?.[row * this.cols + col]) return [row, col];
    let left = col;
    while (left > 1 && truth[row * this.cols + left]) left--;
    return [row, left];
  }

  adopt({ kernel, ...state }) {
    const change = kernel ? { weights: [...KERNELS[kernel].weights] } : {};
    this.set({ ...change, ...state });
  }

  moveTo(cell) {
    this.at = cell;
    this.redraw();
  }

  show() {
    if (!this.meta) return;
    const { rows, cols, gray, at } = this;
    const { weights, stride, padding, relu } = this.state;
    const made = mapOf(gray, rows, cols, weights, stride, padding);
    const place = at.map((value, axis) => {
      const most = (axis ? made.cols : made.rows) - 1;
      return Math.max(0, Math.min(most, Math.round((value - (padding ? 0 : 1)) / stride)));
    });
    const { top, left, pixels } = under(gray, rows, cols, place, stride, padding);
    const products = pixels.map((pixel, i) => (pixel ?? 0) * weights[i]);
    const sum = products.reduce((a, b) => a + b, 0);
    this.fill(pixels, weights, products);
    const after = relu ? Math.max(0, sum) : sum;
    const words = `${products.map((value) => short(Math.round(100 * value) / 100)).join(" + ").replaceAll("+ −", "− ")} = ${short(Math.round(100 * sum) / 100)}`;
    this.find("[data-say=sum]").textContent = relu && sum < 0 ? `${words}, and after ReLU 0` : words;
    this.find("[data-say=size]").textContent =
      `Slice: ${rows} × ${cols} pixels. Map: ${made.rows} × ${made.cols}. Here: row ${place[0]}, column ${place[1]} of the map.`;
    this.output.set(made.rows, made.cols, [shades(made.map, relu)], 0);
    this.input.line("window", `M${left} ${top}h${SIDE}v${SIDE}h-${SIDE}Z`);
    this.output.line("written", `M${place[1]} ${place[0]}h1v1h-1Z`);
    this.input.say(`FLAIR of ${this.meta.name}. Kernel over rows ${top} to ${top + 2}, columns ${left} to ${left + 2}. Sum ${short(Math.round(100 * after) / 100)}.`);
    this.output.say(`Feature map, ${made.rows} by ${made.cols}.`);
    Object.assign(this.output.stage.dataset, { size: `${made.rows}x${made.cols}`, sum: String(after), at: place.join("-") });
  }

  fill(pixels, weights, products) {
    const { padding, stride, relu } = this.state;
    this.cells.pixels.forEach((cell, i) => {
      cell.textContent = pixels[i] ?? 0;
      cell.classList.toggle("beyond", pixels[i] === null);
    });
    this.cells.products.forEach((cell, i) => (cell.textContent = short(Math.round(100 * products[i]) / 100)));
    this.cells.weights.forEach((cell, i) => {
      const input = cell.firstChild;
      if (input.valueAsNumber !== weights[i] && !input.matches(":focus")) input.value = +weights[i].toFixed(3);
    });
    for (const button of this.all(".presets button")) {
      const same = KERNELS[button.dataset.kernel].weights.every((weight, i) => weight === weights[i]);
      button.setAttribute("aria-pressed", String(same));
    }
    this.find("[name=padding]").checked = padding;
    this.find("[name=relu]").checked = relu;
    this.find("[name=stride]").value = stride;
  }
}
