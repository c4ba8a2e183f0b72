// Trains networks apart from the page, step by step in turn, and tells of every step and every epoch.

import { Learning, standardize } from "./learning.js";
import { USUAL } from "./runs.js";

const TFJS = new URL("../../vendor/tfjs/", import.meta.url).href;

const WARM_UP = 6; // steps, after which WebAssembly's optimizing compiler has seen what a step computes
const learning = new Map(); // by run: what learns, and until which epoch
let [tf, data, paused, going] = [null, null, false, false];

async function load({ size, slices, shown }) {
  tf = await import(`${TFJS}tf.js`);
  tf.setWasmPaths(TFJS);
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // one thread a page: a class shares no machine's cores
  if (!(await tf.setBackend("wasm"))) throw new Error("WebAssembly with SIMD is not available");
  data = { size, shown, slices: slices.map(({ planes, truth, ...known }) => (
    { ...known, input: standardize(planes), truth: Float32Array.from(truth, (level) => level / 255) })) };
  postMessage({ kind: "ready" });
  await warmUp();
}

// Kernels are slow until they are compiled for good. While the visitor reads, a network is trained that
// nobody sees, until the visitor's own one starts.
async function warmUp() {
  const trial = new Learning(tf, data.size, data.slices, USUAL);
  const work = [() => trial.score(data.shown), ...Array(WARM_UP).fill(() => trial.step())];
  for (const each of work) {
    await new Promise((next) => setTimeout(next)); // messages from the page come in between
    if (learning.size) break;
    each();
  }
  trial.dispose();
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
