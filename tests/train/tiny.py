"""A made-up data folder in the data set's layout, and a network small enough to train in a test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tifffile

from btmodels import registry
from btmodels.networks import ensemble
from btmodels.networks.unet import build_unet
from btmodels.registry import ModelSpec
from train.experiments import crossval, screen
from train.fit import pretrained

SIZE = 32
SPLIT = {
    "train": ["TCGA_AA_0001_20000101", "TCGA_AA_0002_20000101"],
    "validation": ["TCGA_AA_0003_20000101"],
    "test": ["TCGA_AA_0004_20000101"],
    "reference": ["TCGA_AA_0005_20000101"],
    "folds": [],
}
SEGMENTER = ModelSpec(
    "unet", "segment", "tests.train.tiny:build_small", (SIZE, SIZE, 3), "Tiny U-Net", "none"
)


def build_small(input_shape, name) -> keras.Model:
    return build_unet(input_shape, filters=(4, 8), name=name)


def use_small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put U-Nets of 4 and 8 channels in the places of all segmenters, also within the ensemble.

    What commands hand on to each other depends on no network; `tests/btmodels/networks` and
    `tests/train/fit/test_pretrained.py` hold what is particular to each.
    """
    for name, spec in list(registry.SPECS.items()):
        if spec.members:
            small = replace(spec, input_shape=(128, 128, 3))
        elif spec.task == "segment":
            build = f"{__name__}:build_small"
            small = replace(spec, build=build, input_shape=(SIZE, SIZE, 3))
        else:
            small = replace(spec, input_shape=(64, 64, 3))
        monkeypatch.setitem(registry.SPECS, name, small)
    monkeypatch.setattr(ensemble, "build_unet", build_small)
    for module in (ensemble, screen):
        monkeypatch.setattr(module, "build_efficientnet_unet", build_small)
    segmenters = dict.fromkeys(crossval.SEGMENTERS, build_small)
    monkeypatch.setattr(crossval, "SEGMENTERS", segmenters)
    monkeypatch.setattr(pretrained, "DEFAULTS", dict.fromkeys(pretrained.DEFAULTS, "none"))


def make_slice(rng: np.random.Generator, tumor: bool) -> tuple[np.ndarray, np.ndarray]:
    """A gray head on black air, with a FLAIR-bright square where there is a tumor."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[4:28, 4:28] = rng.integers(80, 110, (24, 24, 3))
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if tumor:
        row, col = rng.integers(6, 16, 2)
        mask[row : row + 10, col : col + 10] = 255
        pixels[mask > 0, 1] = 220
    return pixels, mask


def make_data(root: Path, num_slices: int = 16) -> Path:
    """Write every patient of `SPLIT`; the reference patient's slices are garbage, so that opening one
    fails."""
    rng = np.random.default_rng(0)
    for subset in ("train", "validation", "test", "reference"):
        for folder in SPLIT[subset]:
            place = root / "kaggle_3m" / folder
            place.mkdir(parents=True)
            for number in range(1, num_slices + 1):
                stem = place / f"{folder}_{number}"
                if subset == "reference":
                    stem.with_suffix(".tif").write_bytes(b"not to be opened")
                    Path(f"{stem}_mask.tif").write_bytes(b"not to be opened")
                    continue
                pixels, mask = make_slice(rng, tumor=number % 2 == 0)
                tifffile.imwrite(stem.with_suffix(".tif"), pixels, photometric="rgb")
                tifffile.imwrite(f"{stem}_mask.tif", mask, photometric="minisblack")
    return root


def make_assets(root: Path) -> Path:
    """Write an assets folder that holds nothing but `SPLIT`."""
    place = root / "splits"
    place.mkdir(parents=True)
    (place / "patients.json").write_text(json.dumps(SPLIT), encoding="utf-8")
    return root
