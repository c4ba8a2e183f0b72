"""Networks to compare are read only if file and hash agree, and each has its skips or none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from btmodels import weights
from btmodels.errors import WeightsError
from btmodels.inference.introspect import ModelBundle, Probe
from btmodels.networks.unet import build_unet
from btmodels.teaching import skip_ablation, skip_ablation_tasks

SHAPE, FILTERS = (16, 16, 3), (2, 4)


@pytest.fixture
def assets(tmp_path):
    """Two tiny untrained networks and the file that describes them."""
    networks = []
    for key in ("joined", "absent"):
        file = f"{key}.weights.h5"
        path = tmp_path / "metrics" / "networks" / file
        sha256 = weights.save_float16(build_unet(SHAPE, FILTERS, skips=key), path)
        networks.append(
            {
                "key": key,
                "file": file,
                "sha256": sha256,
                "builder": "btmodels.networks.unet:build_unet",
                "input_shape": SHAPE,
                "filters": FILTERS,
                "skips": key,
            }
        )
    arms = [{"key": key, "title": key.title()} for key in ("joined", "zeroed", "absent")]
    write(tmp_path, {"networks": networks, "arms": arms})
    return tmp_path


def write(assets, results: dict) -> None:
    (assets / "metrics" / "skips.json").write_text(json.dumps(results))


@pytest.mark.usefixtures("eager")
def test_both_answer_and_one_has_switches(assets):
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    found = skip_ablation_tasks.predictions(image, assets)
    assert list(found["joined"]) == [(True,), (False,)] and list(found["absent"]) == [()]
    assert all(levels.shape == (20, 30) for each in found.values() for levels in each.values())
    probe = Probe(ModelBundle(*skip_ablation.read_networks(assets)["joined"].load()))
    assert np.abs(found["joined"][True,].astype(int) - probe.segment(image)).max() <= 1
    assert (found["joined"][True,] != found["joined"][False,]).any()


def test_an_altered_or_missing_file_is_refused(assets):
    (network, other) = skip_ablation.read_networks(assets).values()
    content = bytearray(network.path.read_bytes())
    content[-1] ^= 1
    network.path.write_bytes(content)
    with pytest.raises(WeightsError, match="“Joined” have been altered"):
        network.load()
    other.path.unlink()
    with pytest.raises(WeightsError, match="“Absent” are missing"):
        other.load()


def test_without_the_experiment_there_are_none(tmp_path):
    assert (
        skip_ablation.read_networks(tmp_path) == {} and skip_ablation.read_results(tmp_path) == {}
    )


def test_a_builder_of_others_is_never_imported(assets):
    results = skip_ablation.read_results(assets)
    results["networks"][0]["builder"] = "os:system"
    write(assets, results)
    assert list(skip_ablation.read_networks(assets)) == ["absent"]
