"""``python -m train cohort``: make the synthetic sample patients of the repository.

A template brain gets a skull, a scalp and a face, individual folds and spots, and lesions that grow along
its white matter. Signal equations of the sequences turn tissue into signal, and a model of the scanner
turns signal into slices. The modules follow that order: `anatomy`, `head`, `face`, `vessels`,
`lesions`, `physics`, `patients` (the list of patients), `render`, `files`; `figures` measures the result.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from btmodels.paths import ASSETS
from train.cohort import figures
from train.provenance import write_json

SEED = 2026

REFERENCE = ASSETS / "samples" / "reference_ranges.json"
"""The committed ranges of real patients."""


def run(
    out: Path,
    patients: Sequence[int] | None = None,
    seed: int = SEED,
    reference: Path | None = None,
    size: int = 256,
    oversample: int = 2,
    words: Sequence[str] = ("cohort",),
) -> dict:
    """Make patients and write them with data.csv and cohort.json.

    Args:
        out: Folder that gets ``kaggle_3m`` and ``cohort.json``.
        patients: Numbers from 1; None makes all. data.csv and cohort.json list only these patients.
        seed: Seed of all random choices.
        reference: Ranges measured on real patients; None takes the committed ones.
        size: Rows and columns of a slice.
        oversample: Points per pixel at each height within a slice.
        words: The command as given, for the record.

    Returns:
        The content of cohort.json.

    Raises:
        ValueError: A patient does not exist, or no gain brings one into the reference's range.
    """
    # Measuring needs only requirements.txt; making a cohort needs more.
    from train.cohort import files
    from train.cohort.anatomy import load_template
    from train.cohort.patients import PATIENTS
    from train.cohort.render import render

    numbers = list(range(1, len(PATIENTS) + 1)) if patients is None else sorted(set(patients))
    if not all(1 <= number <= len(PATIENTS) for number in numbers):
        raise ValueError(f"Patients are numbered 1 to {len(PATIENTS)}. Received: {numbers}")
    ranges = figures.load_reference(reference or REFERENCE)
    template = load_template()
    people, seeds = {}, {}
    for done, number in enumerate(numbers, start=1):
        person, folder = PATIENTS[number - 1], files.folder_name(number)
        people[folder], seeds[folder] = person, [seed, number]
        rng = np.random.default_rng(seeds[folder])
        rendered = render(person, template, ranges, rng, size, oversample)
        files.write_patient(out, folder, rendered)
        print(f"{folder} ({done} of {len(numbers)}): {person.description}", flush=True)
    files.write_table(out, people)
    measured = figures.measure_folder(out, list(people))
    content = files.describe(people, measured, ranges, seed, seeds, words)
    write_json(out / "cohort.json", content)
    return content


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--out", type=Path, default=ASSETS / "samples", help="folder to write (assets/samples)"
    )
    parser.add_argument(
        "--patients", type=int, nargs="+", metavar="N", help="make these alone, by number from 1"
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="determines the whole cohort (%(default)s)"
    )
    parser.add_argument(
        "--measure-reference",
        type=Path,
        metavar="DIR",
        help="make nothing: measure the real patients in DIR and write reference_ranges.json",
    )


def main(args: argparse.Namespace) -> int:
    """Run the command; return 1 if the cohort misses a required figure."""
    if args.measure_reference:
        path = args.out / REFERENCE.name
        figures.measure_reference(args.measure_reference, ASSETS, path, args.words)
        print(f"wrote {path.name}")
        return 0
    content = run(args.out, args.patients, args.seed, words=args.words)
    hardness = content["hardness"]
    print(
        f"best FLAIR threshold: Dice {hardness['best_flair_threshold_dice']:.3f}, on LGG validation "
        f"patients {hardness['lgg_validation_threshold_dice']:.3f}"
    )
    for folder, patient in content["patients"].items():
        if not patient["deciles_within_range"]:
            print(f"{folder}: deciles are outside the range of real patients", file=sys.stderr)
    return 0 if hardness["holds"] and content["deciles_within_range"] else 1
