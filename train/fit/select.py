"""Choose a record's settings (threshold, temperature, clean-up) on the validation patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from scipy.optimize import minimize

from btmodels.measurement.verdict import in_stack
from btmodels.metrics.classification import roc_auc
from btmodels.metrics.overlap import count_by_patient, false_alarm_rate, mean_of, patient_dice
from btmodels.transforms.postprocess import binarize, sigmoid
from btmodels.transforms.preprocess import fit_to, normalize, quantize, restore
from train.fit.subset import Subset

THRESHOLDS = tuple(round(float(t), 2) for t in np.arange(0.2, 0.81, 0.05))
CHOOSING_SIZE = 256
"""Rows and columns at which settings are chosen for every network: those of the data set."""

BATCH = 16
"""Slices that a network gets at once."""

CLEAN_UPS = (0, 10, 20, 40, 80)
"""Sizes of the smallest part to keep, in pixels of a 256 x 256 slice."""

NEIGHBOR_WEIGHTS = (0.25, 0.5, 1.0)
"""Weights of the neighboring slices in the verdict's score that are tried."""

DICE_MARGIN, FOLD_MARGIN = 0.003, 0.001
"""Differences in mean Dice within which settings count as equally good: over the ten validation patients,
and over the eighty out-of-fold patients."""


def fit_temperature(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Return the temperature with the least cross-entropy (Guo et al. 2017, arXiv:1706.04599).

    Args:
        logits: float, (n,).
        labels: bool, (n,).
        weights: float, (n,), sample weights; None gives each a weight of 1.

    Returns:
        A temperature between 0.1 and 10, from a logarithmic grid of 2% steps; 1 without both classes.
    """
    if labels.all() or not labels.any():
        return 1.0
    signed = np.where(labels, -logits, logits).astype(np.float64)
    candidates = np.exp(np.linspace(np.log(0.1), np.log(10), 231))
    costs = [np.average(np.logaddexp(0, signed / t), weights=weights) for t in candidates]
    return round(float(candidates[int(np.argmin(costs))]), 4)


def predict_logits(model: keras.Model, subset: Subset, mirror: bool = False) -> np.ndarray:
    """Return the network's logits for every slice of a subset, float32, (n, ...) with the model's shape.

    Args:
        model: A classifier or segmenter.
        subset: Slices at its size or larger.
        mirror: Mirror the slices left to right, and mirror maps back.
    """
    size, parts = model.input_shape[1:3], []
    for start in range(0, len(subset.pixels), BATCH):
        batch = np.stack([normalize(p, size) for p in subset.pixels[start : start + BATCH]])
        batch = batch[:, :, ::-1] if mirror else batch
        # A short last batch would trigger another compilation.
        short = BATCH - len(batch)
        padded = np.concatenate([batch, np.zeros((short, *batch.shape[1:]), batch.dtype)])
        logits = np.asarray(model.predict_on_batch(padded))[: len(batch)].astype(np.float32)
        parts.append(logits[:, :, ::-1] if mirror and logits.ndim == 4 else logits)
    return np.concatenate(parts)


def mean_dice(model: keras.Model, subset: Subset) -> float | None:
    """Return the mean volumetric Dice over patients at threshold 0.5, without flips or clean-up."""
    masks = predict_logits(model, subset)[..., 0] >= 0
    counted = count_by_patient(masks, subset.masks > 127, subset.patients)
    return mean_of(patient_dice(counted).values())


def choose_for_classifier(model: keras.Model, subset: Subset) -> dict:
    """Fit the temperature, and choose the threshold by `_best_threshold`."""
    labels = subset.has_tumor
    plain, mirrored = (predict_logits(model, subset, mirror)[:, 0] for mirror in (False, True))
    temperature = fit_temperature(plain, labels)
    probability = (sigmoid(plain / temperature) + sigmoid(mirrored / temperature)) / 2
    return {
        "threshold": _best_threshold(probability, labels),
        "temperature": temperature,
        "flips": True,
        "min_component_pixels": 0,
        "validation_auc": round(roc_auc(probability, labels), 6),
    }


def _best_threshold(probability: np.ndarray, labels: np.ndarray) -> float:
    """Choose the threshold with the best sensitivity + specificity (Youden 1950).

    For two well-separated classes many thresholds are equally good. Of those within 0.005 of the best, the
    one nearest to 0.5 is chosen, the natural cut of a calibrated probability.
    """
    candidates = np.round(np.arange(0.01, 1.0, 0.01), 2)
    gains = np.array(
        [(probability[labels] >= t).mean() - (probability[~labels] >= t).mean() for t in candidates]
    )
    good = candidates[gains >= gains.max() - 0.005]
    return float(good[np.argmin(np.abs(good - 0.5))])


def logistic_regression(
    features: np.ndarray, labels: np.ndarray, weight_decay: float = 0.0
) -> tuple[np.ndarray, float]:
    """Fit a logistic regression with an L2 penalty.

    Args:
        features: float, (n, features).
        labels: bool, (n,).
        weight_decay: Strength of the penalty, which leaves out the intercept.

    Returns:
        Weights, float64, (features,), and the intercept.
    """
    signs = np.where(labels, -1.0, 1.0)
    given = np.c_[features.astype(np.float64), np.ones(len(features))]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins, decayed = signs * (given @ weights), np.r_[weights[:-1], 0.0]
        value = np.logaddexp(0, margins).mean() + weight_decay / 2 * decayed @ decayed
        gradient = given.T @ (signs * sigmoid(margins)) / len(labels)
        return value, gradient + weight_decay * decayed

    # Four digits of the weights are kept, which the default tolerance does not settle.
    found = minimize(loss, np.zeros(given.shape[1]), jac=True, tol=1e-9).x
    return found[:-1], float(found[-1])


def fit_verdict(scores: np.ndarray, labels: np.ndarray) -> dict[str, float] | None:
    """Fit a logistic regression on the slices' scores, and choose its threshold by `_best_threshold`.

    Args:
        scores: float, (n,), from `btmodels.measurement.verdict.top_log_odds`.
        labels: bool, (n,), whether each slice shows a tumor.

    Returns:
        The fields of a `btmodels.measurement.verdict.VerdictRule`; None without both classes.
    """
    if labels.all() or not labels.any():
        return None
    (slope,), intercept = logistic_regression(scores[:, None], labels)
    slope, intercept = round(float(slope), 4), round(intercept, 4)
    probability = sigmoid(slope * scores + intercept)
    threshold = _best_threshold(probability, labels)
    return {"slope": slope, "intercept": intercept, "threshold": threshold}


def fit_verdict_with_neighbors(
    scores: Sequence[np.ndarray], labels: Sequence[np.ndarray]
) -> dict[str, float] | None:
    """Choose the weight of the neighboring slices by the largest AUC, and do `fit_verdict` with it.

    Args:
        scores: Those of a patient's slices in stack order, float, (slices,), for each patient.
        labels: bool, (slices,), for each patient.

    Returns:
        As for `fit_verdict`.
    """
    tumor = np.concatenate(labels)

    def joined(weight: float) -> np.ndarray:
        return np.concatenate([in_stack(each, weight) for each in scores])

    weight = max(NEIGHBOR_WEIGHTS, key=lambda each: roc_auc(joined(each), tumor) or 0.0)
    found = fit_verdict(joined(weight), tumor)
    return found and found | {"neighbor_weight": weight}


def choose_for_segmenter(
    model: keras.Model, subset: Subset, cuts: Sequence[Mapping[str, float]] = ()
) -> dict:
    """Decide on flips, then choose threshold and clean-up by mean volumetric Dice, then by false alarms.

    A network trained on mirrored and unmirrored slices handles both equally well, so the average of the
    two views is compared with the mean score of each alone, not with the better one. Ten patients cannot
    distinguish settings within `DICE_MARGIN` of the best. If there are ``cuts``, they keep only thresholds
    within `FOLD_MARGIN` of the best out-of-fold score. Of the remaining settings, the one with the fewest
    false alarms is chosen.

    Args:
        model: A segmenter.
        subset: The validation patients' slices.
        cuts: Rows of its cross-validation: ``probability`` (before any temperature, ascending) and
            ``mean_dice``.
    """
    plain, mirrored = (predict_logits(model, subset, m)[..., 0] for m in (False, True))
    truth = subset.masks > 127
    small = np.stack([fit_to(mask, plain.shape[1:]) for mask in subset.masks]) > 127
    temperature = fit_temperature(plain.reshape(-1)[::17], small.reshape(-1)[::17])
    views = [
        np.stack([restore(each, *truth.shape[1:]) for each in sigmoid(logits / temperature)])
        for logits in (plain, mirrored)
    ]
    averaged = (views[0] + views[1]) / 2

    def score(probability: np.ndarray) -> float:
        return _score(quantize(probability), 0.5, 0, truth, subset.patients)["validation_dice"]

    flips = score(averaged) > mean_of(map(score, views))
    probability_maps = quantize(averaged if flips else views[0])
    chosen = {"temperature": temperature, "flips": flips}
    tried = [chosen | each for each in _try_all(probability_maps, truth, subset.patients)]
    best = max(entry["validation_dice"] for entry in tried)
    good = [entry for entry in tried if entry["validation_dice"] >= best - DICE_MARGIN]
    if cuts:
        out_of_fold = [_out_of_fold(entry, cuts) for entry in good]
        least = max(out_of_fold) - FOLD_MARGIN
        good = [entry for entry, dice_ in zip(good, out_of_fold, strict=True) if dice_ >= least]
    return min(
        good,
        key=lambda entry: fewest_alarms(
            entry["validation_false_alarm_rate"],
            entry["min_component_pixels"],
            entry["validation_dice"],
        ),
    )


def _try_all(
    probability_maps: np.ndarray, truth: np.ndarray, patients: tuple[str, ...]
) -> list[dict]:
    return [
        {
            "threshold": threshold,
            "min_component_pixels": parts,
            **_score(probability_maps, threshold, parts, truth, patients),
        }
        for threshold in THRESHOLDS
        for parts in CLEAN_UPS
    ]


def fewest_alarms(rate: float, parts: int, dice_: float) -> tuple[float, ...]:
    """Return a sort key for equally good settings: fewer false alarms, then more clean-up, then Dice."""
    return rate, -parts, -dice_


def _out_of_fold(entry: dict, cuts: Sequence[Mapping[str, float]]) -> float:
    """Return the out-of-fold score at this threshold, converted to a probability before temperature."""
    threshold = entry["threshold"]
    before = sigmoid(entry["temperature"] * np.log(threshold / (1 - threshold)))
    columns = ([cut[key] for cut in cuts] for key in ("probability", "mean_dice"))
    return float(np.interp(before, *columns))


def _score(
    probability_maps: np.ndarray,
    threshold: float,
    parts: int,
    truth: np.ndarray,
    patients: tuple[str, ...],
) -> dict:
    masks = [binarize(each, threshold, parts) for each in probability_maps]
    counted = count_by_patient(masks, truth, patients)
    alarms = false_alarm_rate(c for slices in counted.values() for c in slices)
    return {
        "validation_dice": round(mean_of(patient_dice(counted).values()), 6),
        "validation_false_alarm_rate": round(alarms or 0.0, 6),
    }
