// One network that learns, epoch by epoch, and what it is scored by; runs in a worker and in Node.

import { dice } from "../../viewer/masks.js";
import { random, shuffled } from "./random.js";
import { LOSSES, Network } from "./network.js";

export const BATCH = 4; // slices a step
const [FOREGROUND, CLIP] = [10, 6]; // as btmodels/transforms/preprocess.py

// Three planes of a slice, 0 to 255, to (size, size, 3) with zero mean and unit deviation over the head.
export function standardize(planes) {
  const pixels = planes[0].length;
  const head = new Uint8Array(pixels);
  for (let i = 0; i < pixels; i++) head[i] = Math.max(planes[0][i], planes[1][i], planes[2][i]) > FOREGROUND ? 1 : 0;
  const counted = head.reduce((sum, each) => sum + each, 0);
  if (counted < 0.01 * pixels) head.fill(1);
  const number = counted < 0.01 * pixels ? pixels : counted;
  const values = new Float32Array(3 * pixels);
  planes.forEach((plane, channel) => {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < pixels; i++) {
      if (!head[i]) continue;
      sum += plane[i];
      squares += plane[i] * plane[i];
    }
    const mean = sum / number;
    const deviation = Math.max(Math.sqrt(Math.max(squares / number - mean * mean, 0)), 1);
    for (let i = 0; i < pixels; i++) {
      values[3 * i + channel] = Math.min(Math.max((plane[i] - mean) / deviation, -CLIP), CLIP);
    }
  });
  return values;
}

// A row of each picture from right to left; `cell` numbers a pixel.
function mirrored(values, size, cell) {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < size; row++) {
    for (let col = 0; col < size; col++) {
      const [from, to] = [(row * size + col) * cell, (row * size + size - 1 - col) * cell];
      for (let i = 0; i < cell; i++) turned[to + i] = values[from + i];
    }
  }
  return turned;
}

// `slices` are {patient, heldOut, input, truth}: (size, size, 3) standardized and (size, size), 0 to 1.
export class Learning {
  constructor(tf, size, slices, setting) {
    Object.assign(this, { tf, size, setting });
    const patients = [...new Set(slices.filter((each) => !each.heldOut).map((each) => each.patient))];
    const taken = new Set(patients.slice(0, setting.patients));
    this.lessons = slices.filter((each) => taken.has(each.patient));
    this.heldOut = slices.filter((each) => each.heldOut);
    this.network = new Network(tf, setting);
    this.optimizer = tf.train.adam(setting.rate);
    this.draw = random(setting.seed + 1);
    this.epoch = 0;
    this.losses = [];
    this.order = [];
  }

  get steps() {
    return Math.ceil(this.lessons.length / BATCH);
  }

  // One step; returns its loss. After the last step of an epoch `done` is true.
  step() {
    if (!this.order.length) {
      this.order = shuffled(this.lessons.keys(), this.draw);
      this.losses = [];
    }
    const chosen = this.order.splice(0, BATCH).map((index) => this.lessons[index]);
    const turned = chosen.map(() => this.draw() < 0.5);
    const { tf, size, network } = this;
    const loss = tf.tidy(() => {
      const x = this.stack(chosen.map(({ input }, i) => (turned[i] ? mirrored(input, size, 3) : input)), 3);
      const truth = this.stack(chosen.map(({ truth: mask }, i) => (turned[i] ? mirrored(mask, size, 1) : mask)), 1);
      const cost = this.optimizer.minimize(
        () => LOSSES[this.setting.loss](tf, truth, network.logits(x)), true, network.variables());
      return cost.dataSync()[0];
    });
    this.losses.push(loss);
    const done = !this.order.length;
    if (done) this.epoch++;
    return { loss, done };
  }

  stack(arrays, channels) {
    const all = new Float32Array(arrays.length * arrays[0].length);
    arrays.forEach((each, index) => all.set(each, index * each.length));
    return this.tf.tensor4d(all, [arrays.length, this.size, this.size, channels]);
  }

  // Probabilities of slices in 255ths, a Uint8Array each.
  levels(slices) {
    const { tf, size } = this;
    const values = tf.tidy(() => {
      const x = this.stack(slices.map((each) => each.input), 3);
      return tf.sigmoid(this.network.logits(x)).dataSync();
    });
    return slices.map((_, i) => Uint8Array.from(values.subarray(i * size * size, (i + 1) * size * size), (p) => Math.round(255 * p)));
  }

  // Mean loss of the epoch's steps so far, Dice over all held-out slices, levels of the slice on show. Before
  // the first step only the levels: the visitor waits for that step, and random numbers deserve no score.
  score(shown) {
    if (!this.epoch) return { epoch: 0, loss: NaN, dice: NaN, levels: this.levels([this.heldOut[shown]])[0] };
    const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
    const levels = this.levels(this.heldOut);
    this.heldOut.forEach(({ truth }, number) => {
      for (let i = 0; i < truth.length; i++) {
        const [marked, so] = [levels[number][i] > 127, truth[i] > 0.5];
        counts[marked ? (so ? "tp" : "fp") : so ? "fn" : "tn"]++;
      }
    });
    const loss = this.losses.reduce((sum, each) => sum + each, 0) / this.losses.length;
    return { epoch: this.epoch, loss, dice: dice(counts), levels: levels[shown] };
  }

  dispose() {
    this.network.dispose();
    this.optimizer.dispose();
  }
}
