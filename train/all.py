"""``python -m train all``: make all generated files in assets/, one command after another.

Check the data, make the synthetic patients, cross-validate, fit every network, combine two into the
ensemble, score them, run the other experiments, fit and evaluate the input check, fuzz the file readers,
measure speed, and write the model cards. An interrupted run resumes when the same command is given again.
``--quick`` does all of it in a separate folder, at a size too small for meaningful scores.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.networks.ensemble import MEMBERS
from train import options
from train.fit.recipes import CHOSEN_IN_FOLDS, num_slices, training_subsets

STEPS = (
    "prepare",
    "split",
    "cohort",
    "fit",
    "combine",
    "export",
    "evaluate",
    "experiments",
    "quality",
    "fuzz",
    "bench",
    "cards",
)

FITTED = (
    "resnet50",
    "resunet",
    "resunet_small",
    "unet",
    "efficientnet_unet",
    "sequential",
    "resnet50_unet",
    "vgg16_unet",
)
"""In order of dependence: resnet50_unet needs the classifier's encoder."""

QUICK = {"--epochs": "1", "--num-slices": "96", "--patients": "4"}
"""Options of `fit` under --quick."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data", required=True)
    options.add(parser, "--assets", "--runs")
    parser.add_argument(
        "--quick", action="store_true", help="at reduced size, into an --assets folder of its own"
    )
    parser.add_argument("--epochs", help="with --quick: epochs of each network")
    parser.add_argument("--num-slices", help="with --quick: slices an epoch")
    parser.add_argument("--models", nargs="+", choices=FITTED, default=list(FITTED))
    parser.add_argument("--skip", nargs="+", choices=STEPS, default=[], help="steps to leave out")


def main(args: argparse.Namespace) -> int:
    if not options.spares_committed(args):
        return 2
    if not args.quick and (args.epochs or args.num_slices):
        print(
            "--epochs and --num-slices go with --quick: the full recipes are in train/fit/recipes.py."
        )
        return 2
    _bring_split(args)
    return run(plan(args))


def plan(args: argparse.Namespace) -> list[list[str]]:
    """Return the commands to run, each as the words after ``python -m train``."""
    data = ["--data", str(args.data)]
    into = ["--assets", str(args.assets)]
    runs = ["--runs", str(args.runs)]
    cut = _cut(args) if args.quick else []
    few = cut[cut.index("--patients") :][:2] if cut else []
    models = [name for name in FITTED if name in args.models]
    joined = ["ensemble"] if set(MEMBERS) <= set(models) else []
    subsets = ["samples", "validation"] if args.quick else ["samples", "validation", "test"]
    if "cohort" in args.skip and not cohort.samples_root(args.assets).exists():
        subsets.remove("samples")
    some = ["--patients", "1"] if args.quick else []

    words = [
        ["prepare", *data, *into, "--out", str(args.runs / "manifest.json")],
        ["split", *data, *into],
        ["cohort", "--out", str(args.assets / "samples"), *some],
        # Before the fits, which use it to choose thresholds.
        *_crossvals(args, data, [*into, *runs]),
        *(["fit", name, *data, *into, *runs, *cut] for name in models),
        *([["combine", *data, *into, *few]] if joined else []),
        ["export", *into, "--model", *models, *joined],
        *(
            ["evaluate", "--model", name, "--subset", subset, *into]
            + (data if subset != "samples" else [])
            for name in [*models, *joined]
            for subset in subsets
            if subset not in training_subsets(name)
        ),
        *_experiments(args, data, [*into, *runs]),
        *_measurements(args, data, into, few),
        ["cards", *into],
    ]
    return [line for line in words if line[0] not in args.skip]


def _crossvals(args: argparse.Namespace, data: list[str], more: list[str]) -> list[list[str]]:
    """Return the commands of all cross-validations, the ensemble's after its members'."""
    if "experiments" in args.skip:
        return []
    if args.quick:
        words = ["crossval", "--quick", *more]
        segmenters = [
            [*words, "--network", name] for name in (*MEMBERS, "ensemble", *CHOSEN_IN_FOLDS)
        ]
        return [
            *segmenters,
            [*words, "--task", "classify"],
            ["head", "--quick", *more],
            *_read(more),
        ]
    larger = ["--size", "192", "--batch-size", "16", "--policy", "float32"]
    words = ["crossval", *data, *more]
    return [
        [*words, "--network", "unet", "--slices", "78000"],
        [*words, "--network", "efficientnet_unet", "--slices", "15600", *larger],
        [*words, "--network", "ensemble"],
        *(
            [*words, "--network", name, "--slices", "15600", *larger]
            for name in ("efficientnet_plain", "resunet")
        ),
        *(
            [*words, "--network", name, "--slices", str(num_slices(name)), *larger]
            for name in CHOSEN_IN_FOLDS
        ),
        [*words, "--network", "resunet_distilled", *_teachers(), "--slices", "7800", *larger],
        [*words, "--task", "classify", "--slices", "7500"],
        ["head", *data, *more],
        *_read(more),
    ]


def _teachers() -> list[str]:
    runs = (f"crossval-resunet-lgg-192px-{slices}-" for slices in (num_slices("resunet"), 15_600))
    return ["--teachers", *runs]


def _read(more: list[str]) -> list[list[str]]:
    """Return the commands that only read what cross-validations wrote."""
    return [[name, *more[: more.index("--runs")]] for name in ("detect", "pairs")]


def _experiments(args: argparse.Namespace, data: list[str], more: list[str]) -> list[list[str]]:
    """Return the commands of all other experiments."""
    if "experiments" in args.skip:
        return []
    samples = ["--data", str(cohort.samples_root().parent)]
    if args.quick:
        quick = ["--quick", *more]
        words = [[name, *quick] for name in ("losses", "skips", "stacks", "leak", "robustness")]
        words.append(["screen", *quick, "--variants", "baseline", "copy_paste"])
        one_cell = ["--only", "vgg16-segment-staged-10"]
        return [*words, ["transfer", *quick, *one_cell], ["associate", *quick]]
    return [
        ["screen", *data, *more, "--policy", "float32"],
        ["losses", *data, *more],
        ["skips", *data, *more],
        ["stacks", *data, *more],
        ["leak", *data, *more],
        ["leak", *samples, *more],
        ["robustness", *data, *more],
        ["transfer", *data, *more],
        ["associate", *data, *more],
    ]


def _measurements(
    args: argparse.Namespace, data: list[str], into: list[str], few: list[str]
) -> list[list[str]]:
    """Return the commands that measure the input check, the reading of damaged files, and speed."""
    if args.quick:
        return [
            ["quality", *data, *into, *few, "--each", "4", "--corrupt", "validation"],
            ["fuzz", *into, "--count", "300"],
            ["bench", *into, "--only", "networks"],
        ]
    return [["quality", *data, *into], ["fuzz", *into], ["bench", *into]]


def run(commands: list[list[str]], say: Callable[[str], None] = print) -> int:
    """Run commands one after the other, and stop at the first that fails.

    Returns:
        The exit status of the last command run.
    """
    from train.__main__ import main as command

    began = time.monotonic()
    for number, words in enumerate(commands, start=1):
        say(f"[{number} of {len(commands)}] python -m train {' '.join(words)}")
        status = command(words)
        if status:
            say(f"python -m train {words[0]} failed; the same command resumes here.")
            return status
    say(f"All done in {(time.monotonic() - began) / 60:.0f} minutes.")
    return 0


def _cut(args: argparse.Namespace) -> list[str]:
    chosen = QUICK | {
        key: value
        for key, value in (("--epochs", args.epochs), ("--num-slices", args.num_slices))
        if value
    }
    return [word for pair in chosen.items() for word in pair]


def _bring_split(args: argparse.Namespace) -> None:
    """Put a split into a new assets folder: the project's own if it fits the data, else a random one."""
    target = args.assets / "splits" / "patients.json"
    if target.exists():
        return
    target.parent.mkdir(parents=True)
    folders = {patient.folder for patient in cohort.read_cohort(args.data)}
    committed = cohort.load_split()
    if all(folders & set(committed[subset]) for subset in ("train", "validation", "test")):
        shutil.copy(paths.ASSETS / "splits" / "patients.json", target)
        return
    run([["split", "--data", str(args.data), "--out", str(target), "--validation", "0.2"]])
