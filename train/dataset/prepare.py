"""``python -m train prepare``: check that a data folder is complete and valid, and write a manifest of it.

Every file is opened, so that a broken one is found before a night of training, and listed with its SHA-256.
Reference patients are only listed: no training command opens them.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from btmodels.dataset import cohort
from btmodels.errors import DecodeError
from btmodels.slices import Patient
from train import options
from train.provenance import command_line, versions, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data", required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/manifest.json"))
    options.add(parser, "--assets", help="holds the split")


def main(args: argparse.Namespace) -> int:
    content = survey(
        cohort.read_cohort(args.data), args.assets, say=lambda line: print(line, flush=True)
    )
    content = {"command": command_line(args.words), "versions": versions(), **content}
    write_json(args.out, content)
    totals = content["totals"]
    print(
        f"{totals['patients']} patients, {totals['slices']} slices, {totals['tumor_slices']} of them "
        f"with tumor; {len(content['not_opened'])} reference patients not opened. "
        f"The manifest is {args.out}."
    )
    for folder, entry in content["patients"].items():
        for problem in entry["problems"]:
            print(f"{folder}: {problem}")
    return 1 if totals["problems"] else 0


def survey(
    patients: Sequence[Patient], assets: Path, say: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Read all files of all patients except the reference ones.

    Args:
        patients: From `cohort.read_cohort`.
        assets: Folder with the split.
        say: Called with one line per patient.

    Returns:
        The manifest: ``split_sha256``, ``totals``, ``not_opened`` and ``patients``, the results of
        `survey_patient` by folder.

    Raises:
        CohortError: There is no split.
    """
    split_sha256 = cohort.split_sha256(assets)
    subsets = {patient.folder: cohort.provenance(patient.folder, assets) for patient in patients}
    opened = [patient for patient in patients if subsets[patient.folder] != "reference"]
    total = sum(len(patient.files) for patient in opened)
    entries, done, started = {}, 0, time.monotonic()
    for patient in opened:
        entry = survey_patient(patient)
        entries[patient.folder] = {"subset": subsets[patient.folder], **entry}
        done += entry["slices"]
        left = (time.monotonic() - started) / max(done, 1) * (total - done)
        say(
            f"{done} of {total} slices, {patient.folder}: {entry['slices']} slices, "
            f"{entry['tumor_slices']} with tumor; about {left:.0f} s left"
        )
    return {
        "split_sha256": split_sha256,
        "totals": {
            "patients": len(entries),
            "slices": done,
            "tumor_slices": sum(entry["tumor_slices"] for entry in entries.values()),
            "problems": sum(len(entry["problems"]) for entry in entries.values()),
        },
        "not_opened": [folder for folder in subsets if folder not in entries],
        "patients": entries,
    }


def survey_patient(patient: Patient) -> dict[str, Any]:
    """Read all files of one patient.

    Returns:
        ``slices``, ``tumor_slices`` (slices with a nonempty mask), ``sizes`` (slice counts by
        rows x columns), ``problems`` (sentences; a slice that is not 8-bit with three channels is
        one) and ``files``, the SHA-256 of each file by name.
    """
    problems, files = list(patient.problems), {}
    sizes: Counter[str] = Counter()
    num_tumor = 0
    for file in patient.files:
        for path in filter(None, (file.image, file.mask)):
            try:
                files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                problems.append(f"{path.name} cannot be opened: {error.strerror}.")
        try:
            each = cohort.read_slice(patient, file)
        except DecodeError as error:
            problems.append(str(error))
            continue
        # The decoder notes what it repairs; training needs to know about every such file.
        problems.extend(note for note in each.notes if note not in problems)
        rows, cols = each.pixels.shape[:2]
        sizes[f"{rows} x {cols}"] += 1
        num_tumor += each.truth is not None and bool(each.truth.any())
    if len(sizes) > 1:
        listed = ", ".join(f"{number} of {size}" for size, number in sizes.most_common())
        problems.append(f"The slices of {patient.folder} differ in size: {listed}.")
    return {
        "slices": len(patient.files),
        "tumor_slices": num_tumor,
        "sizes": dict(sizes),
        "problems": problems,
        "files": files,
    }
