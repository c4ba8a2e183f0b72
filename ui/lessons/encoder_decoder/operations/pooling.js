// Pooling and its ways back, a step at a time. All steps were computed by btmodels/teaching/pooling_steps.py.

import { inflateJson } from "../../shared/figures.js";
import { readMessage } from "../../../viewer/message.js";
import { mount, Panel } from "../../../viewer/panel.js";

const STEP_MS = 450;
export default (component) => mount(PoolingGrid, component);

class PoolingGrid extends Panel {
  static figure = "pooling";

  adopt({ way, input }) {
    this.stop();
    Object.assign(this.state, { way, input });
    this.state.step = this.steps().length;
    this.show();
    this.commit();
  }

  constructor(parent) {
    super(parent);
    for (const name of ["way", "input"]) {
      this.find(`[name=${name}]`).onchange = ({ target }) => {
        this.stop();
        this.state[name] = target.value;
        this.state.step = this.steps().length;
        this.show();
        this.commit();
      };
    }
    this.find("[name=step]").oninput = ({ target }) => {
      this.stop();
      this.state.step = +target.value;
      this.show();
    };
    this.find("[name=play]").onclick = () => (this.playing ? this.stop() : this.play());
  }

  get ready() {
    return Boolean(this.walks);
  }

  async receive(data, send) {
    this.send = send;
    if (this.walks) return;
    const { meta, part } = readMessage(data);
    this.walks = await inflateJson(part("walks"));
    this.find("[name=way]").replaceChildren(...Object.entries(this.walks.ways).map(([key, words]) => new Option(words, key)));
    this.state = { ...meta, step: 0 };
    this.state.step = this.steps().length;
    this.show();
  }

  steps() {
    return this.walks.steps[this.state.way][this.state.input];
  }

  play() {
    if (this.state.step >= this.steps().length) this.state.step = 0;
    this.find("[name=play]").textContent = "Pause";
    this.playing = setInterval(() => {
      this.state.step++;
      this.show();
      if (this.state.step >= this.steps().length) this.stop();
    }, STEP_MS);
  }

  view() {
    return { way: this.state.way, input: this.state.input };
  }

  close() {
    super.close();
    this.stop();
  }

  stop() {
    clearInterval(this.playing);
    this.playing = 0;
    this.find("[name=play]").textContent = "Play";
  }

  show() {
    const { state } = this;
    const steps = this.steps();
    this.find("[name=way]").value = state.way;
    this.find("[name=input]").value = state.input;
    const slider = this.find("[name=step]");
    slider.max = steps.length;
    slider.value = state.step;
    slider.parentElement.querySelector("output").textContent = `${state.step} of ${steps.length}`;
    const step = steps[state.step - 1];
    const last = steps.at(-1).output;
    const output = step ? step.output : last.map((row) => row.map(() => null));
    const before = this.walks.inputs[state.input];
    const most = Math.max(...before.flat(), ...last.flat());
    const running = step && state.step < steps.length;
    fill(this.find(".before"), before, running && step.read, most);
    fill(this.find(".after"), output, running && step.written, most);
    this.find("[data-say=before]").textContent = `Before: ${before.length} × ${before.length}`;
    this.find("[data-say=after]").textContent = `After: ${last.length} × ${last.length}`;
    this.find("[data-say=step]").textContent = wordsOf(state, step, before, steps.length);
    this.find(".after").dataset.sum = output.flat().reduce((sum, value) => sum + (value ?? 0), 0);
  }
}

function fill(table, values, now, most) {
  table.setAttribute("aria-label", values.map((row) => row.map((value) => value ?? "empty").join(" ")).join("; "));
  const body = document.createElement("tbody");
  values.forEach((row, r) => {
    const line = body.insertRow();
    row.forEach((value, c) => {
      const cell = line.insertCell();
      const share = value === null ? 0 : value / Math.max(most, 1e-9);
      cell.textContent = value === null ? "" : value;
      cell.className = value === null ? "none" : share > 0.55 ? "dark" : "";
      if (value !== null) cell.style.background = `hsl(210 15% ${Math.round(8 + 84 * share)}%)`;
      if (now && r >= now[0] && r <= now[1] && c >= now[2] && c <= now[3]) cell.classList.add("now");
    });
  });
  table.replaceChildren(body);
}

// What this step does, or what came of all of them.
export function wordsOf({ way, input, step: number }, step, before, steps) {
  if (!step) return "Nothing has been done yet. Press Play, or move the slider.";
  if (number < steps) {
    const [top, , left] = step.read;
    if (way === "pool") return "The largest of these four numbers is kept. Its place among them is lost.";
    if (way === "repeat") return `The ${before[top][left]} is repeated in a square of four.`;
    return `The ${before[top][left]} is multiplied by the whole kernel, which is all ones here, and placed; where the copies overlap they add up.`;
  }
  if (way === "pool") return "Sixteen numbers have become four: coarser, and less to compute from here on.";
  if (way === "repeat") return "Four times as many places, but no new numbers: a convolution has to make something of them.";
  if (way === "stamp22") return "The copies lie side by side and do not overlap. The kernel here is all ones; a learned one has a weight of its own for each of its four places, which can leave a grid.";
  if (way === "stamp42") return "The stride divides the kernel: inside, each position is written equally often. Only the border is not.";
  return input === "flat"
    ? "The input was flat, and the output is a checkerboard: the stride does not divide the kernel, so that some positions are written more often than their neighbors."
    : "Some positions were written more often than others; choose “all the same” to see the pattern alone.";
}
