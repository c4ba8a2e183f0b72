// Two networks while they learn: a mask, a loss and a Dice after each epoch, and the way back to any.

import { svg } from "../shared/figures.js";
import { Picture } from "../shared/picture.js";
import { outline, unpack } from "../../viewer/masks.js";
import { readMessage } from "../../viewer/message.js";
import { mount, Panel } from "../../viewer/panel.js";

const FLAIR = 1;
const MARK = [255, 176, 0, 90];
const HALF = 128; // level from which a pixel counts as marked: probability over one half
const CLASSES = ["first", "second"];
export default (component) => mount(Training, component);

// Points of a curve as an SVG path; `spans` are [from, to] of values and of places, for x and y.
export function curve(points, [x, y]) {
  const place = (value, [from, to, low, high]) => low + ((value - from) / (to - from || 1)) * (high - low);
  return points.map(([epoch, value], i) => `${i ? "L" : "M"}${place(epoch, x).toFixed(1)} ${place(value, y).toFixed(1)}`).join("");
}

class Training extends Panel {
  constructor(parent) {
    super(parent);
    this.figures = CLASSES.map((name) => {
      const figure = document.createElement("figure");
      figure.className = name;
      figure.innerHTML = `<figcaption><strong></strong></figcaption><div class="frame"></div><dl class="numbers">
        <div><dt>Loss</dt><dd data-number="loss"></dd></div><div><dt>Dice</dt><dd data-number="dice"></dd></div></dl>
        <p class="note"></p>`;
      figure.picture = new Picture(figure.querySelector(".frame"), ["truth", "prediction"]);
      return figure;
    });
    this.find(".pictures").replaceChildren(...this.figures);
    this.slider = this.find("[name=epoch]");
    this.slider.oninput = () => {
      this.epoch = +this.slider.value;
      this.following = this.epoch === this.newest;
      this.show();
    };
    this.following = true;
  }

  async receive(data) {
    const { meta, part } = readMessage(data);
    if (this.version === meta.version) return;
    this.version = meta.version;
    const { size } = meta;
    const [channels, [truth, ...levels]] = await Promise.all([
      unpack(part("image"), 3, size, size), unpack(part("planes"), meta.results.length + 1, size, size),
    ]);
    if (this.version !== meta.version) return;
    if (this.run !== meta.run) this.following = true;
    Object.assign(this, { meta, truth, run: meta.run });
    this.results = CLASSES.map((_, network) => meta.results
      .map((result, index) => ({ ...result, levels: levels[index] })).filter((result) => result.network === network));
    // Both networks are shown after as many epochs, and so after those that both have done.
    this.newest = Math.min(...this.results.map((results) => results.length));
    if (this.following) this.epoch = this.newest;
    this.figures.forEach((figure) => figure.picture.set(size, size, channels, FLAIR));
    this.show();
  }

  show() {
    const { meta, truth, epoch, newest } = this;
    const { size } = meta;
    Object.assign(this.slider, { max: Math.max(newest, 1), value: epoch, disabled: !newest });
    this.slider.parentElement.querySelector("output").textContent = `${epoch} of ${meta.epochs}`;
    this.figures.forEach((figure, network) => {
      const result = this.results[network][epoch - 1];
      const mask = new Uint8Array(size * size);
      if (result) for (let i = 0; i < mask.length; i++) mask[i] = result.levels[i] >= HALF ? 1 : 0;
      figure.querySelector("strong").textContent = meta.networks[network];
      figure.picture.fill(mask, { 1: [MARK] });
      figure.picture.line("prediction", outline(mask, size, size));
      figure.picture.line("truth", outline(truth, size, size));
      const said = { loss: result ? result.loss.toFixed(3) : "–", dice: result && result.dice !== null ? result.dice.toFixed(3) : "–" };
      for (const [name, text] of Object.entries(said)) figure.querySelector(`[data-number=${name}]`).textContent = text;
      figure.querySelector(".note").textContent = meta.slices.length
        ? `${meta.parameters[network].toLocaleString("en-US")} parameters, ${meta.slices[network]} slices to learn from`
        : "";
      figure.picture.say(`FLAIR of ${meta.shown}. After epoch ${epoch}, ${meta.networks[network]}: Dice ${said.dice} on all held-out slices.`);
      figure.picture.stage.dataset.epoch = epoch;
    });
    this.chart("loss", [0, Math.max(1, ...this.results.flat().map((result) => result.loss))]);
    this.chart("dice", [0, 1]);
    const held = meta.heldOut ? `${meta.heldOut} slices of patients it does not learn from` : "patients it does not learn from";
    this.find("[data-say=shown]").textContent =
      `On show: ${meta.shown}, not learned from. Orange is what a network marks there with a probability over one half, ` +
      `dashed blue is the truth. The Dice is over all ${held}. All of these patients are synthetic.`;
  }

  chart(name, [low, high]) {
    const { meta, epoch } = this;
    const chart = this.find(`[data-chart=${name}]`);
    const [width, height, left] = [360, 170, 30];
    chart.setAttribute("viewBox", `0 0 ${width} ${height + 22}`);
    const spans = [[0, meta.epochs, left, width - 6], [low, high, height - 4, 6]];
    const across = (value) => left + (value / meta.epochs) * (width - 6 - left);
    const up = (value) => height - 4 - ((value - low) / (high - low)) * (height - 10);
    const drawn = [];
    for (const share of [0, 0.5, 1]) {
      const value = low + share * (high - low);
      drawn.push(svg("line", { x1: left, x2: width - 6, y1: up(value), y2: up(value) }));
      drawn.push(svg("text", { x: left - 5, y: up(value) + 4, "text-anchor": "end" }, value.toFixed(1)));
    }
    for (const tick of [0, meta.epochs / 2, meta.epochs]) {
      drawn.push(svg("text", { x: across(tick), y: height + 15, "text-anchor": tick === meta.epochs ? "end" : "middle" }, tick ? `epoch ${Math.round(tick)}` : "0"));
    }
    drawn.push(svg("line", { class: "now", x1: across(epoch), x2: across(epoch), y1: 4, y2: height - 4 }));
    this.results.forEach((results, network) => {
      const points = results.filter((result) => result[name] !== null).map((result) => [result.epoch, result[name]]);
      if (!points.length) return;
      drawn.push(svg("path", { class: CLASSES[network], d: curve(points, spans) }));
      const [at, value] = points.at(-1);
      drawn.push(svg("circle", { class: CLASSES[network], cx: across(at), cy: up(value), r: 3.5 }));
    });
    chart.replaceChildren(...drawn);
    const words = this.results.map((results, network) => {
      const last = results.at(-1);
      return `${meta.networks[network]}: ${last && last[name] !== null ? last[name].toFixed(3) : "nothing yet"}`;
    });
    chart.setAttribute("aria-label", `${name} by epoch. ${words.join("; ")}`);
  }
}
