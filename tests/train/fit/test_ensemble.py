"""Members are put together, read and exported without a second copy of their weights."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from btmodels import registry, weights
from btmodels.inference.graph import GraphPredictor
from btmodels.inference.predict import Predictor
from btmodels.networks.ensemble import MEMBERS
from tests.btmodels.conftest import of_members, write_record
from tests.train.tiny import SEGMENTER, SIZE, build_small, make_assets, make_data
from train.__main__ import main
from train.fit.ensemble import NAME


def build_mean(input_shape, name) -> keras.Model:
    inputs = keras.Input(input_shape, name="slice")
    answers = [build_small(input_shape, member)(inputs) for member in MEMBERS]
    return keras.Model(inputs, layers.Average(dtype="float32")(answers), name=name)


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """Random weights of two tiny members."""
    joined = replace(SEGMENTER, build=f"{__name__}:build_mean", members=MEMBERS)
    for name, spec in {**dict.fromkeys(MEMBERS, SEGMENTER), NAME: joined}.items():
        monkeypatch.setitem(registry.SPECS, name, replace(spec, name=name, title=name))
    assets = make_assets(tmp_path / "assets")
    for number, name in enumerate(MEMBERS):
        keras.utils.set_random_seed(number)
        sha256 = weights.save_float16(weights.build(name), registry.weights_path(name, assets))
        write_record(name, assets, sha256=sha256, epochs=2, training_seconds=30)
    return assets


def combine(assets) -> int:
    data = make_data(assets.parent / "data", num_slices=4)
    return main(["combine", "--data", str(data), "--assets", str(assets)])


def test_the_ensemble_is_its_members_and_no_further_file(assets, eager):
    assert combine(assets) == 0
    record = registry.verify_weights(NAME, assets)
    members = {name: registry.load_record(name, assets).sha256 for name in MEMBERS}
    assert record.extra["members"] == members and record.extra["epochs"] == 4
    names = {file.name for file in (assets / "weights").iterdir()}
    assert names == {f"{name}{end}" for name in MEMBERS for end in (".json", ".weights.h5")} | {
        "ensemble.json"
    }
    slices = np.random.default_rng(0).normal(size=(2, SIZE, SIZE, 3)).astype(np.float32)
    apart = [weights.load(name, assets)[0](slices).numpy() for name in MEMBERS]
    assert np.abs(apart[0] - apart[1]).max() > 0.1, "members that agree prove nothing"
    together = weights.load(NAME, assets)[0](slices).numpy()
    assert together == pytest.approx(np.mean(apart, axis=0), abs=1e-6)


def test_its_graph_is_filled_from_its_members_files(assets):
    pytest.importorskip("tf2onnx")
    write_record(NAME, assets, **of_members(NAME, assets))
    assert main(["export", "--assets", str(assets), "--model", NAME]) == 0
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8) for _ in range(2)]
    found = np.stack(GraphPredictor(NAME, assets).segment(images)).astype(int)
    expected = np.stack(Predictor(NAME, assets, "float32").segment(images))
    assert np.ptp(expected) > 20, "maps that are all alike prove nothing"
    assert np.abs(found - expected).max() <= 1


def test_the_record_stays_until_all_is_chosen(assets, monkeypatch):
    write_record(NAME, assets, **of_members(NAME, assets))
    path = registry.record_path(NAME, assets)
    before = path.read_bytes()

    def killed(*_):
        assert path.read_bytes() == before
        raise KeyboardInterrupt

    monkeypatch.setattr("train.fit.publish.choose_for_segmenter", killed)
    with pytest.raises(KeyboardInterrupt):
        combine(assets)
    assert path.read_bytes() == before


def test_an_altered_member_is_not_taken(assets, capsys):
    registry.weights_path(MEMBERS[0], assets).write_bytes(b"altered")
    assert combine(assets) == 1
    assert "has been altered" in capsys.readouterr().out
    assert not registry.record_path(NAME, assets).exists()
