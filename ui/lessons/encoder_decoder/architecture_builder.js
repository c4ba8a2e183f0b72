// A network on paper: the hand sets depth and width, the figures come from btmodels/teaching/receptive_field.py.

import { inflateJson, large, megabytes, middleOf, svg } from "../shared/figures.js";
import { Picture, Pointing, cross } from "../shared/picture.js";
import { unpack } from "../../viewer/masks.js";
import { readMessage } from "../../viewer/message.js";
import { mount, Panel } from "../../viewer/panel.js";

const FLAIR = 1;
const UNSEEN = [30, 50, 110, 165];
const NAMES = { bottleneck: "Bottom", logits: "Answer" };
export default (component) => mount(ArchitectureBuilder, component);

// A stage as Python sends it, with the memory of its maps.
export function stageOf([name, size, channels, sees, parameters, work, values], bytes) {
  return { name, size, channels, sees, parameters, work, memory: values * bytes };
}

export function titleOf(name) {
  const [, kind, level] = name.match(/^(enc|dec|level)(\d+)$/) ?? [];
  return { enc: `Down ${level}`, dec: `Up ${level}`, level: `Level ${level}` }[kind] ?? NAMES[name];
}

class ArchitectureBuilder extends Panel {
  static figure = "builder";

  constructor(parent) {
    super(parent);
    this.radios(".kind input", (kind) => this.set({ kind }), () => this.commit());
    for (const name of ["levels", "filters", "kernel", "convs"]) {
      const input = this.find(`[name=${name}]`);
      input.oninput = () => this.set({ [name]: this.meta.options[name][+input.value] });
      input.onchange = () => this.commit();
    }
    this.picture = new Picture(this.find(".frame"), ["sees", "cursor"]);
    const look = (cell) => {
      this.at = cell;
      this.mark();
    };
    this.pointing = new Pointing(this.picture, { down: look, drag: look, steer: look });
  }

  async receive(data, send) {
    this.send = send;
    const whole = readMessage(data);
    const { meta, part } = readMessage(whole.part("slice"));
    if (this.version === meta.version) return;
    this.version = meta.version;
    const { rows, cols } = meta;
    const [channels, maps, designs] = await Promise.all([
      unpack(part("image"), 3, rows, cols),
      part("maps") ? unpack(part("maps"), 3, rows, cols) : [],
      this.designs ?? inflateJson(whole.part("designs")),
    ]);
    if (this.version !== meta.version) return;
    if (!this.meta) Object.assign(this.state, meta.start);
    Object.assign(this, { meta, rows, cols, designs });
    this.picture.set(rows, cols, channels, FLAIR, meta.window);
    this.at ??= middleOf(meta.hasTruth ? maps[1] : null, rows, cols);
    this.pointing.at = this.at;
    for (const [name, options] of Object.entries(meta.options)) {
      Object.assign(this.find(`[name=${name}]`), { min: 0, max: options.length - 1 });
    }
    this.show();
  }

  stages(kind = this.state.kind) {
    const { levels, filters, kernel, convs } = this.state;
    const found = this.designs[`${kind}-${levels}-${filters}-${kernel}-${convs}`];
    return found.map((stage) => stageOf(stage, this.meta.bytes));
  }

  show() {
    const { state, meta } = this;
    this.select(".kind input", state.kind);
    for (const [name, options] of Object.entries(meta.options)) {
      const said = name === "kernel" ? `${state[name]} × ${state[name]}` : String(state[name]);
      this.slide(name, said, options.indexOf(state[name]));
    }
    const stages = this.stages();
    const total = (key, of = stages) => of.reduce((sum, stage) => sum + stage[key], 0);
    const sees = stages.at(-1).sees;
    const numbers = {
      sees: `${sees} × ${sees} px`, parameters: large(total("parameters")),
      work: large(total("work")), memory: megabytes(total("memory")),
    };
    this.write(numbers);
    const other = this.stages(state.kind === "u" ? "chain" : "u");
    this.find("[data-say=versus]").textContent = versus(state.kind, stages, other, total);
    this.mark();
    this.draw(stages);
    this.list(stages);
    this.find(".frame .stage").dataset.design = Object.values(state).join("-");
  }

  // The square that the middle pixel depends on, on the slice as the network gets it.
  mark() {
    const { rows, cols, at, meta } = this;
    const stages = this.stages();
    const reach = (stages.at(-1).sees * Math.max(rows, cols)) / meta.size / 2;
    const within = (value, size) => Math.max(0, Math.min(size, Math.round(value)));
    const [row, col] = [at[0] + 0.5, at[1] + 0.5];
    const [top, bottom] = [within(row - reach, rows), within(row + reach, rows)];
    const [left, right] = [within(col - reach, cols), within(col + reach, cols)];
    const out = new Uint8Array(rows * cols).fill(1);
    for (let each = top; each < bottom; each++) out.fill(0, each * cols + left, each * cols + right);
    this.picture.fill(out, { 1: [UNSEEN] });
    // Half a line further in, so that a square as large as the slice is seen, too.
    this.picture.line("sees", `M${left + 1} ${top + 1}H${right - 1}V${bottom - 1}H${left + 1}Z`);
    this.picture.line("cursor", cross(at));
    this.picture.say(`FLAIR of ${meta.name}. The pixel in row ${at[0]}, column ${at[1]} is judged from ` +
      `${stages.at(-1).sees} by ${stages.at(-1).sees} of ${meta.size} by ${meta.size} pixels.`);
  }

  // Height is resolution, width channels, both in doublings.
  draw(stages) {
    const shape = this.find(".shape");
    const body = stages.filter(({ name }) => name !== "logits");
    const most = Math.log2(this.meta.size);
    const boxes = body.map((stage) => ({
      ...stage, height: 22 * (Math.log2(stage.size) - most + 7.5), width: 5 + 5 * Math.log2(stage.channels),
    }));
    let x = 10;
    for (const box of boxes) {
      box.x = x;
      x += Math.max(box.width, 46) + 14;
    }
    const [width, height] = [x, 22 * 7.5 + 34];
    shape.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const middle = 22 * 7.5 / 2;
    const drawn = boxes.flatMap((box) => {
      const center = box.x + Math.max(box.width, 46) / 2;
      return [
        svg("rect", {
          x: center - box.width / 2, y: middle - box.height / 2, width: box.width, height: box.height, rx: 2,
          class: box.name.startsWith("dec") ? "up" : "down",
        }),
        svg("text", { x: center, y: 22 * 7.5 + 14 }, titleOf(box.name)),
        svg("text", { x: center, y: 22 * 7.5 + 28 }, `${box.size}² × ${box.channels}`),
      ];
    });
    shape.replaceChildren(...drawn);
    shape.setAttribute("aria-label", boxes.map((box) => `${titleOf(box.name)}: ${box.size} by ${box.size}, ${box.channels} channels`).join("; "));
  }

  list(stages) {
    const most = (key) => Math.max(...stages.map((stage) => stage[key]));
    const largest = { parameters: most("parameters"), work: most("work"), memory: most("memory") };
    this.find("tbody").replaceChildren(...stages.map((stage) => {
      const row = document.createElement("tr");
      const cell = (text, share) => {
        const element = row.insertCell();
        element.textContent = text;
        if (share !== undefined) {
          element.className = "bar";
          element.style.setProperty("--share", `${100 * share}%`);
        }
      };
      cell(titleOf(stage.name));
      cell(`${stage.size} × ${stage.size}`);
      cell(stage.channels);
      cell(`${stage.sees} × ${stage.sees}`);
      cell(large(stage.parameters), stage.parameters / largest.parameters);
      cell(large(stage.work), stage.work / largest.work);
      cell(megabytes(stage.memory), stage.memory / largest.memory);
      return row;
    }));
  }
}

// The same convolutions the other way, in a sentence.
function versus(kind, stages, other, total) {
  if (stages.length === 2) return "With a single level there is nothing to pool: both ways are the same network.";
  const work = total("work") / total("work", other);
  const seen = [stages.at(-1).sees, other.at(-1).sees];
  const times = (ratio) => (ratio >= 10 ? Math.round(ratio) : ratio.toFixed(1));
  return kind === "u"
    ? `The same convolutions all at full resolution would take ${times(1 / work)} times as many multiply-adds, and a pixel would see ${seen[1]} instead of ${seen[0]} pixels across.`
    : `With pooling in between, the same convolutions take 1/${times(work)} of these multiply-adds, and a pixel sees ${seen[1]} instead of ${seen[0]} pixels across.`;
}
