"""What a page may ask of a segmenter's inside, through `btmodels.inference.engine.Engine.ask`.

Importing this module is cheap: the web process names these functions, the worker runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from btmodels.inference import worker
from btmodels.teaching.skip_ablation import Twin, read_twins

if TYPE_CHECKING:
    from btmodels.inference.introspect import Probe

_probes: dict[tuple[str, Path], Probe] = {}


@dataclass(frozen=True)
class Maps:
    """Some of the maps that a layer gives out for a slice.

    Attributes:
        layer: Its name.
        shape: (rows, cols, channels) of all that it gives out.
        channels: Which of the channels these are, those that vary most first.
        levels: uint8, (len(channels), rows, cols): each map from its own least to its own largest value.
        low, high: Those values.
    """

    layer: str
    shape: tuple[int, int, int]
    channels: tuple[int, ...]
    levels: np.ndarray
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Sight:
    """What one pixel's logit depends on.

    Attributes:
        levels: uint8, (rows, cols) of the network's grid: square root of the gradient's size, of 255.
        rows, cols: First and last row and column where it is not exactly zero.
    """

    levels: np.ndarray
    rows: tuple[int, int]
    cols: tuple[int, int]


def activations(
    image: np.ndarray, name: str, layers: Sequence[str], most: int, assets: Path
) -> list[Maps]:
    """Do as `btmodels.inference.introspect.Probe.activations` for the network ``name``."""
    return _probe_of(name, assets).activations(image, layers, most)


def switched(image: np.ndarray, name: str, assets: Path) -> dict[tuple[bool, ...], np.ndarray]:
    """Do as `btmodels.inference.introspect.Probe.switched` for the network ``name``."""
    return _probe_of(name, assets).switched(image)


def sight(image: np.ndarray, name: str, row: int, col: int, assets: Path) -> Sight:
    """Do as `btmodels.inference.introspect.Probe.sight` for the network ``name``."""
    return _probe_of(name, assets).sight(image, row, col)


def segmented(image: np.ndarray, names: Sequence[str], assets: Path) -> list[np.ndarray]:
    """Segment a slice with each of the networks: uint8, (rows, cols), in 255ths."""
    return [worker.predictor_of(name, assets).segment([image])[0] for name in names]


def twins(image: np.ndarray, assets: Path) -> dict[str, dict[tuple[bool, ...], np.ndarray]]:
    """Segment a slice with the networks of `btmodels.teaching.skip_ablation`, by their key and setting
    of switches.

    The one that never had skips has the single setting of no switches at all.

    Raises:
        WeightsError: Their weights are missing or altered.
    """
    answers = {}
    for key, twin in read_twins(assets).items():
        probe = _probe_of_twin(twin, assets)
        answers[key] = probe.switched(image) if probe.skips else {(): probe.segment(image)}
    return answers


def _probe_of_twin(twin: Twin, assets: Path) -> Probe:
    held = _probes.get((twin.sha256, assets))
    if held is None:
        with worker.quiet():
            from btmodels.inference.introspect import Opened, Probe

            held = _probes[twin.sha256, assets] = Probe(Opened(*twin.load()))
    return held


def _probe_of(name: str, assets: Path) -> Probe:
    predictor = worker.predictor_of(name, assets)
    held = _probes.get((name, assets))
    if held is None or held.predictor is not predictor:
        from btmodels.inference.introspect import Probe

        held = _probes[name, assets] = Probe(predictor)
    return held
