"""Two small U-Nets to compare, trained identically, one with skips and one without.

`python -m train skips` writes them and their scores; they are not in the registry.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from btmodels.errors import WeightsError
from btmodels.paths import ASSETS
from btmodels.registry import ModelSpec, Record

if TYPE_CHECKING:
    import keras

THRESHOLD = 0.5
"""Threshold on their probability, at which the experiment scores them."""

MODULE = "btmodels.networks."
"""Package of the builders: a file cannot cause the import of any other module."""


@dataclass(frozen=True)
class AblationNetwork:
    """One of the networks.

    Attributes:
        key: "joined" or "absent": whether its decoder gets the encoder's maps.
        title: Display name.
        path: Path of its weights.
        sha256: SHA-256 of its weights.
        builder: ``module:function``.
        input_shape, filters, skips: The builder's arguments.
    """

    key: str
    title: str
    path: Path
    sha256: str
    builder: str
    input_shape: tuple[int, int, int]
    filters: tuple[int, ...]
    skips: str

    def load(self) -> tuple[ModelSpec, Record, keras.Model]:
        """Build the network and load its verified weights.

        Raises:
            WeightsError: They are missing, altered or belong to another network.
        """
        from btmodels import weights

        try:
            found = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError:
            raise WeightsError(f"The weights of “{self.title}” are missing.") from None
        if found != self.sha256:
            raise WeightsError(
                f"The weights of “{self.title}” have been altered; they are not used."
            )
        module, function = self.builder.split(":")
        build = getattr(importlib.import_module(module), function)
        model = build(self.input_shape, self.filters, name=self.key, skips=self.skips)
        weights.load_into(model, self.path)
        spec = ModelSpec(self.key, "segment", self.builder, self.input_shape, self.title, "")
        record = Record(
            self.key, self.sha256, THRESHOLD, 1.0, False, 0, "", True, "python -m train skips", {}
        )
        return spec, record, model


def read_results(assets: Path = ASSETS) -> dict[str, Any]:
    """Return the results of ``python -m train skips``; empty if it has not been run."""
    try:
        return json.loads((assets / "metrics" / "skips.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def read_networks(assets: Path = ASSETS) -> dict[str, AblationNetwork]:
    """Return the networks to compare, by key; empty without the experiment's file."""
    results = read_results(assets)
    arms = {arm["key"]: arm for arm in results.get("arms", [])}
    return {
        entry["key"]: AblationNetwork(
            key=entry["key"],
            title=arms[entry["key"]]["title"],
            path=assets / "metrics" / "networks" / Path(entry["file"]).name,
            sha256=entry["sha256"],
            builder=entry["builder"],
            input_shape=tuple(entry["input_shape"]),
            filters=tuple(entry["filters"]),
            skips=entry["skips"],
        )
        for entry in results.get("networks", [])
        if entry["builder"].startswith(MODULE)
    }
