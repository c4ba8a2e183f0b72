// Trains networks apart from the page, step by step in turn, and tells of every step and every epoch.

import { Learning, standardize } from "./learning.js";

const TFJS = new URL("../../vendor/tfjs/", import.meta.url).href;

const learning = new Map(); // by run: what learns, and until which epoch
let [tf, data, paused, going] = [null, null, false, false];

async function load({ size, slices, shown }) {
  tf = await import(`${TFJS}tf.js`);
  tf.setWasmPaths(TFJS);
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // one thread a page: a class shares no machine's cores
  if (!(await tf.setBackend("wasm"))) throw new Error("WebAssembly with SIMD is not available");
  data = { size, shown, slices: slices.map(({ planes, truth, ...known }) => (
    { ...known, input: standardize(planes), truth: Float32Array.from(truth, (level) => level / 255) })) };
  // The first use of a kernel takes longest; it should not be the visitor's first step.
  const trial = new Learning(tf, size, data.slices, { width: 2, depth: 1, skips: true, rate: 0, patients: 1, loss: "bce_dice", seed: 0 });
  trial.step();
  trial.dispose();
  postMessage({ kind: "ready" });
}

function tell(run, each) {
  postMessage({ kind: "epoch", run, result: each.learner.score(data.shown), slices: each.learner.lessons.length });
}

function start({ run, setting, epochs }) {
  const learner = new Learning(tf, data.size, data.slices, setting);
  const each = { learner, epochs };
  learning.set(run, each);
  tell(run, each); // as it is with random numbers
  go();
}

function stop(run) {
  learning.get(run)?.learner.dispose();
  learning.delete(run);
}

async function go() {
  if (going) return;
  going = true;
  while (learning.size && !paused) {
    for (const [run, each] of [...learning]) {
      if (paused || !learning.has(run)) continue;
      const { loss, done } = each.learner.step();
      postMessage({ kind: "step", run, step: each.learner.losses.length, steps: each.learner.steps, loss });
      if (done) tell(run, each);
      if (done && each.learner.epoch >= each.epochs) {
        stop(run);
        postMessage({ kind: "done", run });
      }
      await new Promise((next) => setTimeout(next)); // messages from the page come in between
    }
  }
  going = false;
}

const HEARD = {
  load, start,
  stop: ({ run }) => stop(run),
  pause: () => { paused = true; },
  resume: () => { paused = false; go(); },
};

globalThis.onmessage = async ({ data: { kind, ...told } }) => {
  try {
    await HEARD[kind](told);
  } catch (error) {
    postMessage({ kind: "failed", message: error.message });
  }
};
