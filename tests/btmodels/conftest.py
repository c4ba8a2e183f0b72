"""Weights for tests that need a network and do not mind what it answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from btmodels import registry

RECORD = {
    "threshold": 0.5,
    "temperature": 1.5,
    "flips": True,
    "min_component_pixels": 0,
    "split_sha256": "0" * 64,
    "complete": True,
    "command": "a test",
    "versions": {},
}


def write_record(name: str, assets: Path, **changes) -> None:
    """Write the record of weights that lie in ``assets`` or, with ``sha256``, need not."""
    path = registry.record_path(name, assets)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": name, **RECORD, **changes}), encoding="utf-8")


def of_members(name: str, assets: Path) -> dict:
    """Return what the record of a network says of its members' weights in ``assets``."""
    members = registry.get(name).members
    hashes = {member: registry.load_record(member, assets).sha256 for member in members}
    return {"sha256": registry.members_sha256(hashes), registry.MEMBERS_KEY: hashes}


SMALL = ("sequential", "resnet50")
"""A segmenter and a classifier whose graphs are loaded in a moment."""


@pytest.fixture(scope="session")
def small_assets(tmp_path_factory) -> Path:
    """An assets folder with copies of `SMALL`: weights, records and graphs."""
    assets = tmp_path_factory.mktemp("small")
    (assets / "weights").mkdir()
    for name in SMALL:
        for path in (registry.weights_path, registry.record_path, registry.graph_path):
            shutil.copy(path(name), path(name, assets))
    return assets


@pytest.fixture(scope="session")
def noise() -> list[np.ndarray]:
    """Twelve slices of noise, the last of another size."""
    generator = np.random.default_rng(7)
    sizes = [(256, 256)] * 11 + [(90, 200)]
    return [generator.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
