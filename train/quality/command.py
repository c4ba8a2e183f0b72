"""``python -m train doctor``: fit the doctor's limits, then measure what it catches and what it stops.

What the doctor goes by is fitted on training patients, on the synthetic ones and on pictures that are no
slice of a head, its limits are chosen on validation patients; all of that is written to
``assets/doctor/limits.json``. Then the doctor meets the slices of test patients, as they are and spoiled
on purpose, and other pictures than those it was fitted on; of the synthetic patients it is only said how
many slices pass. ``assets/metrics/doctor.json`` holds ``slices`` (by subset: ``slices``, ``untouched``,
``stopped``, ``findings`` by kind), ``spoiled`` and ``strangers`` (by kind: ``pictures``, ``caught``; of
strangers ``masks`` too, those that would get one), ``unseen`` (strangers of a kind that was left out of
the fitting), ``milliseconds`` of one processor core a slice, ``command``, ``versions`` and the SHA-256 of
split and limits.

Its pictures come from scikit-image, scikit-learn and pydicom.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.quality import channel_features, channels, check, head_features
from btmodels.quality.classifier import Judge, Limits, from_json, limits_path, to_json
from btmodels.slices import Slice
from train.provenance import command_line, versions
from train.quality import corruptions, fit_classifier, negatives

SEED = 20261121
FIT_EACH, SCORE_EACH = 150, 16
"""Pictures of each kind that are no slice of a head, for fitting and for scoring."""

STOPPED = 0.015
"""Share of validation slices that the limit of scope may stop."""

MISTAKEN = {"swapped": 0.02, "exchanged": 0.005}
"""Share of validation slices of which each may be claimed wrongly."""

BY_HAND = {
    "washed_out": 20.0,
    "overexposed": 0.005,
    "wrapped": 0.002,
    "inverted": 130.0,
    "cropped": 0.72,
    "ct_rim": 1.6,
}
"""Limits set between what training and validation slices show and what spoiled ones of theirs do."""

SPOIL_EVERY = 3
"""Of the test slices every so many is spoiled, in each of the ways."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder kaggle_3m, or its parent")
    parser.add_argument("--assets", type=Path, default=paths.ASSETS)
    parser.add_argument("--each", type=int, default=FIT_EACH, help="pictures of a kind for fitting")
    parser.add_argument("--patients", type=int, help="use only so many patients of each subset")
    parser.add_argument(
        "--spoil",
        choices=("test", "validation"),
        default="test",
        help="whose slices are spoiled; with validation no test patient is opened",
    )


def main(args: argparse.Namespace) -> int:
    """Fit, measure and write; return the exit status."""
    names = dict.fromkeys(("train", "validation", args.spoil))
    subsets = {name: _read(args, name) for name in names}
    root = cohort.samples_root(args.assets)
    samples = list(_slices(cohort.read_cohort(root))) if root.exists() else []
    made = {
        "command": command_line(args.words),
        "versions": versions(),
        "split_sha256": cohort.split_sha256(args.assets),
    }
    path = limits_path(args.assets)
    content, unseen = fit(subsets["train"], subsets["validation"], samples, args.each)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**made, **content}) + "\n", encoding="utf-8")
    target = args.assets / "metrics" / "doctor.json"
    limits = from_json(json.loads(path.read_text(encoding="utf-8")))
    document = {
        **made,
        "limits_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        **measure(subsets, args.spoil, samples, limits),
        "unseen": unseen,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return 0


def fit(
    train: Sequence[Slice], validation: Sequence[Slice], samples: Sequence[Slice], each: int
) -> tuple[dict, list[dict]]:
    """Fit both judges and choose the limits.

    Args:
        train, validation: Slices of these patients.
        samples: Synthetic slices: fitted on too, for the site's own samples should never be refused.
        each: Pictures of each kind that are no slice of a head.

    Returns:
        The content of the limits' file, and how strangers of a left-out kind fare.
    """
    known = [*train, *samples]
    heads = _scopes(_varied([item.pixels for item in known]))
    kinds, strangers = [], []
    for kind, picture in negatives.pictures("fit", each, SEED):
        kinds.append(kind)
        strangers.append(picture)
    fakes = [corruptions.ct(item.pixels) for item in train[::12] if corruptions.spoilable(item)]
    kinds += ["CT-like"] * len(fakes)
    others = _scopes([*strangers, *fakes], keep_dark=True)
    shown = _scopes(item.pixels for item in validation)
    print(f"Fitting on {len(heads)} slices and {len(others)} other pictures", flush=True)
    scope, limit = _scope(heads, others, shown)
    unseen = []
    for kind in negatives.KINDS:
        left_out = np.array([name == kind for name in kinds])
        blind, blind_limit = _scope(heads, others[~left_out], shown, networks=1)
        masks = int((blind.score(others[left_out]) >= blind_limit).sum())
        unseen.append({"kind": kind, "pictures": int(left_out.sum()), "masks": masks})
        print(f"  {kind}, left out: {masks} of {left_out.sum()} would get a mask", flush=True)
    figures = [_orders(items) for items in (known, validation)]
    print("Fitting the order of channels", flush=True)
    judge = fit_classifier.fit_order(figures[0], SEED)
    values = {"scope": limit, **BY_HAND, **_order_limits(judge, figures[1])}
    return {"limits": values, "scope": to_json(scope), "order": to_json(judge)}, unseen


def _scope(
    heads: np.ndarray,
    others: np.ndarray,
    shown: np.ndarray,
    networks: int = fit_classifier.NETWORKS,
) -> tuple[Judge, float]:
    wanted = np.r_[np.ones(len(heads), bool), np.zeros(len(others), bool)]
    judge = fit_classifier.fit_scope(np.concatenate([heads, others]), wanted, SEED, networks)
    return judge, round(float(np.quantile(judge.score(shown), STOPPED)), 3)


def _order_limits(judge: Judge, figures: np.ndarray) -> dict[str, float]:
    limits = Limits(judge, judge, {})
    chances = np.array([channels.order_chances(each, limits) for each in figures])
    orders = channel_features.ORDERS
    elsewhere = np.stack(
        [chances[:, [i for i, o in enumerate(orders) if o[1] == c]].sum(axis=1) for c in (0, 2)]
    )
    wrong = {
        "swapped": elsewhere.max(axis=0),
        "exchanged": chances[:, orders.index((2, 1, 0))],
    }
    least = {"swapped": 0.5, "exchanged": 0.9}
    return {
        kind: round(max(least[kind], float(np.quantile(wrong[kind], 1 - share))), 3)
        for kind, share in MISTAKEN.items()
    }


def _varied(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Slices as they are, and some as visitors bring them: gray, swapped, turned a little, cut."""
    found = list(pictures)
    rng = np.random.default_rng(SEED)
    for pixels in pictures[::3]:
        which = rng.integers(4)
        if which == 0:
            found.append(corruptions.gray(pixels))
        elif which == 1:
            found.append(pixels[..., rng.permutation(3)])
        elif which == 2:
            rows, cols = pixels.shape[:2]
            matrix = cv2.getRotationMatrix2D(
                (cols / 2, rows / 2), float(rng.uniform(-20, 20)), float(rng.uniform(0.8, 1.15))
            )
            found.append(cv2.warpAffine(pixels, matrix, (cols, rows)))
        else:
            side = int(pixels.shape[1] * rng.uniform(0.6, 0.9))
            found.append(np.ascontiguousarray(pixels[:, :side]))
    return found


def _scopes(pictures: Iterable[np.ndarray], keep_dark: bool = False) -> np.ndarray:
    # Slices that show next to nothing are not judged, so they do not count here.
    rows = (
        head_features.scope(head_features.small(np.ascontiguousarray(pixels)))
        for pixels in pictures
    )
    return np.array(
        [list(row.values()) for row in rows if keep_dark or row["top"] >= check.DARK], np.float64
    )


def _orders(items: Sequence[Slice]) -> np.ndarray:
    found = (
        channel_features.figures(head_features.small(item.pixels))
        for item in items
        if corruptions.distinct(item.pixels)
    )
    return np.array([each for each in found if each is not None])


def measure(
    subsets: Mapping[str, Sequence[Slice]], judge: str, samples: Sequence[Slice], limits: Limits
) -> dict:
    """Let the doctor see all of it; return its table.

    Args:
        subsets: Slices by subset; those of ``train`` are not looked at.
        judge: The subset whose slices are spoiled and timed.
        samples: Synthetic slices.
        limits: The doctor's.
    """
    shown = {name: items for name, items in subsets.items() if name != "train"}
    slices = [_as_they_are(*row, limits) for row in [*shown.items(), ("synthetic", samples)]]
    own = subsets[judge]
    spoiled = _spoiled([item for item in own[::SPOIL_EVERY] if corruptions.spoilable(item)], limits)
    strangers = _strangers(limits)
    began = time.process_time()  # of this process alone, however busy the machine is
    for item in own[:50]:
        check.examine(item.pixels, limits)
    spent = 1000 * (time.process_time() - began) / max(1, len(own[:50]))
    return {
        "slices": slices,
        "spoiled": spoiled,
        "strangers": strangers,
        "milliseconds": round(spent, 1),
    }


def _as_they_are(name: str, items: Sequence[Slice], limits: Limits) -> dict:
    found = [check.examine(item.pixels, limits) for item in items]
    kinds = Counter(finding.kind for each in found for finding in each.findings)
    row = {
        "subset": name,
        "slices": len(found),
        "untouched": sum(each.untouched for each in found),
        "stopped": sum(each.stop is not None for each in found),
        "findings": dict(kinds.most_common()),
    }
    print(row, flush=True)
    return row


def _spoiled(items: Sequence[Slice], limits: Limits) -> list[dict]:
    rows = []
    whole = [item for item in items if corruptions.distinct(item.pixels)]
    for kind, (what, change, counts) in corruptions.SPOILS.items():
        chosen = whole if kind in corruptions.SHUFFLES else items
        found = [check.examine(np.ascontiguousarray(change(i.pixels)), limits) for i in chosen]
        caught = sum(any(f.kind in counts for f in each.findings) for each in found)
        rows.append({"kind": kind, "what": what, "pictures": len(found), "caught": caught})
        print(rows[-1], flush=True)
    masks = [item.truth for item in items if item.truth is not None and item.truth.any()]
    pictures = [np.repeat(mask[..., None] * np.uint8(255), 3, axis=2) for mask in masks]
    found = [check.examine(picture, limits) for picture in pictures]
    caught = sum(any(f.kind == "mask" for f in each.findings) for each in found)
    rows.append({"kind": "mask", "what": "the true mask", "pictures": len(found), "caught": caught})
    return rows


def _strangers(limits: Limits) -> list[dict]:
    rows = {kind: {"kind": kind, "pictures": 0, "masks": 0} for kind in negatives.KINDS}
    for kind, picture in negatives.pictures("score", SCORE_EACH, SEED):
        rows[kind]["pictures"] += 1
        rows[kind]["masks"] += check.examine(picture, limits).stop is None
    for row in rows.values():
        row["caught"] = row["pictures"] - row["masks"]
        print(row, flush=True)
    return list(rows.values())


def _read(args: argparse.Namespace, subset: str) -> list[Slice]:
    patients = cohort.subset_patients(args.data, subset, args.assets)[: args.patients]
    found = list(_slices(patients))
    print(f"{subset}: {len(found)} slices", flush=True)
    return found


def _slices(patients) -> Iterable[Slice]:
    for patient in patients:
        for file in patient.files:
            yield cohort.read_slice(patient, file)
