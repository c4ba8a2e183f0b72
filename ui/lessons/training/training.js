// Networks while they learn in this browser: masks, losses and Dice after each epoch, and the way back to any.

import { svg } from "../shared/figures.js";
import { Picture } from "../shared/picture.js";
import { SlicePanel } from "../shared/slice_panel.js";
import { outline, unpack } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";
import { parameters } from "./network.js";
import { EPOCHS, LAST, meanDice, Runs, USUAL, VALUES } from "./runs.js";

const FLAIR = 1;
const MARK = [255, 176, 0, 90];
const HALF = 128; // level from which a pixel counts as marked: probability over one half
export default (component) => mount(Training, component);

let runs; // of this document

function makeRuns() {
  return new Runs(() => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
}

// Points of a curve as an SVG path; `spans` are [from, to] of values and of places, for x and y.
export function curve(points, [x, y]) {
  const scale = (value, [from, to, low, high]) => low + ((value - from) / (to - from || 1)) * (high - low);
  return points.map(([epoch, value], i) => `${i ? "L" : "M"}${scale(epoch, x).toFixed(1)} ${scale(value, y).toFixed(1)}`).join("");
}

// Of some values the one next to another; a link may ask for any.
function nearest(values, wanted) {
  return values.reduce((best, value) => (Math.abs(value - wanted) < Math.abs(best - wanted) ? value : best));
}

class Training extends SlicePanel {
  static figure = "training";

  constructor(parent) {
    super(parent);
    this.state = { ...USUAL };
    this.cards = new Map();
    this.following = true;
    for (const [name, values] of Object.entries(VALUES)) {
      this.find(`[name=${name}]`).oninput = ({ target }) => this.set({ [name]: values[+target.value] });
    }
    this.bind(["seed"]);
    this.bind(["skips"], ({ checked }) => checked);
    this.find("[name=dice]").oninput = ({ target }) => this.set({ loss: target.checked ? "bce_dice" : "bce" });
    this.all("[data-compare]").forEach((button) => (button.onclick = () => this.compare(button.dataset.compare)));
    this.find("[name=train]").onclick = () => {
      this.following = true;
      runs.start(this.state);
      this.commit();
    };
    this.find("[name=pause]").onclick = () => runs.pause(!runs.paused);
    this.find("[name=stop]").onclick = () => runs.stop();
    this.find("[name=epoch]").oninput = ({ target }) => {
      this.epoch = +target.value;
      this.following = this.epoch === this.newest;
      this.redraw();
    };
  }

  // The script that trains is loaded last.
  get ready() {
    return Boolean(this.meta) && runs.state === "ready";
  }

  // What a task asks to be shown.
  adopt({ compare }) {
    this.compare(compare);
  }

  compare(which) {
    this.following = true;
    runs.compare(which);
  }

  load({ size, slices, example }, part) {
    const sizes = { planes: 4 * slices.length, masks: example.results.length };
    return Promise.all(Object.entries(sizes).map(([name, number]) => unpack(part(name), number, size, size)));
  }

  take(meta, planes, masks) {
    const { size, slices, shown } = meta;
    const { results, ...example } = meta.example;
    Object.assign(this, { meta, size });
    Object.assign(this.state, meta.start);
    for (const [name, values] of Object.entries(VALUES)) this.state[name] = nearest(values, this.state[name]);
    const held = slices.map((each, i) => ({ ...each, planes: planes.slice(4 * i, 4 * i + 3), truth: planes[4 * i + 3] }));
    this.image = held[shown].planes;
    this.truth = held[shown].truth.map((level) => (level >= HALF ? 1 : 0));
    if (!runs) {
      runs = makeRuns();
      runs.example({ ...example, results: results.map((each, i) => ({ ...each, levels: masks[i] })) });
    }
    runs.tell = (kind) => {
      this.redraw();
      if (kind === "ready") this.adoptAsked();
    };
    runs.load({ size, slices: held, shown: held.filter((each) => each.heldOut).indexOf(held[shown]) });
    this.redraw();
  }

  close() {
    super.close();
    if (!runs) return;
    runs.tell = () => {};
    if (runs.live) runs.pause(true); // nothing is computed on a page that nobody looks at
  }

  show() {
    if (!this.meta) return;
    this.controls();
    this.newest = Math.max(0, ...runs.list.map((each) => each.results.length - 1));
    if (this.following || this.epoch === undefined) this.epoch = this.newest;
    this.epoch = Math.min(this.epoch, this.newest);
    const slider = this.find("[name=epoch]");
    Object.assign(slider, { max: Math.max(this.newest, 1), value: this.epoch, disabled: !this.newest });
    slider.parentElement.querySelector("output").textContent = `${this.epoch} of ${EPOCHS}`;
    this.pictures();
    const losses = runs.list.flatMap((each) => each.results.map((result) => result.loss).filter(Number.isFinite));
    const steps = runs.list.flatMap((each) => each.trail.map(([, loss]) => loss));
    this.chart("loss", [0, Math.max(1, ...losses, ...steps)]);
    this.chart("dice", [0, 1]);
    const { patient, number } = this.meta.slices[this.meta.shown];
    const held = this.meta.slices.filter((each) => each.heldOut).length;
    this.write({ shown: `On show: slice ${number} of ${patient}, not used in training. Orange is marked, `
      + `with a probability over 0.5; dashed blue is the truth. The Dice is over all ${held} slices of patients `
      + "that no network learns from. All patients are synthetic."
      + (runs.list.some((each) => each.example) ? " The earlier run has the usual settings and is stored with the site." : "") }, "say");
  }

  controls() {
    for (const [name, values] of Object.entries(VALUES)) {
      this.slide(name, String(this.state[name]), Math.max(0, values.indexOf(this.state[name])));
    }
    this.slide("seed", String(this.state.seed));
    this.find("[name=skips]").checked = this.state.skips;
    this.find("[name=dice]").checked = this.state.loss === "bce_dice";
    const ready = runs.state === "ready";
    for (const button of this.all("[data-compare], [name=train]")) button.disabled = !ready;
    this.find("[name=pause]").disabled = this.find("[name=stop]").disabled = !runs.live;
    this.find("[name=pause]").textContent = runs.live && runs.paused ? "Go on" : "Pause";
    this.write({ state: this.words() }, "say");
    this.find(".training").dataset.state = runs.live ? (runs.paused ? "paused" : "training") : runs.state;
  }

  words() {
    if (runs.state === "loading") return "Loading TensorFlow.js and the slices …";
    if (runs.state === "failed") return `Nothing can be trained in this browser: ${runs.message}.`;
    if (runs.list.every((each) => each.example)) return "Ready. Training runs in this browser alone; nothing is sent.";
    const live = runs.list.filter((each) => each.live);
    if (!live.length) return "Done. Start another: four runs are kept, a fifth replaces the oldest.";
    const each = live[0];
    const epoch = Math.max(0, each.results.length - 1);
    if (runs.paused) return `Paused after epoch ${epoch} of ${EPOCHS}.`;
    return `Epoch ${epoch} of ${EPOCHS} is done, step ${each.step} of ${each.steps || "…"} of the next`
      + (each.step ? `, loss ${each.loss.toFixed(3)}.` : ".");
  }

  pictures() {
    const there = new Set(runs.list.map((each) => each.run));
    for (const [run, figure] of this.cards) {
      if (!there.has(run)) {
        figure.remove();
        this.cards.delete(run);
      }
    }
    for (const each of runs.list) {
      if (!this.cards.has(each.run)) this.cards.set(each.run, this.card(each));
      this.fill(each, this.cards.get(each.run));
    }
  }

  card(each) {
    const figure = document.createElement("figure");
    figure.className = `run color-${each.color}`;
    figure.innerHTML = `<figcaption><strong></strong></figcaption><div class="frame"></div><dl class="numbers">
      <div><dt>Loss</dt><dd data-number="loss"></dd></div><div><dt>Dice</dt><dd data-number="dice"></dd></div>
      <div><dt>${LAST}-epoch mean</dt><dd data-number="mean"></dd></div></dl>
      <p class="note"></p><button type="button">Remove</button>`;
    figure.picture = new Picture(figure.querySelector(".frame"), ["truth", "prediction"]);
    figure.picture.set(this.size, this.size, this.image, FLAIR, this.meta.window);
    figure.querySelector("strong").textContent = each.name;
    figure.querySelector("button").setAttribute("aria-label", `Remove the run ${each.name}`);
    figure.querySelector("button").onclick = () => runs.remove(each.run);
    this.find(".pictures").append(figure);
    return figure;
  }

  fill(each, figure) {
    const { size, truth } = this;
    const result = each.results[Math.min(this.epoch, each.results.length - 1)];
    if (result && figure.shown === result) return; // a step changes no picture
    figure.shown = result;
    const mask = new Uint8Array(size * size);
    if (result) for (let i = 0; i < mask.length; i++) mask[i] = result.levels[i] >= HALF ? 1 : 0;
    figure.picture.fill(mask, { 1: [MARK] });
    figure.picture.line("prediction", outline(mask, size, size));
    figure.picture.line("truth", outline(truth, size, size));
    const number = (value) => (Number.isFinite(value) ? value.toFixed(3) : "–");
    const said = { loss: number(result?.loss), dice: number(result?.dice), mean: number(meanDice(each.results, result?.epoch)) };
    for (const [name, text] of Object.entries(said)) figure.querySelector(`[data-number=${name}]`).textContent = text;
    figure.querySelector(".note").textContent =
      `${parameters(each.setting).toLocaleString("en-US")} parameters, ${each.slices ?? "–"} slices to learn from`;
    if (!result) return;
    const { epoch } = result;
    figure.picture.say(`After epoch ${epoch}, ${each.name}: Dice ${said.dice} on all held-out slices.`);
    Object.assign(figure.dataset, { epoch, marked: mask.reduce((sum, set) => sum + set, 0) });
  }

  chart(name, [low, high]) {
    const chart = this.find(`[data-chart=${name}]`);
    const [width, height, left] = [360, 150, 30];
    chart.setAttribute("viewBox", `0 0 ${width} ${height + 22}`);
    const spans = [[0, EPOCHS, left, width - 6], [low, high, height - 4, 6]];
    const across = (value) => left + (value / EPOCHS) * (width - 6 - left);
    const up = (value) => height - 4 - ((value - low) / (high - low)) * (height - 10);
    const drawn = [];
    for (const share of [0, 0.5, 1]) {
      const value = low + share * (high - low);
      drawn.push(svg("line", { x1: left, x2: width - 6, y1: up(value), y2: up(value) }));
      drawn.push(svg("text", { x: left - 5, y: up(value) + 4, "text-anchor": "end" }, value.toFixed(1)));
    }
    for (const tick of [0, EPOCHS / 2, EPOCHS]) {
      drawn.push(svg("text", { x: across(tick), y: height + 15, "text-anchor": tick === EPOCHS ? "end" : "middle" }, tick ? `epoch ${tick}` : "0"));
    }
    drawn.push(svg("line", { class: "now", x1: across(this.epoch), x2: across(this.epoch), y1: 4, y2: height - 4 }));
    // Each step at once, faint: who trains sees something move long before an epoch is over.
    if (name === "loss") {
      for (const each of runs.list.filter(({ trail }) => trail.length)) {
        const [at, loss] = each.trail.at(-1);
        drawn.push(svg("path", { class: `trail color-${each.color}`, d: curve(each.trail, spans) }));
        drawn.push(svg("circle", { class: `color-${each.color}`, cx: across(at), cy: up(loss), r: 2 }));
      }
    }
    const words = runs.list.map((each) => {
      const points = each.results.filter((result) => Number.isFinite(result[name])).map((result) => [result.epoch, result[name]]);
      if (!points.length) return `${each.name}: nothing yet`;
      drawn.push(svg("path", { class: `color-${each.color}`, d: curve(points, spans) }));
      const [at, value] = points.at(-1);
      drawn.push(svg("circle", { class: `color-${each.color}`, cx: across(at), cy: up(value), r: 3.5 }));
      return `${each.name}: ${value.toFixed(3)}`;
    });
    chart.replaceChildren(...drawn);
    chart.setAttribute("aria-label", `${name} by epoch. ${words.join("; ")}`);
  }
}
