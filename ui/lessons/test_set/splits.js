// The same slices split in two ways, each test slice beside its nearest training slice, and a quiz.

import { Picture } from "../shared/picture.js";
import { compare, divide, nearest } from "./split.js";
import { outline, unpack } from "../../viewer/masks.js";
import { readMessage } from "../../viewer/message.js";
import { mount, Panel } from "../../viewer/panel.js";

export default (component) => mount(Splits, component);

class Splits extends Panel {
  static figure = "splits";

  adopt({ by }) {
    this.set({ by });
    if (by === "quiz") this.ask();
    this.commit();
  }

  constructor(parent) {
    super(parent);
    this.asked = { right: 0, all: 0 };
    this.frames = ["test", "near"].map((name) => new Picture(this.find(`.frame.${name}`), ["truth"]));
    this.radios(".by input", (by) => {
      this.adopt({ by });
    });
    this.find("[name=again]").onclick = () => {
      this.set({ seed: (this.state.seed % 999) + 1 });
      this.commit();
    };
    this.find("[name=previous]").onclick = () => this.walk(-1);
    this.find("[name=next]").onclick = () => this.walk(1);
    this.find("[name=another]").onclick = () => this.ask();
    this.find("[name=seen]").onclick = () => this.answer(true);
    this.find("[name=unseen]").onclick = () => this.answer(false);
  }

  async receive(data, send) {
    this.send = send;
    const { meta, part } = readMessage(data);
    if (this.meta?.version === meta.version) return;
    const [side, number] = [meta.side, meta.slices.length];
    const pictures = await unpack(part("pictures"), number, side, side);
    const truths = await unpack(part("truths"), number, side, side);
    const distances = new Float32Array(part("distances").slice().buffer);
    Object.assign(this, { meta, pictures, truths, distances });
    this.patients = meta.slices.map(([patient]) => patient);
    Object.assign(this.state, meta.start);
    this.build();
    this.set({});
    if (this.state.by === "quiz") this.ask();
  }

  build() {
    const rows = [...new Set(this.patients)].map((name) => {
      const row = document.createElement("div");
      row.className = "patient";
      row.innerHTML = `<span></span><div></div>`;
      row.querySelector("span").textContent = name.slice(0, 12);
      return [name, row];
    });
    const places = Object.fromEntries(rows);
    this.dots = this.patients.map((name, index) => {
      const dot = document.createElement("i");
      dot.className = "dot";
      dot.title = `Slice ${this.meta.slices[index][1]}`;
      dot.onclick = () => this.tests[index] && this.pick(index);
      places[name].querySelector("div").append(dot);
      return dot;
    });
    this.find(".dots").replaceChildren(...rows.map(([, row]) => row));
  }

  set(change) {
    Object.assign(this.state, change);
    const { by, seed } = this.state;
    this.select(".by input", by);
    const quiz = by === "quiz";
    for (const [selector, hidden] of [[".walk", quiz], [".ask", !quiz], [".numbers", quiz], ["[name=again]", quiz]]) {
      this.find(selector).hidden = hidden;
    }
    if (quiz) return;
    this.lay(by, seed);
    const { shared, testing, same, median } = compare(this.patients, this.tests, this.near);
    const numbers = {
      shared: `${shared} of ${testing}`,
      same: same === null ? "–" : `${Math.round(100 * same)}%`,
      median: median === null ? "–" : median.toFixed(2),
    };
    this.write(numbers);
    this.find("[data-say=what]").textContent = by === "slices"
      ? "Each slice was put at random into training or testing. A test slice has neighbors in training, from the same head."
      : "Each patient was put at random into training or testing. The network saw no test patient in training.";
    const words = `${shared} of ${testing} patients that test are trained on, too.`;
    this.find(".dots").setAttribute("aria-label", `${new Set(this.patients).size} patients, one row per patient, one dot per slice. ${words}`);
    this.say(words);
    // The most telling pair first: of those with a tumor the one that is most alike.
    const order = [...this.near.keys()].filter((i) => this.near[i]).sort((a, b) => this.near[a].distance - this.near[b].distance);
    this.pick(order.find((i) => this.truths[i].some(Boolean)) ?? order[0]);
  }

  lay(by, seed) {
    this.tests = divide(this.patients, by, seed);
    this.near = nearest(this.tests, this.distances);
    this.dots.forEach((dot, index) => (dot.className = this.tests[index] ? "dot testing" : "dot"));
  }

  walk(step) {
    const order = [...this.tests.keys()].filter((index) => this.tests[index]);
    this.pick(order[(order.indexOf(this.picked) + step + order.length) % order.length]);
  }

  pick(index) {
    if (index === undefined) return;
    this.picked = index;
    const near = this.near[index];
    this.dots.forEach((dot, i) => {
      dot.classList.toggle("picked", i === index);
      dot.classList.toggle("near", i === near.index);
    });
    this.showPair(index, near.index);
    const same = this.patients[index] === this.patients[near.index];
    this.find("[data-say=test]").textContent = `Tests: ${this.name(index)}`;
    this.find("[data-say=near]").textContent =
      `Nearest in training: ${this.name(near.index)}, ${same ? "the same head" : "another head"}, distance ${near.distance.toFixed(2)}`;
    this.find(".splits").dataset.picked = index;
  }

  showPair(...indexes) {
    const { side } = this.meta;
    indexes.forEach((index, frame) => {
      this.frames[frame].set(side, side, [this.pictures[index]], 0, this.meta.windows[index]);
      this.frames[frame].line("truth", outline(this.truths[index], side, side));
      this.frames[frame].say(frame ? "Nearest training slice" : "Test slice");
    });
  }

  name(index) {
    const [patient, number] = this.meta.slices[index];
    return `${patient.slice(0, 12)}, slice ${number}`;
  }

  view() {
    const { by, seed } = this.state;
    return { by, seed };
  }

  // --- quiz ---

  ask() {
    const seed = 1 + Math.floor(Math.random() * 999);
    this.kind = Math.random() < 0.5 ? "slices" : "patients";
    this.lay(this.kind, seed);
    this.dots.forEach((dot) => (dot.className = "dot"));
    // Of a known head only slices that have it for their nearest are asked: the others tell nothing.
    const known = (index) => this.patients[index] === this.patients[this.near[index].index];
    const fit = (index) => this.tests[index] && (this.kind === "patients" || known(index));
    const order = [...this.tests.keys()].filter(fit);
    this.picked = order[Math.floor(Math.random() * order.length)];
    this.showPair(this.picked, this.near[this.picked].index);
    this.find("[data-say=test]").textContent = "A slice that tests";
    this.find("[data-say=near]").textContent = "Its nearest slice in training";
    const { right, all } = this.asked;
    this.find("[data-say=what]").textContent =
      `Was this patient in the training set? Look at the two slices.${all ? ` So far ${right} of ${all} right.` : ""}`;
    for (const name of ["seen", "unseen"]) this.find(`[name=${name}]`).disabled = false;
    this.find(".splits").dataset.kind = this.kind;
  }

  answer(seen) {
    const near = this.near[this.picked];
    const truth = this.patients.some((name, i) => name === this.patients[this.picked] && !this.tests[i]);
    this.asked.all += 1;
    if (seen === truth) this.asked.right += 1;
    this.dots.forEach((dot, i) => {
      dot.className = `dot${this.tests[i] ? " testing" : ""}${i === this.picked ? " picked" : ""}${i === near.index ? " near" : ""}`;
    });
    this.find("[data-say=test]").textContent = `Tests: ${this.name(this.picked)}`;
    this.find("[data-say=near]").textContent = `Nearest in training: ${this.name(near.index)}, distance ${near.distance.toFixed(2)}`;
    const words = `${seen === truth ? "Right" : "No"}: it was split by ${this.kind}, so this head was ${truth ? "" : "not "}trained on. ` +
      `${this.asked.right} of ${this.asked.all} right.`;
    this.find("[data-say=what]").textContent = words;
    this.say(words);
    for (const name of ["seen", "unseen"]) this.find(`[name=${name}]`).disabled = true;
  }
}
