"""The exact (Clopper-Pearson) confidence interval of a proportion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy.special import betaincinv


def exact_interval(found: int, trials: int) -> tuple[float, float]:
    """Return the exact 95% interval of a proportion (Clopper, Pearson 1934, Biometrika 26:404-413).

    The bootstrap gives no interval if all were found, because every resample would find all.

    Args:
        found: 0 to ``trials``.
        trials: At least 1.

    Raises:
        ValueError: The counts are out of range.
    """
    if not 0 <= found <= trials or trials < 1:
        raise ValueError(
            f"Found lies between 0 and trials, at least 1. Received: {found}, {trials}"
        )
    low = betaincinv(found, trials - found + 1, 0.025) if found else 0.0
    high = betaincinv(found + 1, trials - found, 0.975) if found < trials else 1.0
    return float(low), float(high)


def detection_interval(scores: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the exact 95% interval of the detection rate of patients; None if it was not scored.

    Args:
        scores: Scores of a subset, as `train.evaluate` writes them.
    """
    rate, patients = scores.get("detection_rate"), scores.get("patients") or {}
    trials = sum(bool(each.get("tumor_pixels")) for each in patients.values())
    if not isinstance(rate, int | float) or not trials:
        return None
    return exact_interval(round(rate * trials), trials)
