"""Training in the browser, run in Node: losses and gradients against Keras, and a network that learns."""

from __future__ import annotations

import base64
import json
import subprocess

import numpy as np
import pytest

from btmodels.transforms.preprocess import standardize
from tests.ui.lessons.bundled import training_patients, words
from tests.ui.node import UI, encoded, node, run
from ui.lessons.training import training
from ui.shared.content import sections

_AS_IN_A_WORKER = """
import { readFileSync } from "node:fs";
await fetch("data:,");  // loads what Node's fetch needs while Node still says that it is Node
Object.defineProperty(process, "versions", { value: {} });
Object.assign(globalThis, { window: globalThis, self: globalThis, document: {} });
const tf = await import("./vendor/tfjs/tf.js");
const bytes = readFileSync("vendor/tfjs/tfjs-backend-wasm-simd.wasm").toString("base64");
const address = "data:application/wasm;base64," + bytes;
const kinds = ["", "-simd", "-threaded-simd"];
tf.setWasmPaths(Object.fromEntries(kinds.map((kind) => [`tfjs-backend-wasm${kind}.wasm`, address])));
tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
await tf.setBackend("wasm");
const { Network, LOSSES, shapes } = await import("./lessons/training/network.js");
const { Learning, standardize } = await import("./lessons/training/learning.js");
const given = JSON.parse(readFileSync(0));
"""


def with_tensorflow_js(code: str, **given):
    """Run statements that end in ``told``, with TensorFlow.js at hand as in the lesson's worker."""
    done = subprocess.run(
        [
            node(),
            "--input-type=module",
            "--eval",
            f"{_AS_IN_A_WORKER}{code}\nconsole.log(JSON.stringify(told));",
        ],
        cwd=UI,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def reference(kernels, biases, x, truth, depth: int, skips: bool, loss: str):
    """The same network by TensorFlow: its loss, and the gradient to each kernel."""
    import tensorflow as tf

    from btmodels.training.losses import LOSSES

    weights = [tf.Variable(each) for each in kernels]
    with tf.GradientTape() as tape:
        place = 0

        def step(value):
            nonlocal place
            made = tf.nn.conv2d(value, weights[place], 1, "SAME") + biases[place]
            place += 1
            return made

        def block(value):
            return tf.nn.relu(step(tf.nn.relu(step(value))))

        value, crossing = tf.constant(x), []
        for _ in range(depth):
            value = block(value)
            crossing.append(value)
            value = tf.nn.max_pool2d(value, 2, 2, "VALID")
        value = block(value)
        for skip in reversed(crossing):
            value = tf.repeat(tf.repeat(value, 2, 1), 2, 2)
            value = block(tf.concat([value, skip], -1) if skips else value)
        cost = LOSSES[loss](truth, step(value))
    return float(cost), [each.numpy() for each in tape.gradient(cost, weights)]


@pytest.mark.parametrize(("skips", "loss"), [(True, "bce_dice"), (False, "bce")])
def test_losses_and_gradients_are_those_of_keras(skips, loss):
    setting = {"width": 2, "depth": 2, "skips": skips, "seed": 3}
    generator = np.random.default_rng(5)
    x = generator.normal(size=(2, 8, 8, 3)).astype(np.float32)
    truth = (generator.random((2, 8, 8, 1)) < 0.3).astype(np.float32)
    told = with_tensorflow_js(
        """
        const network = new Network(tf, given.setting);
        const [x, truth] = [tf.tensor4d(given.x), tf.tensor4d(given.truth)];
        network.biases.forEach((bias, i) => bias.assign(tf.fill(bias.shape, 0.01 * (i + 1))));
        const cost = () => LOSSES[given.loss](tf, truth, network.logits(x));
        const { value, grads } = tf.variableGrads(cost, network.kernels);
        const told = { loss: value.arraySync(), kernels: network.kernels.map((each) => each.arraySync()),
          biases: network.biases.map((each) => each.arraySync()),
          gradients: network.kernels.map((each) => grads[each.name].arraySync()) };
        """,
        setting=setting,
        loss=loss,
        x=x.tolist(),
        truth=truth.tolist(),
    )
    kernels = [np.asarray(each, np.float32) for each in told["kernels"]]
    biases = [np.asarray(each, np.float32) for each in told["biases"]]
    expected, gradients = reference(kernels, biases, x, truth, 2, skips, loss)
    assert told["loss"] == pytest.approx(expected, rel=1e-5)
    for ours, theirs in zip(told["gradients"], gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
    assert all(np.abs(each).max() > 0 for each in gradients)


def trained(epochs: int, **change) -> dict:
    """Train the usual network of the lesson for some epochs, then make it twice more for one step.

    Args:
        epochs: Number of epochs.
        change: Settings that differ from the usual ones.
    """
    head, _ = training._slices()
    slices = [
        {
            "patient": each.patient,
            "heldOut": each.held_out,
            "planes": [encoded(plane) for plane in pixels.transpose(2, 0, 1)],
            "truth": encoded(truth),
        }
        for each in training_patients()
        for pixels, truth in zip(each.pixels, each.truth, strict=True)
    ]
    return with_tensorflow_js(
        """
        const { USUAL } = await import("./lessons/training/runs.js");
        const planes = (text) => new Uint8Array(Buffer.from(text, "base64"));
        const slices = given.slices.map((each) => ({ ...each, input: standardize(each.planes.map(planes)),
          truth: Float32Array.from(planes(each.truth), (level) => level / 255) }));
        const before = tf.memory().numTensors;
        const setting = { ...USUAL, ...given.change };
        const learner = new Learning(tf, given.size, slices, setting);
        const results = [learner.score(given.shown)];
        for (let epoch = 0; epoch < given.epochs; epoch++) {
          while (!learner.step().done);
          results.push(learner.score(given.shown));
        }
        results.forEach((each) => (each.levels = [...each.levels]));
        const [steps, lessons] = [learner.steps, learner.lessons.length];
        learner.dispose();
        const again = new Learning(tf, given.size, slices, setting);
        const first = again.step().loss;
        again.dispose();
        const same = new Learning(tf, given.size, slices, setting);
        const second = same.step().loss;
        same.dispose();
        const told = { setting, results, steps, lessons, first, second,
          left: tf.memory().numTensors - before };
        """,
        slices=slices,
        size=head["size"],
        shown=sum(each["heldOut"] for each in head["slices"][: head["shown"]]),
        epochs=epochs,
        change=change,
    )


SEEDS = range(3)


def compared() -> list[dict]:
    """Train what each task of the lesson compares with the usual network, from several seeds."""
    changes = run(("lessons/training/runs.js",), "COMPARISONS")
    changes = {"usual": {}, **changes, "too_fast": {"rate": 0.03}}
    del changes["seed"]
    return [
        {
            "what": what,
            "seed": seed,
            "loss": [round(each["loss"], 4) for each in results],
            "dice": [round(each["dice"] or 0, 4) for each in results],
            "marked": [sum(level > 127 for level in each["levels"]) for each in results],
        }
        for what, change in changes.items()
        for seed in SEEDS
        for results in [trained(20, seed=seed, **change)["results"][1:]]
    ]


def write_example() -> None:
    """Train the network that the lesson opens with, and write its results (see `training.EXAMPLE`)."""
    told = trained(20)
    rows = [
        {
            "epoch": each["epoch"],
            "loss": each["loss"] and round(each["loss"], 4),
            "dice": each["dice"] and round(each["dice"], 4),
            "mask": base64.b64encode(np.packbits(np.array(each["levels"]) > 127)).decode(),
        }
        for each in told["results"]
    ]
    content = {
        "what": "One run of lesson 6 with its usual settings; masks are bits of the slice on show. Then "
        "the comparisons of its tasks, from three seeds; 'marked' counts pixels of that slice.",
        "command": "python -m tests.ui.lessons.test_training",
        "setting": told["setting"],
        "slices": told["lessons"],
        "results": rows,
        "comparisons": compared(),
    }
    training.EXAMPLE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def test_a_network_learns_as_in_the_example_and_leaves_nothing_behind():
    told = trained(3)
    example, masks = training.read_example()
    losses = [each["loss"] for each in told["results"][1:]]
    assert losses[-1] < 0.9 * losses[0]
    assert (told["lessons"], told["steps"]) == (48, 12)
    assert told["first"] == told["second"]  # a seed says all
    assert told["left"] == 0
    # The lesson opens with what this code trains.
    assert example["setting"] == told["setting"] and example["slices"] == told["lessons"]
    for kept, mask, made in zip(example["results"], masks, told["results"], strict=False):
        marked = np.array(made["levels"]) > 127
        assert (mask.ravel() != (255 * marked)).mean() < 0.01
        for name in ("loss", "dice"):
            assert (kept[name] is None) == (made[name] is None)
            assert kept[name] is None or kept[name] == pytest.approx(made[name], abs=0.01)


def test_the_example_shows_what_the_lesson_tells_of_a_run():
    example, masks = training.read_example()
    marked = (masks > 127).mean((1, 2))
    dice = [each["dice"] for each in example["results"][1:]]
    assert len(example["results"]) == len(masks) == 21
    assert marked[0] > 0.1  # nonsense
    assert min(marked[1:6]) == 0  # soon nothing at all
    assert dice[-1] > 0.3  # then a tumor
    assert any(after < before - 0.05 for before, after in zip(dice, dice[1:], strict=False))


@pytest.fixture(scope="module")
def comparisons() -> dict[str, list[dict]]:
    """Runs of the lesson's comparisons by what they change, each list in the order of the seeds."""
    content = json.loads(training.EXAMPLE.read_text(encoding="utf-8"))
    found: dict[str, list[dict]] = {}
    for each in content["comparisons"]:
        found.setdefault(each["what"], []).append(each)
    assert {len(runs) for runs in found.values()} == {len(SEEDS)}
    assert [round(each["dice"] or 0, 4) for each in content["results"][1:]] == found["usual"][0][
        "dice"
    ]
    return found


def test_what_tasks_tell_of_a_comparison_is_seen_from_several_seeds(comparisons):
    told, usual = words("train"), comparisons["usual"]
    assert "they part, though both learn" in told
    assert all(max(each["dice"]) > 0.5 for each in usual)
    assert len({each["dice"][-1] for each in usual}) == len(SEEDS)

    assert "that of six patients" in told
    for six, one in zip(usual, comparisons["patients"], strict=True):
        assert six["dice"][-1] > one["dice"][-1] and max(six["dice"]) > max(one["dice"])

    assert "Its loss falls slowly, and for most of the time nothing is marked." in told
    for each, slow in zip(usual, comparisons["rate"], strict=True):
        assert slow["loss"][-1] > each["loss"][-1] and max(slow["dice"]) < max(each["dice"]) / 1.5
        assert sum(not pixels for pixels in slow["marked"]) > 10
    assert "with steps that long, most networks learn nothing" in told
    assert sum(max(each["dice"]) == 0 for each in comparisons["too_fast"]) == 2

    assert "cross-entropy is small from the start" in told
    for each, alone in zip(usual, comparisons["loss"], strict=True):
        assert alone["loss"][0] < each["loss"][0] / 4

    assert "the Dice with skips was the higher one from each of the three starts" in told
    for each, without in zip(usual, comparisons["skips"], strict=True):
        assert sum(each["dice"][-5:]) > sum(without["dice"][-5:])
    assert any(
        without["dice"][-1] > each["dice"][-1]
        for each, without in zip(usual, comparisons["skips"], strict=True)
    )

    assert "it goes back and forth on the way" in told
    assert all(min(np.diff(each["dice"])) < -0.05 for each in usual)
    first = max(next(i for i, pixels in enumerate(each["marked"], 1) if pixels) for each in usual)
    assert f"wait for epoch {first}" in sections("lessons/teacher.md")["train"].replace("\n", " ")


def test_slices_are_standardized_as_the_library_does():
    pixels = training_patients()[0].pixels[3]
    told = run(
        ("lessons/training/learning.js",),
        "text(new Uint8Array(standardize(given.planes.map(bytes)).buffer))",
        planes=[encoded(plane) for plane in pixels.transpose(2, 0, 1)],
    )
    made = np.frombuffer(base64.b64decode(told), np.float32).reshape(pixels.shape)
    np.testing.assert_allclose(made, standardize(pixels), atol=1e-4)


def test_runs_are_kept_replaced_and_named():
    told = run(
        ("lessons/training/runs.js",),
        """(() => {
          const sent = [];
          const runs = new Runs(() => ({ postMessage: (each) => sent.push(each) }));
          runs.load({ size: 48 });
          const before = runs.state;
          runs.hear({ kind: "ready" });
          runs.compare("width");
          const names = runs.list.map((each) => each.name);
          for (let i = 0; i < 3; i++) runs.start({ ...USUAL, seed: i });
          const kept = runs.list.map((each) => each.run);
          const colors = new Set(runs.list.map((each) => each.color)).size;
          runs.hear({ kind: "epoch", run: 5, result: { epoch: 0, dice: 0 }, slices: 48 });
          runs.hear({ kind: "epoch", run: 1, result: {} });
          runs.hear({ kind: "step", run: 5, step: 3, steps: 12, loss: 1.5 });
          runs.stop();
          const made = [0, 1, 2, 3, 4, 5].map((epoch) => ({ epoch, dice: epoch ? epoch / 10 : null }));
          return { mean: meanDice(made, 5), early: meanDice(made, 4),
            before, state: runs.state, names, kept, colors,
            results: runs.list.map((each) => each.results.length),
            trail: runs.list.at(-1).trail,
            last: runs.list.at(-1).name, usual: runs.list[1].name, live: runs.live,
            stopped: sent.filter((each) => each.kind === "stop").map((each) => each.run) };
        })()""",
    )
    assert (told["before"], told["state"], told["live"]) == ("loading", "ready", False)
    assert told["mean"] == pytest.approx(0.3) and told["early"] is None
    assert told["names"] == ["8 channels", "2 channels"]
    assert told["kept"] == [2, 3, 4, 5] and told["colors"] == 4
    assert told["results"] == [0, 0, 0, 1]
    assert told["trail"] == [[0.25, 1.5]]  # a quarter of the first epoch
    assert (told["usual"], told["last"]) == ("usual settings", "seed 2")
    assert told["stopped"] == [1, 2, 3, 4, 5]


def test_every_comparison_differs_in_one_thing_that_a_control_can_set():
    told = run(("lessons/training/runs.js",), "({ USUAL, VALUES, COMPARISONS })")
    assert {name: told["USUAL"][name] for name in training.USUAL} == training.USUAL
    for name, change in told["COMPARISONS"].items():
        assert list(change) == [name] and change[name] != told["USUAL"][name]
        assert change[name] in told["VALUES"].get(name, [change[name]])
    for name, (low, high) in training.BOUNDS.items():
        if name in told["VALUES"]:
            assert (min(told["VALUES"][name]), max(told["VALUES"][name])) == (low, high)


if __name__ == "__main__":
    write_example()
