"""What cross-validated segmenters drew: probability maps kept, and the masks and figures made of them.

A fold's maps lie in ``runs``, in ``fold-N/maps.npz``. Its masks, which `train associate` reads, lie beside
them in ``fold-N/masks.npz`` with ``patients``, ``numbers`` and ``masks``, bits packed along the last axis.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from btmodels.slices import Patient
from btmodels.transforms.postprocess import RULE, drop_small_parts, lowest_level
from btmodels.transforms.preprocess import restore, to_levels
from train.evaluate.scoring import headline
from train.fit.select import predict_logits, sigmoid
from train.fit.subset import Subset

CUTS = tuple(round(float(cut), 2) for cut in np.arange(0.05, 0.71, 0.05))
"""Probabilities at which masks may be cut, before any temperature."""

HALF = CUTS.index(0.5)

TOP_PIXELS = 50
"""How many of a slice's highest pixels say whether it shows a tumor."""


@dataclass(frozen=True, eq=False)
class Maps:
    """What was drawn for a fold's slices, at their own size.

    Attributes:
        levels: uint8, (n, rows, cols), probability in 255ths, before any temperature.
        truth: bool, the same shape.
        patients: Folder of each slice's patient.
        numbers: The number in each slice's file name.
    """

    levels: np.ndarray
    truth: np.ndarray
    patients: tuple[str, ...]
    numbers: tuple[int, ...]

    def slices_of(self, folder: str) -> np.ndarray:
        """Return the indices of a patient's slices in the order of the stack."""
        own = np.flatnonzero(np.array(self.patients) == folder)
        return own[np.argsort(np.array(self.numbers)[own])]


def both_views(model: keras.Model, slices: Subset) -> np.ndarray:
    """Return the mean probability of slices as they are and mirrored: float, (n,) or (n, rows, cols)."""
    plain, mirrored = (sigmoid(predict_logits(model, slices, m)[..., 0]) for m in (False, True))
    return (plain + mirrored) / 2


def draw_maps(model: keras.Model, slices: Subset, patients: Mapping[str, Patient]) -> Maps:
    """Draw the maps of a fold.

    Args:
        model: A segmenter.
        slices: Of the fold's patients, at the model's size or larger, with their numbers.
        patients: By folder.
    """
    files = {(name, f.number): f for name, patient in patients.items() for f in patient.files}
    names = tuple(map(str, slices.patients))
    levels, truths = [], []
    for map_, name, number in zip(both_views(model, slices), names, slices.numbers, strict=True):
        truth = cohort.read_slice(patients[name], files[name, number]).truth
        levels.append(to_levels(restore(map_, *truth.shape)))
        truths.append(truth)
    return Maps(np.stack(levels), np.stack(truths), names, tuple(map(int, slices.numbers)))


def keep_maps(maps: Maps, path: Path) -> None:
    """Write a fold's maps, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez_compressed(
            file,
            levels=maps.levels,
            truth=np.packbits(maps.truth, axis=-1),
            patients=np.array(maps.patients),
            numbers=np.array(maps.numbers),
        )
    partial.replace(path)


def read_maps(path: Path) -> Maps:
    """Read what `keep_maps` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        levels = kept["levels"]
        truth = np.unpackbits(kept["truth"], axis=-1, count=levels.shape[-1]).astype(bool)
        return Maps(
            levels, truth, tuple(map(str, kept["patients"])), tuple(map(int, kept["numbers"]))
        )


def read_masks(path: Path) -> dict[str, dict[int, np.ndarray]]:
    """Read the masks of a fold: by patient and slice number, bool, (rows, cols)."""
    found: dict[str, dict[int, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as kept:
        masks = np.unpackbits(kept["masks"], axis=-1).astype(bool)
        for name, number, mask in zip(kept["patients"], kept["numbers"], masks, strict=True):
            found.setdefault(str(name), {})[int(number)] = mask
    return found


def count_at_cuts(maps: Maps) -> dict[str, list[list[Counts]]]:
    """Count each patient's slices at each of `CUTS`: by folder, by cut, by slice of the stack."""
    lowest = [lowest_level(cut) for cut in CUTS]
    found = {}
    for folder in dict.fromkeys(maps.patients):
        rows = []
        for index in maps.slices_of(folder):
            levels, truth = maps.levels[index], maps.truth[index]
            inside, outside = (
                # Pixels at a level or above it.
                np.bincount(levels[where], minlength=256)[::-1].cumsum()[::-1]
                for where in (truth, ~truth)
            )
            rows.append(
                [
                    Counts(
                        int(inside[level]),
                        int(outside[level]),
                        int(inside[0] - inside[level]),
                        int(outside[0] - outside[level]),
                    )
                    for level in lowest
                ]
            )
        found[folder] = [list(column) for column in zip(*rows, strict=True)]
    return found


def slice_scores(maps: Maps) -> dict[str, dict[str, list]]:
    """Return how strongly each slice's `TOP_PIXELS` highest pixels speak for a tumor.

    Returns:
        By folder, in the order of the stack: ``numbers`` of the slices, ``tumor`` (0 or 1) and
        ``log_odds``, the mean of those pixels.
    """
    found = {}
    for folder in dict.fromkeys(maps.patients):
        own = maps.slices_of(folder)
        pixels = maps.levels[own].reshape(len(own), -1)
        top = np.sort(pixels, axis=1)[:, -TOP_PIXELS:]
        # A level stands for all probabilities that round to it, 0 and 255 for half as many.
        probability = np.clip(top / 255, 0.25 / 255, 1 - 0.25 / 255)
        found[folder] = {
            "numbers": [maps.numbers[index] for index in own],
            "tumor": [int(maps.truth[index].any()) for index in own],
            "log_odds": np.log(probability / (1 - probability)).mean(axis=1).round(4).tolist(),
        }
    return found


def by_cut(counted: Mapping[str, list[list[Counts]]]) -> list[dict[str, float]]:
    """Return ``probability``, ``mean_dice`` of patients and ``false_alarm_rate`` at each of `CUTS`."""
    rows = []
    for index, cut in enumerate(CUTS):
        scored = [overlap.score_patient(counts[index]) for counts in counted.values()]
        empty = sum(each["empty_slices"] for each in scored)
        alarms = sum(each["false_alarm_slices"] for each in scored)
        rows.append(
            {
                "probability": cut,
                "mean_dice": round(overlap.mean_of(each["dice"] for each in scored), 6),
                "false_alarm_rate": round(alarms / empty, 6) if empty else 0.0,
            }
        )
    return rows


def figures_of(
    facts: list[dict], drawn: list[Maps], choosing: Collection[str], places: list[Path]
) -> dict:
    """Cut the maps of some folds at one half, keep the masks, and return a cross-validation's figures.

    ``chosen_cut`` has the figures where each fold is cut at what is best for the patients of the others, so
    that neither network nor cut has met those who are judged.

    Args:
        facts: Of each fold, how it was trained.
        drawn: Of each fold.
        choosing: Folders of the patients by whom the site's threshold may be chosen: none of the test
            patients.
        places: Folder of each fold, for its masks.
    """
    at_cuts: dict[str, list[list[Counts]]] = {}
    cleaned: dict[str, list[Counts]] = {}
    folds = []
    for fact, maps, place in zip(facts, drawn, places, strict=True):
        masks = maps.levels >= lowest_level(CUTS[HALF])
        np.savez_compressed(
            place / "masks.npz",
            patients=np.array(maps.patients),
            numbers=np.array(maps.numbers),
            masks=np.packbits(masks, axis=-1),
        )
        own = count_at_cuts(maps)
        at_cuts |= own
        cleaned |= {folder: _count_cleaned(maps, masks, folder) for folder in own}
        volumetric = [overlap.score_patient(counts[HALF])["dice"] for counts in own.values()]
        folds.append({**fact, "mean_dice": overlap.mean_of(volumetric)})
    counted = {folder: counts[HALF] for folder, counts in at_cuts.items()}
    cuts = [_best_cut(at_cuts, without=maps) for maps in drawn]
    elsewhere = [
        at_cuts[folder][cut]
        for cut, maps in zip(cuts, drawn, strict=True)
        for folder in dict.fromkeys(maps.patients)
    ]
    by = {folder: at_cuts[folder] for folder in sorted(set(choosing) & set(at_cuts))}
    return {
        **headline(list(counted.values())),
        "whole_patient": {"rule": RULE, **headline(list(cleaned.values()))},
        "chosen_cut": {"by_fold": [CUTS[cut] for cut in cuts], **headline(elsewhere)},
        "cuts": {"patients": len(by), "rows": by_cut(by)} if by else None,
        "counts": {
            folder: [[each.tp, each.fp, each.fn] for each in map(overlap.total, counts)]
            for folder, counts in at_cuts.items()
        },
        "slice_scores": {
            folder: {"fold": fact["fold"], **scores}
            for fact, maps in zip(facts, drawn, strict=True)
            for folder, scores in slice_scores(maps).items()
        },
        "patients": {folder: overlap.score_patient(each) for folder, each in counted.items()},
        "folds": folds,
    }


def _best_cut(at_cuts: Mapping[str, list[list[Counts]]], without: Maps) -> int:
    """Index of the cut that is best for all patients but a fold's own; one half where there are none."""
    others = {k: counts for k, counts in at_cuts.items() if k not in set(without.patients)}
    rows = by_cut(others) if others else []
    return max(range(len(rows)), key=lambda index: rows[index]["mean_dice"], default=HALF)


def _count_cleaned(maps: Maps, masks: np.ndarray, folder: str) -> list[Counts]:
    own = maps.slices_of(folder)
    kept = drop_small_parts(list(masks[own]))
    return [overlap.count(m, t) for m, t in zip(kept, maps.truth[own], strict=True)]
