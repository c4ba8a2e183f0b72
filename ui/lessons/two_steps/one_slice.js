// One slice asked twice: is there a tumor, and, where the first answer is yes, where?

import { binarize, count, dice, heatColor, outline, paintMap, percent, pixels, unpack } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";
import { Picture } from "../shared/picture.js";
import { SlicePanel } from "../shared/slice_panel.js";

const FLAIR = 1;

export default (component) => mount(OneSlice, component);

class OneSlice extends SlicePanel {
  static figure = "two-steps";

  constructor(parent) {
    super(parent);
    this.picture = new Picture(this.find(".frame"), ["truth", "prediction"]);
    Object.assign(this.state, { heat: false, truth: false });
    this.bind(["threshold"]);
    this.bind(["heat", "truth"], ({ checked }) => checked);
  }

  // Python is told of nothing: all answers are here.
  commit() {}

  async load(meta, part) {
    const heat = part("heat") ? unpack(part("heat"), 1, meta.rows, meta.cols) : [];
    return [...(await super.load(meta, part)), await heat];
  }

  take(meta, channels, [probabilityMap, truth], [heat]) {
    const { rows, cols } = meta;
    Object.assign(this, { meta, rows, cols, heat, probabilityMap: meta.hasProbabilityMap ? probabilityMap : null, truth: meta.hasTruth ? truth : null });
    this.state.threshold ??= meta.stored;
    this.picture.set(rows, cols, channels, FLAIR, meta.window);
    this.redraw();
  }

  show() {
    if (!this.meta) return;
    const { meta, state, rows, cols, probabilityMap, truth, picture } = this;
    const { probability, stored } = meta;
    const yes = probability !== null && probability >= state.threshold;
    const mask = yes && probabilityMap ? binarize(probabilityMap, rows, cols, meta.threshold, meta.minPixels) : null;
    const context = picture.context("mask");
    const image = context.createImageData(cols, rows);
    if (state.heat && this.heat) paintMap(this.heat, image.data, heatColor);
    context.putImageData(image, 0, 0);
    picture.line("prediction", mask ? outline(mask, rows, cols) : "");
    picture.line("truth", truth && state.truth ? outline(truth, rows, cols) : "");
    this.slide("threshold", state.threshold.toFixed(2) + (state.threshold === stored ? ", default" : ""));
    this.find("[name=heat]").checked = state.heat;
    this.find("[name=heat]").disabled = !this.heat;
    this.find("[name=truth]").checked = state.truth;
    this.find("[name=truth]").disabled = !truth;
    this.find(".meter").style.setProperty("--probability", `${100 * (probability ?? 0)}%`);
    this.find(".meter").style.setProperty("--limit", `${100 * state.threshold}%`);
    const share = probability === null ? "" : percent(probability);
    const there = truth?.some(Boolean);
    const error = !truth || yes === Boolean(there) ? "" : yes ? " A false alarm: there is none." : " A miss: there is one.";
    this.find("[data-say=verdict]").textContent = probability === null ? meta.message
      : `The classifier gives ${share}: ${yes ? "yes" : "no"}.${error}`;
    const score = mask && truth ? dice(count(mask, truth)) : null;
    this.find("[data-say=mask]").textContent = probability === null ? ""
      : !yes ? "Not run: the first step said no."
        : `${pixels(mask).toLocaleString("en-US")} pixels are marked${score === null ? "" : `, Dice ${score.toFixed(3)}`}.`;
    picture.say(`FLAIR of ${meta.name}. ${this.find("[data-say=verdict]").textContent} ${this.find("[data-say=mask]").textContent}`);
    Object.assign(picture.stage.dataset, { asked: String(yes), heat: String(Boolean(state.heat && this.heat)) });
  }
}
