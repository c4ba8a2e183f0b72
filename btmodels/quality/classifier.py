"""Small networks that the doctor asks: figures in, one number out, in plain numpy.

`python -m train doctor` fits them and writes their coefficients, with all limits of the doctor and
where they come from, to ``assets/doctor/limits.json``.
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
"""Standardized figures are clipped to +-CLIP: nothing that one figure says outweighs all others."""


@dataclass(frozen=True)
class Judge:
    """The mean of a few networks of one hidden layer.

    Attributes:
        mean, deviation: Of the figures, (features,).
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
        """Return one number for each row of figures, (rows, features) -> (rows,).

        Formula: mean over networks of out · tanh(hidden · clip((x - mean) / deviation) + b) + c.
        """
        rows = np.clip((np.atleast_2d(figures) - self.mean) / self.deviation, -CLIP, CLIP)
        total = np.zeros(len(rows))
        for hidden, bias, out, end in zip(
            self.hidden, self.hidden_bias, self.out, self.out_bias, strict=True
        ):
            total += np.tanh(rows @ hidden + bias) @ out + end
        return total / len(self.hidden)


@dataclass(frozen=True)
class Limits:
    """All that the doctor goes by.

    Attributes:
        scope: Judges whether a picture is a slice of a head.
        order: Judges in which order channels stand.
        values: Limits by name.
    """

    scope: Judge
    order: Judge
    values: dict[str, float]


def limits_path(assets: Path = ASSETS) -> Path:
    """Where the limits lie."""
    return assets / "doctor" / "limits.json"


def load_limits(assets: Path = ASSETS) -> Limits | None:
    """Read the limits; None where this copy of the project has none."""
    path = limits_path(assets)
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


def from_json(content: dict[str, Any]) -> Limits:
    """Return the limits that a file holds."""
    return Limits(_judge(content["scope"]), _judge(content["order"]), content["limits"])


def to_json(judge: Judge) -> dict[str, Any]:
    """Return a judge as JSON holds it, rounded to what matters."""
    return {key: np.round(value, 4).tolist() for key, value in vars(judge).items()}


def _judge(content: dict[str, Any]) -> Judge:
    names = Judge.__dataclass_fields__
    return Judge(**{name: np.asarray(content[name], np.float64) for name in names})


@lru_cache(maxsize=2)
def _parsed(path: Path, mtime_ns: int) -> Limits:
    return from_json(json.loads(path.read_text(encoding="utf-8")))
