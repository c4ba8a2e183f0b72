"""Two small U-Nets to compare, trained alike, one with skips and one without.

`python -m train skips` writes them and what it measured of them; they are no networks of the registry.
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
"""On their probability: what the experiment scores them at."""

MODULE = "btmodels.networks."
"""Where builders are: no other module is imported because a file names it."""


@dataclass(frozen=True)
class Twin:
    """One of the networks.

    Attributes:
        key: "joined" or "absent": what its decoder gets of the encoder.
        title: For people.
        path: Of its weights.
        sha256: That they have.
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
        """Build it and read its weights, verified.

        Raises:
            WeightsError: They are missing, altered or of another network.
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
    """Return what ``python -m train skips`` measured; empty where it has not been run."""
    try:
        return json.loads((assets / "metrics" / "skips.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def read_twins(assets: Path = ASSETS) -> dict[str, Twin]:
    """Return the networks there are to compare, by key; none without the experiment's file."""
    results = read_results(assets)
    arms = {arm["key"]: arm for arm in results.get("arms", [])}
    return {
        entry["key"]: Twin(
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
