"""``python -m train COMMAND``: each command is a module with ``add_arguments`` and ``main``."""

from __future__ import annotations

import argparse
import importlib
import sys

from btmodels.errors import BrainTumorError

COMMANDS = {
    "prepare": ("dataset.prepare", "check a data folder and write a manifest"),
    "split": ("dataset.split", "check the split by patient, or draw one for other data"),
    "cohort": ("cohort", "make the synthetic sample patients"),
    "fit": ("fit.fit", "train a network"),
    "combine": ("fit.ensemble", "combine trained segmenters into the ensemble"),
    "export": (
        "export",
        "write trained networks as graphs, which the site runs without TensorFlow",
    ),
    "evaluate": (
        "evaluate.evaluate",
        "score a network's masks or verdicts on a subset of patients",
    ),
    "losses": ("experiments.losses", "compare losses on the same small network"),
    "skips": (
        "experiments.skips",
        "compare a network with and without skip connections, and measure gradients",
    ),
    "stacks": ("experiments.stacks", "train deep stacks of layers with and without shortcuts"),
    "leak": ("experiments.leak", "measure how much a split by slice inflates scores"),
    "quality": (
        "quality.command",
        "fit and measure the input check, which tells whether a picture is a usable slice of a head",
    ),
    "robustness": (
        "experiments.robustness",
        "measure how input faults lower the scores of test patients",
    ),
    "transfer": (
        "experiments.transfer",
        "compare encoders trained elsewhere with a start from scratch",
    ),
    "crossval": ("experiments.crossval", "judge every patient by a network that never met them"),
    "head": (
        "experiments.head",
        "detect slices with a tumor by a linear head on the cross-validated encoder",
    ),
    "detect": (
        "experiments.detect",
        "detect slices with a tumor from the outputs of cross-validated networks",
    ),
    "screen": ("experiments.screen", "compare ways to train on short cross-validations"),
    "pairs": (
        "experiments.pairs",
        "compare cross-validated trainings that differ in one respect",
    ),
    "associate": (
        "experiments.associate",
        "compare shape features of true and predicted masks across genomic clusters",
    ),
    "fuzz": ("fuzz", "damage files at random and see what reading them does"),
    "bench": ("bench.command", "measure the site's speed"),
    "cards": ("cards.command", "write a model card for every trained network"),
    "all": ("all", "make everything that is generated"),
}


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser. Only the command ``only`` gets its options, since loading some imports
    TensorFlow."""
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (place, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        if name == only:
            module = importlib.import_module(f"train.{place}")
            module.add_arguments(command)
            command.set_defaults(run=module.main)
    return parser


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    named = next((word for word in words if not word.startswith("-")), None)
    args = build_parser(named if named in COMMANDS else None).parse_args(words)
    args.words = words  # for the files that record the command that made them
    try:
        return args.run(args)
    except BrainTumorError as error:  # no data or no weights: every command prints a sentence
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
