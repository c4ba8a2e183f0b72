// Every kernel of a first layer as a tile, and the map that one of them makes of the slice, here and now.

import { radioLabels } from "../shared/figures.js";
import { Picture } from "../shared/picture.js";
import { SlicePanel } from "../shared/slice_panel.js";
import { convolve, shades, standardized } from "./convolve.js";
import { unpack } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";

const FLAIR = 1;
const CHANNELS = ["pre-contrast", "FLAIR", "post-contrast"];
export default (component) => mount(Kernels, component);

class Kernels extends SlicePanel {
  static figure = "kernels";

  constructor(parent) {
    super(parent);
    this.picture = new Picture(this.find(".frame"));
    this.state = { look: "sum" };
    this.radios(".look input", (look) => this.set({ look }));
    this.find(".tiles").onkeydown = (event) => this.key(event);
  }

  async load({ rows, cols, sets }, part) {
    const weights = sets.map(({ key }) => new Float32Array(part(key).slice().buffer));
    return [await unpack(part("image"), 3, rows, cols), weights];
  }

  take(meta, channels, weights) {
    if (!this.meta) Object.assign(this.state, meta.start);
    Object.assign(this, { meta, channels, values: standardized(channels, meta.tables) });
    this.sets = meta.sets.map((set, index) => ({ ...set, weights: weights[index] }));
    this.find(".sets").replaceChildren(...radioLabels(this.sets.map(({ key, title }) => [key, title])));
    this.radios(".sets input", (set) => {
      this.set({ set });
      this.commit();
    });
    this.show();
  }

  view() {
    return { set: this.state.set, kernel: this.state.kernel };
  }

  // Kernel n of a set: rows, cols, channels in C order.
  kernelOf({ weights, size, number }, n) {
    return Float32Array.from({ length: size * size * 3 }, (_, i) => weights[i * number + n]);
  }

  show() {
    const { state, meta, picture } = this;
    const set = this.sets.find(({ key }) => key === state.set) ?? this.sets[0];
    state.kernel = Math.min(state.kernel, set.number - 1);
    this.select(".sets input", set.key);
    this.select(".look input", state.look);
    if (this.shown !== set.key) this.buildTiles(set);
    this.shown = set.key;
    this.tiles.forEach((tile, n) => {
      tile.setAttribute("aria-checked", String(n === state.kernel));
      tile.tabIndex = n === state.kernel ? 0 : -1;
    });
    this.find("[data-say=set]").textContent = set.words;
    const kernel = this.kernelOf(set, state.kernel);
    const { rows, cols } = meta;
    if (state.look === "slice") picture.set(rows, cols, this.channels, FLAIR, meta.window);
    else {
      const map = convolve(this.values, rows, cols, kernel, set.size, set.stride);
      picture.set(Math.ceil(rows / set.stride), Math.ceil(cols / set.stride), [shades(map, state.look === "relu")], 0);
    }
    const weight = [0, 1, 2].map((channel) => kernel.reduce((sum, w, i) => sum + (i % 3 === channel ? Math.abs(w) : 0), 0));
    const all = weight.reduce((a, b) => a + b, 0) || 1;
    const shares = weight.map((each) => Math.round((100 * each) / all));
    const words = `Kernel ${state.kernel + 1} of ${set.number}: ${set.size} × ${set.size} weights per channel; ` +
      `${shares[0]}% of their size on pre-contrast, ${shares[1]}% on FLAIR, ${shares[2]}% on post-contrast.`;
    this.find("[data-say=kernel]").textContent = words;
    this.find(".weights").replaceChildren(...CHANNELS.map((name, channel) => this.table(name, channel, kernel, set.size)));
    picture.say(`Map of the slice. ${words}`);
    picture.stage.dataset.map = `${set.key}-${state.kernel}-${state.look}`;
  }

  // The numbers of a kernel that lie on one channel.
  table(name, channel, kernel, size) {
    const table = document.createElement("table");
    table.createCaption().textContent = name;
    for (let row = 0; row < size; row++) {
      const line = table.insertRow();
      for (let col = 0; col < size; col++) {
        line.insertCell().textContent = kernel[3 * (row * size + col) + channel].toFixed(2).replace("-", "−");
      }
    }
    return table;
  }

  // Each kernel by its own largest weight; gray is 0, red, green and blue are the three channels.
  buildTiles(set) {
    this.tiles = Array.from({ length: set.number }, (_, n) => {
      const kernel = this.kernelOf(set, n);
      const most = kernel.reduce((most, w) => Math.max(most, Math.abs(w)), 0) || 1;
      const tile = document.createElement("button");
      tile.type = "button";
      tile.setAttribute("role", "radio");
      tile.setAttribute("aria-label", `Kernel ${n + 1}`);
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: set.size, height: set.size });
      const context = canvas.getContext("2d");
      const image = context.createImageData(set.size, set.size);
      for (let i = 0; i < set.size * set.size; i++) {
        for (let c = 0; c < 3; c++) image.data[4 * i + c] = 127.5 + (127.5 * kernel[3 * i + c]) / most;
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
      tile.append(canvas);
      tile.onclick = () => {
        this.set({ kernel: n });
        this.commit();
      };
      return tile;
    });
    this.find(".tiles").replaceChildren(...this.tiles);
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const { length } = this.tiles;
    this.set({ kernel: (this.state.kernel + step + length) % length });
    this.tiles[this.state.kernel].focus();
    this.commit();
  }
}
