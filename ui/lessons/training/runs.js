// The runs of this page and the worker that trains them; they outlive the panel, so that who comes back
// finds them.

export const EPOCHS = 20;
export const LAST = 5; // epochs that a mean is over: one alone jumps
export const MOST = 4; // runs that are kept
export const USUAL = { rate: 0.003, width: 8, depth: 2, skips: true, patients: 6, loss: "bce_dice", seed: 0 };
export const VALUES = {
  rate: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
  width: [2, 4, 8, 16],
  depth: [1, 2, 3],
  patients: [1, 2, 3, 4, 5, 6],
};
const WORDS = {
  rate: (value) => `learning rate ${value}`,
  width: (value) => `${value} channels`,
  depth: (value) => `${value} ${value === 1 ? "level" : "levels"} down`,
  skips: (value) => (value ? "with skips" : "without skips"),
  patients: (value) => `${value} ${value === 1 ? "patient" : "patients"}`,
  loss: (value) => (value === "bce" ? "cross-entropy alone" : "cross-entropy + Dice"),
  seed: (value) => `seed ${value}`,
};
// Pairs that differ in one thing, the first with what is usual.
export const COMPARISONS = {
  skips: { skips: false },
  patients: { patients: 1 },
  rate: { rate: 0.0003 },
  loss: { loss: "bce" },
  width: { width: 2 },
  seed: { seed: 1 },
};

// Mean Dice of the last epochs up to one; NaN before there are enough.
export function meanDice(results, epoch) {
  const last = results.filter((each) => each.epoch > epoch - LAST && each.epoch <= epoch && Number.isFinite(each.dice));
  return last.length < LAST ? NaN : last.reduce((sum, { dice }) => sum + dice, 0) / LAST;
}

// What of a setting is not usual, or what is named.
export function describe(setting, names = Object.keys(USUAL).filter((name) => setting[name] !== USUAL[name])) {
  return names.map((name) => WORDS[name](setting[name])).join(", ") || "usual settings";
}

// `tell` is called after every change; `make` makes the worker.
export class Runs {
  constructor(make) {
    Object.assign(this, { make, list: [], state: "loading", message: "", paused: false, number: 0 });
    this.tell = () => {};
  }

  load(slices) {
    if (this.worker) return;
    this.worker = this.make();
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = () => this.hear({ kind: "failed", message: "its script did not load" });
    this.worker.postMessage({ kind: "load", ...slices });
  }

  hear({ kind, run, ...told }) {
    const each = this.list.find((known) => known.run === run);
    if (kind === "ready") this.state = "ready";
    else if (kind === "failed") Object.assign(this, { state: "failed", message: told.message });
    else if (!each) return; // told of a run that has just been removed
    else if (kind === "step") {
      Object.assign(each, told);
      each.trail.push([each.results.length - 1 + told.step / told.steps, told.loss]);
    } else if (kind === "epoch") {
      each.results.push(told.result);
      Object.assign(each, { slices: told.slices, step: 0 });
    } else if (kind === "done") each.live = false;
    this.tell(kind);
  }

  // A run that was trained before this page was opened, so that there is something to see.
  example({ setting, slices, results }) {
    const run = ++this.number;
    this.list.push({ run, setting, slices, results, name: "an earlier run", color: 0, trail: [], live: false, example: true });
  }

  get live() {
    return this.list.some((each) => each.live);
  }

  start(setting, name = describe(setting)) {
    const run = ++this.number;
    while (this.list.length >= MOST) this.remove(this.list[0].run);
    const colors = this.list.map((each) => each.color);
    const color = [0, 1, 2, 3].find((each) => !colors.includes(each));
    this.list.push({ run, setting: { ...setting }, name, color, results: [], trail: [], live: true, step: 0, steps: 0 });
    this.pause(false);
    this.worker.postMessage({ kind: "start", run, setting, epochs: EPOCHS });
    this.tell("start");
  }

  compare(which) {
    this.list.map((each) => each.run).forEach((run) => this.remove(run));
    for (const change of [{}, COMPARISONS[which]]) {
      const setting = { ...USUAL, ...change };
      this.start(setting, describe(setting, [which]));
    }
  }

  pause(paused) {
    this.paused = paused;
    this.worker.postMessage({ kind: paused ? "pause" : "resume" });
    this.tell("pause");
  }

  // Ends what is being trained; its results stay.
  stop() {
    for (const each of this.list.filter((known) => known.live)) {
      each.live = false;
      this.worker.postMessage({ kind: "stop", run: each.run });
    }
    this.tell("stop");
  }

  remove(run) {
    this.worker.postMessage({ kind: "stop", run });
    this.list = this.list.filter((each) => each.run !== run);
    this.tell("remove");
  }
}
