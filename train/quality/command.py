"""``python -m train quality``: fit the input check, then measure its hits and false alarms.

Its classifiers are fitted on the training patients, the synthetic patients and pictures that are not
slices of a head; its thresholds are chosen on the validation patients. Both are written to
``assets/quality/thresholds.json``. The check is then measured on the slices of the test patients, unchanged
and deliberately corrupted, and on pictures outside the fit; for the synthetic patients only the
slices that pass are counted.

``assets/metrics/quality.json`` holds ``slices`` (by subset: ``slices``, ``passed``, ``stopped``,
``findings`` by kind), ``corrupted`` and ``negatives`` (by kind: ``pictures``, ``caught``; for negatives
also ``masks``, the number that would get a mask), ``unseen`` (negatives of a kind left out of the
fit), CPU ``milliseconds`` per slice, ``command``, ``versions`` and the SHA-256 of the
split and of the thresholds.

The pictures come from scikit-image, scikit-learn and pydicom.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

from btmodels.dataset import cohort
from btmodels.quality import channel_features, channels, check, colors, head_features
from btmodels.quality.classifier import MLPEnsemble, Thresholds, from_json, thresholds_path, to_json
from btmodels.slices import Slice
from train import options
from train.provenance import command_line, versions, write_json
from train.quality import corruptions, fit_classifier, negatives

SEED = 20261121
FIT_EACH, SCORE_EACH = 400, 16
"""Pictures of each kind that are not slices of a head, for fitting and for scoring."""

MAX_STOPPED = 0.009
"""Largest share of validation slices that may be stopped."""

COLORED_MARGIN = 0.5
"""A strongly colored picture must nearly reach the lowest score of a colored slice, less this: there is no
doubt about these slices, unlike about a flower before a dark background."""

MAX_FALSE_CLAIMS = {"swapped": 0.02, "exchanged": 0.005}
"""Largest share of validation slices that may get each of these findings wrongly."""

MANUAL = {
    "washed_out": 20.0,
    "overexposed": 0.005,
    "wrapped": 0.002,
    "inverted": 130.0,
    "cropped": 0.72,
    "ct_rim": 1.6,
}
"""Thresholds set manually, between the values of training and validation slices and of corrupted ones."""

CORRUPT_EVERY = 3
"""Every third test slice is corrupted, in every way."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data", required=True)
    options.add(parser, "--assets")
    parser.add_argument("--each", type=int, default=FIT_EACH, help="pictures of a kind for fitting")
    parser.add_argument("--patients", type=int, help="use only so many patients of each subset")
    parser.add_argument(
        "--corrupt",
        choices=("test", "validation"),
        default="test",
        help="whose slices are corrupted; with validation no test patient is opened",
    )


def main(args: argparse.Namespace) -> int:
    """Fit, measure and write; return the exit status."""
    names = dict.fromkeys(("train", "validation", args.corrupt))
    subsets = {name: _read(args, name) for name in names}
    root = cohort.samples_root(args.assets)
    samples = list(_slices(cohort.read_cohort(root))) if root.exists() else []
    made = {
        "command": command_line(args.words),
        "versions": versions(),
        "split_sha256": cohort.split_sha256(args.assets),
    }
    path = thresholds_path(args.assets)
    content, unseen = fit(subsets["train"], subsets["validation"], samples, args.each)
    write_json(path, {**made, **content}, indent=None)
    target = args.assets / "metrics" / "quality.json"
    thresholds = from_json(json.loads(path.read_text(encoding="utf-8")))
    document = {
        **made,
        "thresholds_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        **measure(subsets, args.corrupt, samples, thresholds),
        "unseen": unseen,
    }
    write_json(target, document)
    return 0


def fit(
    train: Sequence[Slice], validation: Sequence[Slice], samples: Sequence[Slice], each: int
) -> tuple[dict, list[dict]]:
    """Fit both classifiers and choose the thresholds.

    Args:
        train, validation: Slices of these patients.
        samples: Synthetic slices, also part of the fit, because the site must never refuse its own samples.
        each: Pictures of each kind that are not slices of a head.

    Returns:
        The content of the thresholds file, and the results on negatives of a kind left out of the fit.
    """
    known = [*train, *samples]
    heads = _head_features(_varied([item.pixels for item in known]))
    kinds, pictures = [], []
    for kind, picture in negatives.pictures("fit", each, SEED):
        kinds.append(kind)
        pictures.append(picture)
    fakes = [corruptions.ct(item.pixels) for item in train[::12] if corruptions.corruptible(item)]
    kinds += ["CT-like"] * len(fakes)
    others = _head_features([*pictures, *fakes], keep_dark=True)
    shown = _head_features(item.pixels for item in validation)
    print(f"Fitting on {len(heads)} slices and {len(others)} other pictures", flush=True)
    head, limit = _head_classifier(heads, others, shown)
    unseen = []
    for kind in negatives.KINDS:
        left_out = np.array([name == kind for name in kinds])
        blind, blind_limit = _head_classifier(heads, others[~left_out], shown, networks=1)
        masks = int((blind.score(others[left_out]) >= blind_limit).sum())
        unseen.append({"kind": kind, "pictures": int(left_out.sum()), "masks": masks})
        print(f"  {kind}, left out: {masks} of {left_out.sum()} would get a mask", flush=True)
    figures = [_order_features(items) for items in (known, validation)]
    print("Fitting the order of channels", flush=True)
    order = fit_classifier.fit_order_classifier(figures[0], SEED)
    colored = _least_colored(head, [*train, *validation]) - COLORED_MARGIN
    values = {
        "head": limit,
        "colored": round(max(limit, colored), 3),
        **MANUAL,
        **_order_thresholds(order, figures[1]),
    }
    return {"thresholds": values, "head": to_json(head), "order": to_json(order)}, unseen


def _head_classifier(
    heads: np.ndarray,
    others: np.ndarray,
    shown: np.ndarray,
    networks: int = fit_classifier.NETWORKS,
) -> tuple[MLPEnsemble, float]:
    wanted = np.r_[np.ones(len(heads), bool), np.zeros(len(others), bool)]
    ensemble = fit_classifier.fit_head_classifier(
        np.concatenate([heads, others]), wanted, SEED, networks
    )
    return ensemble, round(float(np.quantile(ensemble.score(shown), MAX_STOPPED)), 3)


def _least_colored(head: MLPEnsemble, items: Sequence[Slice]) -> float:
    """Return the lowest score of strongly colored slices; minus infinity if there are none."""
    colored = [i.pixels for i in items if colors.is_colored(head_features.resize(i.pixels))]
    figures = _head_features(colored)
    return float(head.score(figures).min()) if len(figures) else -np.inf


def _order_thresholds(ensemble: MLPEnsemble, figures: np.ndarray) -> dict[str, float]:
    thresholds = Thresholds(ensemble, ensemble, {})
    chances = np.array([channels.order_chances(each, thresholds) for each in figures])
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
        for kind, share in MAX_FALSE_CLAIMS.items()
    }


def _varied(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the slices, each also as visitors might upload it: as one sequence alone, swapped, rotated,
    cropped, or with other ranges of gray; every fourth time at a lower resolution."""
    found = list(pictures)
    rng = np.random.default_rng(SEED)
    for pixels in pictures:
        which = rng.integers(8)
        if which in (0, 7):
            found.append(np.repeat(pixels[..., rng.integers(3), None], 3, axis=2))
        elif which == 1:
            found.append(pixels[..., rng.permutation(3)])
        elif which == 2:
            rows, cols = pixels.shape[:2]
            matrix = cv2.getRotationMatrix2D(
                (cols / 2, rows / 2), float(rng.uniform(-20, 20)), float(rng.uniform(0.8, 1.15))
            )
            found.append(cv2.warpAffine(pixels, matrix, (cols, rows)))
        elif which == 3:
            side = int(pixels.shape[1] * rng.uniform(0.6, 0.9))
            found.append(np.ascontiguousarray(pixels[:, :side]))
        elif which == 4:
            # In dim slices, nothing but fat is bright.
            power = rng.uniform(0.6, 2.5) * rng.uniform(0.8, 1.25, 3)
            found.append(np.rint(255 * (pixels / 255) ** power).astype(np.uint8))
        else:
            # The air of one sequence may be bright.
            lifted = pixels.astype(np.float32)
            lifted[..., rng.integers(3)] += rng.uniform(10, 130)
            found.append(np.rint(np.minimum(lifted, 255)).astype(np.uint8))
        if rng.random() < 0.25:
            scale = float(rng.uniform(0.2, 0.6))
            found[-1] = cv2.resize(
                found[-1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
    return found


def _head_features(pictures: Iterable[np.ndarray], keep_dark: bool = False) -> np.ndarray:
    # Nearly empty slices are not classified, so they do not count here.
    rows = (
        head_features.compute(head_features.resize(np.ascontiguousarray(pixels)))
        for pixels in pictures
    )
    return np.array(
        [list(row.values()) for row in rows if keep_dark or row["top"] >= check.DARK], np.float64
    )


def _order_features(items: Sequence[Slice]) -> np.ndarray:
    found = (
        channel_features.compute(head_features.resize(item.pixels))
        for item in items
        if corruptions.distinct(item.pixels)
    )
    return np.array([each for each in found if each is not None])


def measure(
    subsets: Mapping[str, Sequence[Slice]],
    corrupt: str,
    samples: Sequence[Slice],
    thresholds: Thresholds,
) -> dict:
    """Run the check on everything and return its scores.

    Args:
        subsets: Slices by subset; those of ``train`` are ignored.
        corrupt: The subset whose slices are corrupted and timed.
        samples: Synthetic slices.
        thresholds: Thresholds of the check.
    """
    shown = {name: items for name, items in subsets.items() if name != "train"}
    slices = [_as_they_are(*row, thresholds) for row in [*shown.items(), ("synthetic", samples)]]
    own = subsets[corrupt]
    damaged = _corrupted(
        [item for item in own[::CORRUPT_EVERY] if corruptions.corruptible(item)], thresholds
    )
    began = time.process_time()  # independent of the machine's load
    for item in own[:50]:
        check.check_slice(item.pixels, thresholds)
    spent = 1000 * (time.process_time() - began) / max(1, len(own[:50]))
    return {
        "slices": slices,
        "corrupted": damaged,
        "negatives": _negatives(thresholds),
        "milliseconds": round(spent, 1),
    }


def _as_they_are(name: str, items: Sequence[Slice], thresholds: Thresholds) -> dict:
    found = [check.check_slice(item.pixels, thresholds) for item in items]
    kinds = Counter(finding.kind for each in found for finding in each.findings)
    row = {
        "subset": name,
        "slices": len(found),
        "passed": sum(each.passed for each in found),
        "stopped": sum(each.stop is not None for each in found),
        "findings": dict(kinds.most_common()),
    }
    print(row, flush=True)
    return row


def _corrupted(items: Sequence[Slice], thresholds: Thresholds) -> list[dict]:
    rows = []

    def add(kind: str, what: str, pictures: Iterable[np.ndarray], counts: Sequence[str]) -> None:
        found = [check.check_slice(np.ascontiguousarray(p), thresholds) for p in pictures]
        caught = sum(any(f.kind in counts for f in each.findings) for each in found)
        rows.append({"kind": kind, "what": what, "pictures": len(found), "caught": caught})
        print(rows[-1], flush=True)

    whole = [item for item in items if corruptions.distinct(item.pixels)]
    for kind, (what, change, counts) in corruptions.CORRUPTIONS.items():
        chosen = whole if kind in corruptions.CHANNEL_CORRUPTIONS else items
        add(kind, what, (change(item.pixels) for item in chosen), counts)
    masks = [item.truth for item in items if item.truth is not None and item.truth.any()]
    pictures = (np.repeat(mask[..., None] * np.uint8(255), 3, axis=2) for mask in masks)
    add("mask", "the true mask", pictures, ("mask",))
    return rows


def _negatives(thresholds: Thresholds) -> list[dict]:
    rows = {kind: {"kind": kind, "pictures": 0, "masks": 0} for kind in negatives.KINDS}
    for kind, picture in negatives.pictures("score", SCORE_EACH, SEED):
        rows[kind]["pictures"] += 1
        rows[kind]["masks"] += check.check_slice(picture, thresholds).stop is None
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
