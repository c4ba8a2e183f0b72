// One slice, three answers: a word, a box, a label for each pixel; and a glass that shows the pixels.

import { Picture, Pointing, cross } from "../shared/picture.js";
import { SlicePanel } from "../shared/slice_panel.js";
import { count, dice, outline, pixels, windowTable } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";

const FLAIR = 1;
const AROUND = 7; // pixels on either side under the glass
const CELL = 11;
export default (component) => mount(TaskTypes, component);

// Rows and columns from first to last of what is marked; null where nothing is.
export function boxOf(mask, rows, cols) {
  const box = { top: rows, left: cols, bottom: -1, right: -1 };
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const [row, col] = [Math.floor(i / cols), i % cols];
    box.top = Math.min(box.top, row);
    box.bottom = Math.max(box.bottom, row);
    box.left = Math.min(box.left, col);
    box.right = Math.max(box.right, col);
  }
  return box.bottom < 0 ? null : box;
}

// The mask that an answer amounts to, if all that it names were taken for tumor.
export function maskOf(step, truth, rows, cols) {
  if (step === "pixels") return truth;
  const found = new Uint8Array(truth.length);
  const box = boxOf(truth, rows, cols);
  if (!box) return found;
  if (step === "label") return found.fill(1);
  for (let row = box.top; row <= box.bottom; row++) {
    found.fill(1, row * cols + box.left, row * cols + box.right + 1);
  }
  return found;
}

class TaskTypes extends SlicePanel {
  static figure = "task-types";

  constructor(parent) {
    super(parent);
    this.radios("[type=radio]", (step) => this.go(step));
    this.picture = new Picture(this.find(".frame"), ["truth", "box", "cursor"]);
    this.pointing = new Pointing(this.picture, {
      over: (cell) => this.look(cell), down: (cell) => this.look(cell), drag: (cell) => this.look(cell),
    });
  }

  take(meta, channels, [, truth = new Uint8Array(meta.rows * meta.cols)]) {
    const { rows, cols } = meta;
    this.step ??= meta.step;
    Object.assign(this, { meta, rows, cols, channels, truth, box: boxOf(truth, rows, cols) });
    this.picture.set(rows, cols, channels, FLAIR, meta.window);
    const { top = rows >> 1, bottom = top, left = cols >> 1, right = left } = this.box ?? {};
    this.pointing.at = [(top + bottom) >> 1, left];
    this.show();
    this.look([(top + bottom) >> 1, (this.box ? left : right)]);
  }

  // A task about the box is about its corners.
  adopt({ step }) {
    this.go(step);
    if (step === "box" && this.box) this.look(this.pointing.at = [this.box.top, this.box.left]);
  }

  go(step) {
    this.step = step;
    this.show();
    this.commit();
  }

  view() {
    return { step: this.step };
  }

  show() {
    const { step, rows, cols, truth, box, picture } = this;
    this.select("[type=radio]", step);
    const mask = maskOf(step, truth, rows, cols);
    const counts = count(mask, truth);
    picture.fill(step === "label" ? null : mask, { 1: [[92, 200, 255, step === "box" ? 40 : 110]] });
    picture.line("truth", step === "pixels" ? outline(truth, rows, cols) : "");
    picture.line("box", step === "box" && box ? outline(mask, rows, cols) : "");
    const marked = pixels(truth);
    const words = !this.meta.hasTruth ? "No true mask came with this slice, so there is nothing to box or to label here." : {
      label: box ? "“There is a tumor in this slice.” One word for the whole picture: true, but where?"
        : "“There is no tumor in this slice.” One word for the whole picture, and nothing to box or to mark: choose another patient.",
      box: box ? `“It lies in rows ${box.top} to ${box.bottom}, columns ${box.left} to ${box.right}.” ` +
        "Four numbers: near it, but the corners are not tumor." : "There is no tumor in this slice, so there is no box. Choose another patient.",
      pixels: `“These ${marked.toLocaleString("en-US")} pixels are tumor, the others are not.” ` +
        "One answer for each pixel: that is segmentation.",
    }[step];
    const score = dice(counts);
    const numbers = {
      answers: { label: 1, box: 4, pixels: rows * cols }[step].toLocaleString("en-US"),
      extra: counts.fp.toLocaleString("en-US"),
      dice: score === null ? "undefined" : score.toFixed(3),
    };
    if (!this.meta.hasTruth) Object.assign(numbers, { extra: "–", dice: "–" });
    this.find("[data-say=answer]").textContent = words;
    this.write(numbers);
    picture.say(`FLAIR of ${this.meta.name}. ${words}`);
    picture.stage.dataset.step = step;
    if (this.seen) this.look(this.seen); // what the glass shows follows from the question
  }

  // Show the pixels about a cell, each as a square, and say what is known of it.
  look([row, col]) {
    const { rows, cols, channels, truth } = this;
    if (!channels) return;
    this.picture.line("cursor", cross([row, col], AROUND));
    const shades = windowTable(0, 100, this.meta.window);
    const context = this.find(".loupe canvas").getContext("2d");
    context.fillStyle = "#06080b";
    context.fillRect(0, 0, 165, 165);
    for (let down = -AROUND; down <= AROUND; down++) {
      for (let right = -AROUND; right <= AROUND; right++) {
        const [r, c] = [row + down, col + right];
        if (r < 0 || c < 0 || r >= rows || c >= cols) continue;
        const gray = shades[channels[FLAIR][r * cols + c]];
        const [x, y] = [(right + AROUND) * CELL, (down + AROUND) * CELL];
        context.fillStyle = `rgb(${gray} ${gray} ${gray})`;
        context.fillRect(x, y, CELL, CELL);
        if (this.step === "pixels" && truth[r * cols + c]) {
          context.fillStyle = "#5cc8ff66";
          context.fillRect(x, y, CELL - 1, CELL - 1);
        }
      }
    }
    context.strokeStyle = "#fff";
    context.lineWidth = 2;
    context.strokeRect(AROUND * CELL, AROUND * CELL, CELL, CELL);
    const at = row * cols + col;
    const label = this.step === "pixels" ? ` Its label: ${truth[at] ? "tumor" : "not tumor"}.` : "";
    this.find("[data-say=pixel]").textContent =
      `Row ${row}, column ${col}: brightness ${channels[FLAIR][at]} of 255.${label}`;
    this.seen = [row, col];
  }
}
