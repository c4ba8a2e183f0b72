"""Run networks trained with and without skips, in the worker process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from btmodels import processes
from btmodels.teaching.skip_ablation import AblationNetwork, read_networks

if TYPE_CHECKING:
    from btmodels.inference.introspect import Probe

_probes: dict[tuple[str, Path], Probe] = {}


def predictions(image: np.ndarray, assets: Path) -> dict[str, dict[tuple[bool, ...], np.ndarray]]:
    """Segment a slice with the networks of `btmodels.teaching.skip_ablation`.

    Returns:
        A probability map in 255ths, uint8, (rows, cols), by network key and by whether each skip is on;
        the network without skips has the single setting ``()``.

    Raises:
        WeightsError: Their weights are missing or altered.
    """
    answers = {}
    for key, network in read_networks(assets).items():
        probe = _probe_of(network, assets)
        answers[key] = probe.ablate_skips(image) if probe.skips else {(): probe.segment(image)}
    return answers


def _probe_of(network: AblationNetwork, assets: Path) -> Probe:
    held = _probes.get((network.sha256, assets))
    if held is None:
        with processes.quiet():
            from btmodels.inference.introspect import ModelBundle, Probe

            held = _probes[network.sha256, assets] = Probe(ModelBundle(*network.load()))
    return held
