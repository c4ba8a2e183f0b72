// A mask against the truth: what becomes of each pixel, and the scores that are made of it.

import { OUTCOME_COLORS, outcomes } from "../shared/confusion.js";
import { hausdorff95 } from "../shared/distance.js";
import { Picture } from "../shared/picture.js";
import { SlicePanel } from "../shared/slice_panel.js";
import { binarize, count, outline } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";

const FLAIR = 1;
const POINTS = 51; // of a curve
const FORMULAS = {
  dice: ["2 TP", "2 TP + FP + FN", ({ tp }) => 2 * tp, ({ tp, fp, fn }) => 2 * tp + fp + fn,
    "Overlap of the two masks. True negatives do not count."],
  iou: ["TP", "TP + FP + FN", ({ tp }) => tp, ({ tp, fp, fn }) => tp + fp + fn,
    "Intersection over union, or Jaccard index: at most as large as Dice, and it ranks masks in the same order."],
  precision: ["TP", "TP + FP", ({ tp }) => tp, ({ tp, fp }) => tp + fp,
    "Of what is marked, this share is tumor. A cautious mask scores high."],
  recall: ["TP", "TP + FN", ({ tp }) => tp, ({ tp, fn }) => tp + fn,
    "Of the tumor, this share is found. Marking everything scores 1."],
  accuracy: ["TP + TN", "all pixels", ({ tp, tn }) => tp + tn, ({ tp, fp, fn, tn }) => tp + fp + fn + tn,
    "Of all pixels, this share is right. Most of them are black corners and brain that nobody would mark."],
};
const NAMES = { dice: "Dice", iou: "IoU", precision: "Precision", recall: "Recall", accuracy: "Accuracy" };
export default (component) => mount(Measure, component);

// Scores of a mask on its four counts, as btmodels/metrics/overlap.py; null where undefined.
export function scores(counts) {
  const ratio = ([, , above, below]) => (below(counts) ? above(counts) / below(counts) : null);
  return Object.fromEntries(Object.entries(FORMULAS).map(([name, formula]) => [name, ratio(formula)]));
}

// The truth and, on the far side of the slice, a square of about a twenty-fifth of its pixels.
export function withSpeck(truth, rows, cols) {
  const mask = Uint8Array.from(truth);
  let [marked, down, right] = [0, 0, 0];
  for (let i = 0; i < truth.length; i++) {
    if (!truth[i]) continue;
    marked++;
    down += Math.floor(i / cols);
    right += i % cols;
  }
  const side = Math.max(2, Math.round(Math.sqrt(marked) / 5));
  const far = (sum, size) => (sum / marked < size / 2 ? (size * 3) >> 2 : size >> 2);
  const [top, left] = [far(down, rows), far(right, cols)];
  for (let row = top; marked && row < top + side; row++) mask.fill(1, row * cols + left, row * cols + left + side);
  return mask;
}

class Measure extends SlicePanel {
  static figure = "measure";

  constructor(parent) {
    super(parent);
    this.picture = new Picture(this.find(".frame"), ["prediction", "truth"]);
    this.radios(".mask input", (mask) => this.set({ mask }));
    this.radios(".scores input", (score) => this.set({ score }));
    this.find("[name=threshold]").oninput = ({ target }) => this.set({ threshold: +target.value, mask: "network" });
    this.find("[name=stored]").onclick = () => {
      this.set({ threshold: this.meta.threshold, mask: "network" });
      this.commit();
    };
    this.all("input").forEach((input) => (input.onchange = () => this.commit()));
  }

  take(meta, channels, maps) {
    const { rows, cols } = meta;
    if (this.meta?.slice !== meta.slice) Object.assign(this.state, meta.start);
    Object.assign(this, { meta, rows, cols });
    this.probabilityMap = meta.hasProbabilityMap ? maps[0] : null;
    this.truth = meta.hasTruth ? maps[1] : null;
    this.picture.set(rows, cols, channels, FLAIR, meta.window);
    this.curve = null;
    this.show();
  }

  commit() {
    if (!this.meta) return;
    this.show();
    super.commit();
    this.say(this.find("[data-say=formula]").textContent);
  }

  maskAt(threshold) {
    // The rule of this lesson: each pixel that reaches the threshold is marked, and each reaches 0.
    if (!threshold) return new Uint8Array(this.rows * this.cols).fill(1);
    return binarize(this.probabilityMap, this.rows, this.cols, threshold, this.meta.minPixels);
  }

  show() {
    if (!this.meta) return;
    const { state, truth, probabilityMap, meta, picture, rows, cols } = this;
    const { mask: which, score, threshold } = state;
    const mask = which === "network" ? probabilityMap && this.maskAt(threshold)
      : which === "speck" ? truth && withSpeck(truth, rows, cols)
      : new Uint8Array(rows * cols).fill(which === "everything" ? 1 : 0);
    picture.fill(mask && truth && outcomes(mask, truth), OUTCOME_COLORS);
    picture.line("truth", truth ? outline(truth, rows, cols) : "");
    picture.line("prediction", mask && which !== "everything" ? outline(mask, rows, cols) : "");
    picture.stage.dataset.mask = mask ? "drawn" : "none";
    this.select(".mask input", which);
    this.select(".scores input", score);
    const text = threshold.toFixed(2) + (threshold === meta.threshold ? ", default" : "");
    this.slide("threshold", text).disabled = !probabilityMap;
    this.find("[name=stored]").disabled = !probabilityMap;
    this.tell(mask && truth && count(mask, truth));
    const far = mask && truth ? hausdorff95(mask, truth, rows, cols) : null;
    this.find("[data-number=hd95]").textContent = far === null ? "undefined" : `${(far * meta.step).toFixed(1)} px`;
    this.trace();
  }

  tell(counts) {
    const { state, truth, meta } = this;
    const made = counts && scores(counts);
    const say = (value) => (typeof value === "number" ? value.toFixed(3) : counts ? "undefined" : "–");
    for (const name of Object.keys(FORMULAS)) this.find(`[data-number=${name}]`).textContent = say(made?.[name]);
    for (const name of ["tp", "fp", "fn", "tn"]) {
      this.find(`[data-number=${name}]`).textContent = counts ? counts[name].toLocaleString("en-US") : "–";
    }
    const [above, below, top, bottom, meaning] = FORMULAS[state.score];
    const missing = truth ? meta.message : "No true mask came with this slice, so there is nothing to measure against.";
    const number = (value) => value.toLocaleString("en-US");
    this.find("[data-say=formula]").textContent = counts
      ? `${NAMES[state.score]} = (${above}) / (${below}) = ${number(top(counts))} / ${number(bottom(counts))} = ${say(made[state.score])}`
      : missing;
    const undefinedWhy = counts && made[state.score] === null ? " Nothing stands below the line, so it is undefined: neither 0 nor 1." : "";
    this.find("[data-say=meaning]").textContent = meaning + undefinedWhy;
    const words = counts ? `${number(counts.tp)} found, ${number(counts.fp)} marked wrongly, ${number(counts.fn)} missed` : missing;
    this.picture.say(`FLAIR of ${meta.name}: ${words}.`);
  }

  // The scores at every threshold: the chosen one strong, the others thin.
  trace() {
    const { state, truth, probabilityMap } = this;
    if (!truth || !probabilityMap) return;
    this.curve ??= Array.from({ length: POINTS }, (_, i) => scores(count(this.maskAt(i / (POINTS - 1)), truth)));
    const path = (name) => {
      let pen = "M";
      return this.curve.map((made, i) => {
        if (made[name] === null) {
          pen = "M";
          return "";
        }
        const step = `${pen}${(100 * i) / (POINTS - 1)} ${50 - 50 * made[name]}`;
        pen = "L";
        return step;
      }).join("");
    };
    for (const name of Object.keys(FORMULAS)) {
      const line = this.find(`.curves .${name}`);
      line.setAttribute("d", path(name));
      line.classList.toggle("chosen", name === state.score);
    }
    this.find(".curves .here").setAttribute("d", state.mask === "network" ? `M${100 * state.threshold} 0V50` : "");
  }
}
