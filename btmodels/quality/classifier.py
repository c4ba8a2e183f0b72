"""The small networks of the input check, from features to one score, in plain NumPy.

`python -m train quality` fits them and writes their coefficients, all thresholds of the check and the
origin of these to ``assets/quality/thresholds.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from btmodels.paths import ASSETS

CLIP = 4.0
"""Standardized features are clipped to +-CLIP, so that no single feature outweighs all others."""


@dataclass(frozen=True, eq=False)
class MLPEnsemble:
    """The mean of a few networks with one hidden layer.

    Attributes:
        mean, deviation: Mean and standard deviation of each feature, (features,).
        hidden: (networks, features, units).
        hidden_bias: (networks, units).
        out: (networks, units).
        out_bias: (networks,).
    """

    mean: np.ndarray
    deviation: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    out: np.ndarray
    out_bias: np.ndarray

    def score(self, figures: np.ndarray) -> np.ndarray:
        """Return a score for each row of features, (rows, features) -> (rows,).

        Formula: mean over networks of out · tanh(hidden · clip((x - mean) / deviation) + b) + c.
        """
        rows = np.clip((np.atleast_2d(figures) - self.mean) / self.deviation, -CLIP, CLIP)
        total = np.zeros(len(rows))
        for hidden, bias, out, end in zip(
            self.hidden, self.hidden_bias, self.out, self.out_bias, strict=True
        ):
            total += np.tanh(rows @ hidden + bias) @ out + end
        return total / len(self.hidden)


@dataclass(frozen=True, eq=False)
class Thresholds:
    """Networks and thresholds of the check.

    Attributes:
        head: Scores whether a picture is a slice of a head.
        order: Scores an order of the channels.
        values: Thresholds by name.
    """

    head: MLPEnsemble
    order: MLPEnsemble
    values: dict[str, float]


def thresholds_path(assets: Path = ASSETS) -> Path:
    """Return the path of the thresholds' file."""
    return assets / "quality" / "thresholds.json"


def load_thresholds(assets: Path = ASSETS) -> Thresholds | None:
    """Read the thresholds; None if this copy of the project has none."""
    path = thresholds_path(assets)
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


def from_json(content: dict[str, Any]) -> Thresholds:
    """Return the thresholds from a file's content."""
    return Thresholds(
        _ensemble(content["head"]), _ensemble(content["order"]), content["thresholds"]
    )


def to_json(ensemble: MLPEnsemble) -> dict[str, Any]:
    """Return an ensemble as JSON, rounded to four decimals."""
    # float64, because a float32 0.1 would be written as 0.10000000149011612.
    return {key: np.round(np.float64(value), 4).tolist() for key, value in vars(ensemble).items()}


def _ensemble(content: dict[str, Any]) -> MLPEnsemble:
    names = MLPEnsemble.__dataclass_fields__
    return MLPEnsemble(**{name: np.asarray(content[name], np.float64) for name in names})


@lru_cache(maxsize=2)
def _parsed(path: Path, mtime_ns: int) -> Thresholds:
    return from_json(json.loads(path.read_text(encoding="utf-8")))
