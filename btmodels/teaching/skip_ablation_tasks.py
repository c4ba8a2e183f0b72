"""Run networks trained with and without skips, in the worker process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from btmodels import processes
from btmodels.teaching.skip_ablation import Twin, read_twins

if TYPE_CHECKING:
    from btmodels.inference.introspect import Probe

_probes: dict[tuple[str, Path], Probe] = {}


def twins(image: np.ndarray, assets: Path) -> dict[str, dict[tuple[bool, ...], np.ndarray]]:
    """Segment a slice with the networks of `btmodels.teaching.skip_ablation`.

    Returns:
        A probability map in 255ths, uint8, (rows, cols), by network key and by whether each skip is on;
        the network without skips has the single setting ``()``.

    Raises:
        WeightsError: Their weights are missing or altered.
    """
    answers = {}
    for key, twin in read_twins(assets).items():
        probe = _probe_of_twin(twin, assets)
        answers[key] = probe.ablate_skips(image) if probe.skips else {(): probe.segment(image)}
    return answers


def _probe_of_twin(twin: Twin, assets: Path) -> Probe:
    held = _probes.get((twin.sha256, assets))
    if held is None:
        with processes.quiet():
            from btmodels.inference.introspect import ModelBundle, Probe

            held = _probes[twin.sha256, assets] = Probe(ModelBundle(*twin.load()))
    return held
