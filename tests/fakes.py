"""Stand-ins for tests of pages: an engine without networks and a cohort of two small patients."""

from __future__ import annotations

from concurrent.futures import Future
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from btmodels import paths, registry
from btmodels.errors import EngineError
from btmodels.inference import engine, introspect_types
from btmodels.inference.engine import EngineStatus, NetworkStatus
from btmodels.quality import check
from btmodels.slices import Prediction

THRESHOLD = 0.42
SIZE = 48
PATIENTS = ("TCGA_ZZ_0001_20260101", "TCGA_ZZ_0002_20260101")
BUNDLED = ("SYNT_ZZ_0001_20260101",)


class FakeEngine:
    """Takes the FLAIR channel for the segmenter's probability map; counts what it is asked."""

    def __init__(self, state: str = "warm", message: str = "", fails: bool = False) -> None:
        self.state, self.message, self.fails = state, message, fails
        self.asked: list[int] = []

    def start(self) -> None:
        if self.state == "cold":
            self.state = "warm"

    def status(self) -> EngineStatus:
        networks = {
            "ensemble": NetworkStatus("verified"),
            "resnet50": NetworkStatus("unfinished", "Its training goes on."),
        }
        return EngineStatus(self.state, "CPU", self.message, 1, networks)

    def submit(self, images, segmenter="default", classifier="default-classifier"):
        answer = Future()
        if self.fails:
            answer.set_exception(EngineError("The networks did not answer."))
            return answer
        self.asked.append(len(images))
        answer.set_result(
            [
                Prediction(0.9 if (pixels[..., 1] > 200).any() else 0.1, pixels[..., 1].copy())
                for pixels in images
            ]
        )
        return answer

    def ask(self, function, *args):
        """Answer as `btmodels.inference.introspect_tasks` would, with maps that are all alike."""
        if self.fails:
            raise EngineError("The networks did not answer.")
        return getattr(self, f"_{function.__name__}")(*args)

    def _segment(self, image, names):
        return [image[..., 1].copy() for _ in names]

    def _ablate_skips(self, image, name):
        return {
            setting: image[..., 1] if all(setting) else np.zeros_like(image[..., 1])
            for setting in product((True, False), repeat=4)
        }

    def _predictions(self, image):
        return {"joined": self._ablate_skips(image, ""), "absent": {(): image[..., 1]}}

    def _activations(self, image, name, layers, most):
        size, few = (8, 8), 2
        maps = np.zeros((few, *size), np.uint8)
        return [
            introspect_types.ActivationMaps(layer, (*size, 4), (0, 1), maps, (0.0, 0.0), (1.0, 1.0))
            for layer in layers
        ]

    def _saliency(self, image, name, row, col):
        return introspect_types.Saliency(np.zeros((128, 128), np.uint8), (row, row), (col, col))

    def _compute_gradcam(self, image, name):
        return SimpleNamespace(heatmap=np.zeros(image.shape[:2], np.uint8))

    def close(self) -> None:
        pass


def record(name: str, assets: Path = paths.ASSETS) -> registry.Record:
    """A record for any network, whether or not its weights are there."""
    return registry.Record(
        name=registry.get(name).name,
        sha256="ab" * 32,
        threshold=THRESHOLD,
        temperature=1.0,
        flips=True,
        min_component_pixels=4,
        split_sha256="cd" * 32,
        complete=True,
        command="train",
        versions={},
    )


def slice_and_mask(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A gray head; in slices of even number a bright square that the expert marked too."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[4:-4, 4:-4] = 70 + number
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if number % 2 == 0:
        pixels[10:20, 10:20, 1] = 255
        mask[10:20, 12:22] = 255
    return pixels, mask


def write_cohort(root: Path, patients: tuple[str, ...] = PATIENTS, slices: int = 3) -> Path:
    """Write patients in the data set's layout; return the folder ``kaggle_3m``."""
    for patient in patients:
        folder = root / "kaggle_3m" / patient
        folder.mkdir(parents=True)
        for number in range(1, slices + 1):
            pixels, mask = slice_and_mask(number)
            tifffile.imwrite(folder / f"{patient}_{number}.tif", pixels)
            tifffile.imwrite(folder / f"{patient}_{number}_mask.tif", mask)
    return root / "kaggle_3m"


def use(monkeypatch: pytest.MonkeyPatch, fake: FakeEngine) -> FakeEngine:
    """Put ``fake`` in the engine's place, and records of verified weights beside it."""
    monkeypatch.setattr(engine, "get_engine", lambda: fake)
    # The input check would rightly stop the squares that stand for heads here; it has tests of its own.
    monkeypatch.setattr(
        check, "check_slice", lambda pixels, limits=None, spacing=None: check.QualityReport()
    )
    monkeypatch.setattr(registry, "load_record", record)
    monkeypatch.setattr(registry, "verify_weights", record)
    # What is kept of the real records does not hold for these, nor the other way around.
    monkeypatch.setattr(registry, "stamp", lambda: (object(),))
    return fake
