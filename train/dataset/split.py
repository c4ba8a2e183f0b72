"""``python -m train split``: check the split by patient, or draw one for other data.

Patients are split, never slices: neighboring slices of one head are nearly the same picture.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from btmodels.dataset import cohort
from btmodels.errors import CohortError
from train import options
from train.provenance import command_line, write_json

NUM_FOLDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data")
    parser.add_argument("--out", type=Path, help="draw a split of --data into this new file")
    parser.add_argument("--seed", type=int, default=0, help="of the draw; default 0")
    parser.add_argument("--validation", type=float, default=0.1, help="share; default 0.1")
    parser.add_argument("--test", type=float, default=0.2, help="share; default 0.2")
    options.add(parser, "--assets", help="holds the split")


def main(args: argparse.Namespace) -> int:
    wrong = _wrong_usage(args)
    if wrong:
        print(wrong, file=sys.stderr)
        return 2
    split = cohort.load_split(args.assets)
    if args.out:
        folders = [patient.folder for patient in cohort.read_cohort(args.data)]
        drawn = draw(folders, args.seed, args.validation, args.test, split["reference"])
        content = {**drawn, "command": command_line(args.words)}
        write_json(args.out, content)
        split = {subset: drawn[subset] for subset in cohort.SUBSETS}
        print(f"The split is {args.out}.")
    else:
        check_folds(cohort.load_folds(args.assets), split)
        print(f"No patient is in two subsets. SHA-256 {cohort.split_sha256(args.assets)}")
        if args.data:
            present = {patient.folder for patient in cohort.read_cohort(args.data)}
            for subset, folders in split.items():
                found = len(present & set(folders))
                print(f"The data folder holds {found} of {len(folders)} {subset} patients.")
    for subset, folders in split.items():
        counts = Counter(map(institution, folders))
        listed = ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
        print(f"{subset:<10} {len(folders):>3}  {listed}")
    return 0


def draw(
    folders: Collection[str],
    seed: int,
    validation: float = 0.1,
    test: float = 0.2,
    reference: Collection[str] = (),
) -> dict[str, Any]:
    """Draw a split by patient, stratified by institution.

    Args:
        folders: Names of the patients' folders.
        seed: Random seed; the same folders and seed give the same split.
        validation, test: Shares of the patients, 0 to 1; the rest is for training.
        reference: Patients to keep apart, in no other subset and in no fold.

    Returns:
        Sorted folder names by subset, and ``folds``: all patients but the reference ones, divided into
        `NUM_FOLDS` groups.

    Raises:
        CohortError: There are too few patients.
    """
    rng = np.random.default_rng(seed)
    kept = sorted(set(folders) - set(reference))
    num_test, num_validation = round(len(kept) * test), round(len(kept) * validation)
    if min(num_test, num_validation) < 1 or len(kept) - num_test - num_validation < 1:
        raise CohortError(
            f"{len(kept)} patients are too few for {validation:.0%} validation and {test:.0%} test."
        )
    # Sort by institution, in random order within each: evenly spaced patients then cover all of them.
    order = [kept[index] for index in rng.permutation(len(kept))]
    order.sort(key=institution)
    chosen_test = _evenly(order, num_test, rng)
    rest = [folder for folder in order if folder not in chosen_test]
    chosen_validation = _evenly(rest, num_validation, rng)
    return {
        "train": sorted(set(rest) - chosen_validation),
        "validation": sorted(chosen_validation),
        "test": sorted(chosen_test),
        "reference": sorted(set(reference) & set(folders)),
        "folds": [sorted(order[start::NUM_FOLDS]) for start in range(NUM_FOLDS)],
    }


def check_folds(folds: Sequence[Sequence[str]], split: dict[str, list[str]]) -> None:
    """Check that folds share no patient and contain no reference patient.

    Raises:
        CohortError: They do.
    """
    counts = Counter(folder for fold in folds for folder in fold)
    twice = next((folder for folder, number in counts.items() if number > 1), None)
    if twice:
        raise CohortError(f"{twice} is in two folds.")
    stray = sorted(counts.keys() & set(split["reference"]))
    if stray:
        raise CohortError(f"{stray[0]} is a reference patient and in a fold.")


def institution(folder: str) -> str:
    """Return the institution in a folder's name: ``TCGA_CS_4941_19960909`` gives ``CS``."""
    return folder.split("_")[1]


def _evenly(order: Sequence[str], count: int, rng: np.random.Generator) -> set[str]:
    positions = ((np.arange(count) + rng.random()) * len(order) / count).astype(int)
    return {order[position] for position in positions}


def _wrong_usage(args: argparse.Namespace) -> str | None:
    if args.out and not args.data:
        return "--out needs --data, the folder whose patients to split."
    if args.out and args.out.exists():
        return f"{args.out} exists. A split is drawn once; choose another name."
    if not (0 < args.validation < 1 and 0 < args.test < 1):
        return "--validation and --test are shares between 0 and 1."
    return None
