"""Functions that pages call through `btmodels.inference.engine.Engine.ask` to look inside a segmenter.

Importing this module is cheap: the web process refers to these functions, the worker runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from btmodels.inference import worker
from btmodels.inference.introspect_types import ActivationMaps, Saliency

if TYPE_CHECKING:
    from btmodels.inference.introspect import Probe

_probes: dict[tuple[str, Path], Probe] = {}


def activations(
    image: np.ndarray, name: str, layers: Sequence[str], most: int, assets: Path
) -> list[ActivationMaps]:
    """Call `btmodels.inference.introspect.Probe.activations` for the network ``name``."""
    return _probe_of(name, assets).activations(image, layers, most)


def ablate_skips(image: np.ndarray, name: str, assets: Path) -> dict[tuple[bool, ...], np.ndarray]:
    """Call `btmodels.inference.introspect.Probe.ablate_skips` for the network ``name``."""
    return _probe_of(name, assets).ablate_skips(image)


def saliency(image: np.ndarray, name: str, row: int, col: int, assets: Path) -> Saliency:
    """Call `btmodels.inference.introspect.Probe.saliency` for the network ``name``."""
    return _probe_of(name, assets).saliency(image, row, col)


@worker.by_graphs
def segment(image: np.ndarray, names: Sequence[str], assets: Path) -> list[np.ndarray]:
    """Segment a slice with each of the networks: uint8, (rows, cols), in 255ths."""
    return [worker.get_predictor(name, assets).segment([image])[0] for name in names]


def _probe_of(name: str, assets: Path) -> Probe:
    predictor = worker.get_keras_predictor(name, assets)
    held = _probes.get((name, assets))
    if held is None or held.predictor is not predictor:
        from btmodels.inference.introspect import Probe

        held = _probes[name, assets] = Probe(predictor)
    return held
