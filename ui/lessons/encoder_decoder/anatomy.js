// The U as a picture of its own maps. All maps are here already: a click waits for nobody.

import { element, large, middleOf } from "../shared/figures.js";
import { Picture, Pointing, cross } from "../shared/picture.js";
import { SlicePanel } from "../shared/slice_panel.js";
import { mapColor, outline, paint, paintMap, unpack, windowTable } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";

const FLAIR = 1;
const TITLES = { bottleneck: "Bottom", logits: "Answer" };
export default (component) => mount(Anatomy, component);

export function blockTitle(name) {
  const [, way, level] = name.match(/^(enc|dec)(\d)$/) ?? [];
  return way ? `${way === "enc" ? "Down" : "Up"} ${level}` : TITLES[name];
}

// Row and column of a block in the grid of the U; the answer stands beside the last block.
export function cellOf(name) {
  const [, way, level] = name.match(/^(enc|dec)(\d)$/) ?? [];
  if (way) return [+level, way === "enc" ? +level : 10 - level];
  return name === "bottleneck" ? [5, 5] : [1, 10];
}

class Anatomy extends SlicePanel {
  static figure = "anatomy";

  adopt({ block }) {
    this.map = null;
    this.open(block);
    this.commit();
  }

  constructor(parent) {
    super(parent);
    this.picture = new Picture(this.find(".frame"), ["truth", "window", "cursor"]);
    const follow = (cell) => {
      this.at = cell;
      this.follow();
    };
    this.pointing = new Pointing(this.picture, {
      down: follow, drag: follow, steer: (cell) => { follow(cell); this.settle(); }, up: () => this.commit(),
    });
    this.find("[name=measure]").onclick = () => {
      this.find("[data-say=sight]").textContent = "Measuring …";
      const measured = this.sight && this.sight.row === this.at[0] && this.sight.col === this.at[1];
      if (measured) this.heed({ detail: this.sight });
      else this.send("measure", { row: this.at[0], col: this.at[1] });
    };
    this.heard = (event) => this.heed(event);
    window.addEventListener("lesson-sight", this.heard);
  }

  close() {
    super.close();
    window.removeEventListener("lesson-sight", this.heard);
    clearTimeout(this.settling);
  }

  // A measurement has come, perhaps before the maps have.
  heed({ detail }) {
    this.sight = detail;
    if (detail.slice !== this.version || !this.maps) return;
    this.map = "sight";
    this.follow();
  }

  load({ size, blocks, hasTruth }, part) {
    return Promise.all([
      unpack(part("image"), 3, size, size),
      Promise.all(blocks.map(({ part: name, rows, chosen }) => unpack(part(name), chosen.length, rows, rows))),
      hasTruth ? unpack(part("truth"), 1, size, size) : [null],
    ]);
  }

  take(meta, channels, maps, [truth]) {
    const { size } = meta;
    Object.assign(this, { meta, maps, truth });
    this.picture.set(size, size, channels, FLAIR, meta.window);
    if (!this.block) {
      const { block, row, col } = meta.start;
      this.block = block;
      this.at = row >= 0 && col >= 0 ? [row, col] : null;
    }
    this.at = (!this.begun && this.at) || middleOf(this.truth, size, size);
    this.begun = true;
    this.map = this.sight?.slice === meta.version ? "sight" : null;
    this.pointing.at = this.at;
    this.picture.line("truth", this.truth ? outline(this.truth, size, size) : "");
    this.build();
    this.open(this.block);
  }

  build() {
    const { meta } = this;
    const cells = meta.blocks.map((block, number) => {
      const [row, column] = cellOf(block.name);
      const button = document.createElement("button");
      button.type = "button";
      button.style.gridArea = `${row} / ${column}`;
      button.dataset.block = block.name;
      // Where the slice goes next: down from each block on the way down, up from the bottom and the others.
      button.className = block.name.startsWith("enc") ? "down" : ["dec1", "logits"].includes(block.name) ? "" : "up";
      button.innerHTML = '<canvas></canvas><span class="title"></span><span class="shape"></span>';
      button.querySelector(".title").textContent = blockTitle(block.name);
      button.querySelector(".shape").textContent = `${block.rows}² × ${block.channels}`;
      paintMapOn(button.querySelector("canvas"), this.maps[number][0], block.rows);
      button.onclick = () => {
        this.map = null;
        this.open(block.name);
        this.commit();
      };
      return button;
    });
    const skips = meta.blocks.filter(({ name }) => name.startsWith("enc")).map(({ name }) => {
      const level = +name[3];
      const line = document.createElement("div");
      line.className = "skip";
      line.style.gridArea = `${level} / ${level + 1} / auto / ${10 - level}`;
      line.textContent = `skip ${level}`;
      return line;
    });
    this.find(".u").replaceChildren(...cells, ...skips);
  }

  open(name) {
    this.block = name;
    const number = this.meta.blocks.findIndex((block) => block.name === name);
    const block = this.meta.blocks[number];
    for (const button of this.find(".u").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", button.dataset.block === name);
    }
    const [, way] = name.match(/^(enc|dec)/) ?? [];
    const lead = { enc: "on the way down", dec: "on the way up" }[way]
      ?? { bottleneck: "the widest view, the coarsest maps", logits: "one number a pixel" }[name];
    this.find("[data-say=title]").textContent = `${blockTitle(name)}: ${lead}`;
    const numbers = {
      shape: `${block.rows} × ${block.rows} × ${block.channels}`, sees: `${block.sees} × ${block.sees} px`,
      parameters: large(block.parameters), work: large(block.work),
    };
    this.write(numbers);
    this.find(".steps").replaceChildren(...block.steps.map((words) => element("li", words)));
    const shown = block.chosen.length;
    const peaks = this.truth ? peaksWithin(this.maps[number], block.rows, this.truth, this.meta.size) : null;
    const where = peaks === null ? "" : block.channels === 1
      ? ` It is brightest ${peaks ? "inside" : "outside"} the tumor.`
      : ` ${peaks} of the ${shown} are brightest inside the tumor.`;
    this.find("[data-say=maps]").textContent = block.channels === 1
      ? `Its map on this slice; click it to lay it over the slice.${where}`
      : `${shown} of its ${block.channels} feature maps on this slice, those that vary most; click one to lay it over the slice.${where}`;
    this.find(".maps").replaceChildren(...block.chosen.map((channel, index) => {
      const button = document.createElement("button");
      button.type = "button";
      const label = `Map ${channel + 1}: from ${block.low[index]} to ${block.high[index]}`;
      button.setAttribute("aria-label", label);
      button.title = label;
      const canvas = document.createElement("canvas");
      button.append(canvas);
      paintMapOn(canvas, this.maps[number][index], block.rows);
      button.onclick = () => {
        this.map = this.map === index ? null : index;
        this.follow();
      };
      return button;
    }));
    this.follow();
  }

  // The window of the unit that lies over the pixel, and the chosen map over the slice.
  follow() {
    const { meta, at, picture, map } = this;
    const number = meta.blocks.findIndex((block) => block.name === this.block);
    const block = meta.blocks[number];
    const unit = at.map((value) => Math.floor((value * block.rows) / meta.size));
    const [[top, bottom], [left, right]] = unit.map((each) => meta.windows[block.name][each]);
    // A little further in, so that a square as large as the slice is seen, too.
    picture.line("window", `M${left + 0.4} ${top + 0.4}H${right + 0.6}V${bottom + 0.6}H${left + 0.4}Z`);
    picture.line("cursor", cross(at, 4));
    const { sight } = this;
    const over = map === "sight" ? sight.heatmap : map === null ? null : enlarge(this.maps[number][map], block.rows, meta.size);
    const context = picture.context("mask");
    const image = context.createImageData(meta.size, meta.size);
    if (over) paintMap(over, image.data, mapColor);
    context.putImageData(image, 0, 0);
    this.find(".maps").querySelectorAll("button").forEach((button, index) => button.setAttribute("aria-pressed", index === map));
    const seen = `rows ${top} to ${bottom}, columns ${left} to ${right}`;
    const measured = sight && map === "sight"
      ? `Measured for the pixel in row ${sight.row}, column ${sight.col} of the answer: the gradient is not zero in rows ${sight.rows[0]} to ${sight.rows[1]}, columns ${sight.cols[0]} to ${sight.cols[1]}. Bright is where a change would move the answer most.`
      : `The unit of ${blockTitle(block.name)} over this pixel can see ${seen}.`;
    this.find("[data-say=sight]").textContent = measured;
    picture.say(`FLAIR of ${meta.name}, ${meta.size} by ${meta.size}. Pixel in row ${at[0]}, column ${at[1]}. ${measured}`);
    Object.assign(picture.stage.dataset, { block: block.name, window: [top, bottom, left, right].join("-"), map: map ?? "none" });
  }

  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.commit(), 350);
  }

  view() {
    return { block: this.block, row: this.at[0], col: this.at[1] };
  }
}

// Of maps, how many have their brightest place in a square that holds some of the truth.
export function peaksWithin(maps, rows, truth, size) {
  const share = size / rows;
  const inside = new Uint8Array(rows * rows);
  truth.forEach((set, i) => {
    if (set) inside[Math.floor(Math.floor(i / size) / share) * rows + Math.floor((i % size) / share)] = 1;
  });
  return maps.filter((levels) => inside[levels.indexOf(levels.reduce((most, level) => Math.max(most, level), 0))]).length;
}

function paintMapOn(canvas, levels, size) {
  Object.assign(canvas, { width: size, height: size });
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  paint([levels], 0, windowTable(0, 100), image.data);
  context.putImageData(image, 0, 0);
}

// Each unit as the square of pixels that it lies over.
export function enlarge(levels, rows, size) {
  const found = new Uint8Array(size * size);
  const share = rows / size;
  for (let row = 0; row < size; row++) {
    for (let col = 0; col < size; col++) {
      found[row * size + col] = levels[Math.floor(row * share) * rows + Math.floor(col * share)];
    }
  }
  return found;
}
