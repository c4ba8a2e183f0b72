// A threshold for the classifier on recorded slices, and what is left of the segmenter's masks behind it.

import { mount, Panel } from "../../viewer/panel.js";
import { inflateJson, svg } from "../shared/figures.js";
import { readMessage } from "../../viewer/message.js";

const SIZE = 300;
const EDGE = 34; // for the axes

export default (component) => mount(Cascade, component);

// Slices are [patient, probability, tp, fp, fn, tn], the counts those of the segmenter alone. Where the
// classifier says no, nothing is marked: what was found is missed, what was marked wrongly is right.
export function outcome(slices, threshold) {
  const counts = { found: 0, missed: 0, alarms: 0, left: 0 };
  const result = { segmented: 0, false: 0, tp: 0, tumor: 0 };
  const patients = new Map();
  for (const [patient, probability, tp, fp, fn] of slices) {
    const tumor = tp + fn > 0;
    const yes = probability >= threshold;
    counts[tumor ? (yes ? "found" : "missed") : yes ? "alarms" : "left"]++;
    const [kept, wrong, lost] = yes ? [tp, fp, fn] : [0, 0, fn + tp];
    result.segmented += yes ? 1 : 0;
    result.false += !tumor && wrong ? 1 : 0;
    result.tp += kept;
    result.tumor += tp + fn;
    const sum = patients.get(patient) ?? [0, 0, 0];
    patients.set(patient, [sum[0] + kept, sum[1] + wrong, sum[2] + lost]);
  }
  const dices = [...patients.values()].filter(([t, p, n]) => t + p + n).map(([t, p, n]) => (2 * t) / (2 * t + p + n));
  return { ...counts, ...result, dice: dices.length ? dices.reduce((a, b) => a + b, 0) / dices.length : null };
}

// Points of the curve, from threshold above 1 to 0: [share of false alarms, share found].
export function rocPoints(slices) {
  const sorted = slices.map(([, probability, tp, , fn]) => [probability, tp + fn > 0]).sort((a, b) => b[0] - a[0]);
  const tumors = sorted.filter(([, tumor]) => tumor).length;
  const points = [[0, 0]];
  let [found, alarms] = [0, 0];
  sorted.forEach(([probability, tumor], i) => {
    if (tumor) found++;
    else alarms++;
    if (sorted[i + 1]?.[0] !== probability) points.push([alarms / (sorted.length - tumors), found / tumors]);
  });
  return points;
}

class Cascade extends Panel {
  static figure = "cascade";

  constructor(parent) {
    super(parent);
    this.bind(["threshold"]);
    this.find("[name=stored]").onclick = () => this.set({ threshold: this.meta.stored });
  }

  // Python is told of nothing: all slices are here.
  commit() {}

  adopt({ threshold }) {
    super.adopt({ threshold: threshold === "stored" ? this.meta.stored : threshold });
  }

  async receive(data) {
    const { meta, part } = readMessage(data);
    if (this.meta?.version === meta.version) return;
    this.slices = await inflateJson(part("slices"));
    this.meta = meta;
    this.state.threshold = meta.stored;
    this.points = rocPoints(this.slices);
    this.alone = outcome(this.slices, 0);
    this.redraw();
  }

  show() {
    const { state, meta, slices, alone } = this;
    const made = outcome(slices, state.threshold);
    this.slide("threshold", state.threshold.toFixed(2) + (state.threshold === meta.stored ? ", default" : ""));
    const share = (part, whole) => `${part.toLocaleString("en-US")} of ${whole.toLocaleString("en-US")}`;
    const tumor = made.found + made.missed;
    const others = made.alarms + made.left;
    this.write({
      found: share(made.found, tumor), missed: share(made.missed, tumor),
      alarms: share(made.alarms, others), left: share(made.left, others),
      segmentedAlone: alone.segmented.toLocaleString("en-US"),
      segmented: `${made.segmented.toLocaleString("en-US")} (${Math.round((100 * made.segmented) / slices.length)}%)`,
      diceAlone: alone.dice.toFixed(3), dice: made.dice === null ? "–" : made.dice.toFixed(3),
      falseAlone: alone.false, false: made.false,
      pixelsAlone: `${((100 * alone.tp) / alone.tumor).toFixed(1)}%`, pixels: `${((100 * made.tp) / made.tumor).toFixed(1)}%`,
    });
    this.draw(made.alarms / others, made.found / tumor);
    this.say(`Threshold ${state.threshold.toFixed(2)}: ${made.found} of ${tumor} tumor slices found, ${made.alarms} false alarms, mean Dice ${made.dice?.toFixed(3)}.`);
    this.find(".lesson").dataset.threshold = state.threshold;
  }

  draw(alarms, found) {
    const x = (share) => EDGE + share * (SIZE - EDGE - 8);
    const y = (share) => SIZE - EDGE - share * (SIZE - EDGE - 8);
    const chart = this.find(".roc");
    const drawn = [0, 0.5, 1].flatMap((share) => [
      svg("path", { class: "axis", d: `M${x(share)} ${y(0)}V${y(1)}M${x(0)} ${y(share)}H${x(1)}` }),
      svg("text", { x: x(share), y: SIZE - 18, "text-anchor": "middle" }, String(share)),
      svg("text", { x: EDGE - 5, y: y(share) + 4, "text-anchor": "end" }, String(share)),
    ]);
    drawn.push(
      svg("path", { class: "coin", d: `M${x(0)} ${y(0)}L${x(1)} ${y(1)}` }),
      svg("path", { class: "curve", d: this.points.map(([a, f], i) => `${i ? "L" : "M"}${x(a)} ${y(f)}`).join("") }),
      svg("circle", { cx: x(alarms), cy: y(found), r: 6 }),
      svg("text", { x: (SIZE + EDGE) / 2, y: SIZE - 3, "text-anchor": "middle" }, "false alarms, share of slices without tumor"),
      svg("text", { x: -SIZE / 2, y: 9, "text-anchor": "middle", transform: "rotate(-90)" }, "tumor slices found (sensitivity)"),
    );
    chart.replaceChildren(...drawn);
    chart.setAttribute("aria-label",
      `ROC curve. At this threshold ${(100 * found).toFixed(1)}% of the tumor slices are found with ${(100 * alarms).toFixed(1)}% false alarms. Area under the curve ${this.meta.auc.toFixed(3)}.`);
  }
}
