"""A predictor does what its record says: temperature, flips, size, and nothing without its weights."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from btmodels import registry
from btmodels.errors import WeightsError
from btmodels.inference.precision import CPU_BATCH
from btmodels.inference.predict import Predictor
from btmodels.transforms.preprocess import normalize
from tests.btmodels.conftest import SMALL, of_members, write_record

SIZE = 128
SEGMENTER, CLASSIFIER = SMALL
pytestmark = pytest.mark.usefixtures("eager")  # compiled, they answer in test_committed_weights.py


@pytest.fixture(autouse=True)
def small_inputs(monkeypatch):
    """Both networks work at other sizes; small slices make the tests quick."""
    for name, spec in list(registry.SPECS.items()):
        monkeypatch.setitem(registry.SPECS, name, replace(spec, input_shape=(SIZE, SIZE, 3)))


def copy_network(name: str, assets: Path, **changes) -> None:
    """Copy a shipped network and its members, with a record that says other things."""
    (assets / "weights").mkdir(exist_ok=True)
    records = [registry.record_path(each) for each in (name, *registry.get(name).members)]
    for file in (*registry.weights_files(name).values(), *records):
        shutil.copy(file, assets / "weights")
    path = registry.record_path(name, assets)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


@pytest.fixture
def with_record(tmp_path):
    """Make a predictor of the shipped weights with another record."""

    def make(name: str, **changes) -> Predictor:
        copy_network(name, tmp_path, **changes)
        # Exact figures need float32; what bfloat16 moves is measured in test_precision.py.
        return Predictor(name, tmp_path, "float32")

    return make


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def logits_of(predictor: Predictor, image: np.ndarray) -> np.ndarray:
    batch = normalize(image, (SIZE, SIZE))[None]
    return np.asarray(predictor.model(batch, training=False), np.float64)[0, ..., 0]


@pytest.mark.parametrize("rows, cols", [(64, 64), (256, 256), (90, 200), (33, 20), (1, 1)])
def test_a_map_has_its_slices_own_size(with_record, rows, cols):
    image = np.random.default_rng(0).integers(0, 256, (rows, cols, 3), dtype=np.uint8)
    (probability_map,) = with_record(SEGMENTER).segment([image])
    assert probability_map.dtype == np.uint8
    assert probability_map.shape == (rows, cols)


def test_temperature_divides_the_logits(with_record, noise):
    image, temperature = noise[0], 2.5
    judge = with_record(CLASSIFIER, flips=False, temperature=temperature)
    expected = sigmoid(logits_of(judge, image) / temperature)
    assert judge.classify([image]) == pytest.approx([expected], abs=1e-4)

    locate = with_record(SEGMENTER, flips=False, temperature=temperature)
    image = image[:SIZE, :SIZE]
    expected = np.rint(255 * sigmoid(logits_of(locate, image) / temperature))
    assert np.abs(locate.segment([image])[0] - expected).max() <= 1


def test_flips_average_the_mirrored_slice(with_record, noise):
    image = np.ascontiguousarray(noise[0][:SIZE, :SIZE])
    mirrored = np.ascontiguousarray(image[:, ::-1])
    locate = with_record(SEGMENTER, flips=True, temperature=1.0)
    straight = sigmoid(logits_of(locate, image))
    back = sigmoid(logits_of(locate, mirrored))[:, ::-1]
    # Half of it is how far the mean lies from either: more than the level of rounding allowed below.
    assert np.abs(straight - back).max() > 3 / 255, (
        "a network that needs no flips shows nothing here"
    )
    (probability_map,) = locate.segment([image])
    assert np.abs(probability_map - np.rint(255 * (straight + back) / 2)).max() <= 1

    judge = with_record(CLASSIFIER, flips=True, temperature=1.0)
    both = [sigmoid(logits_of(judge, each)) for each in (image, mirrored)]
    assert judge.classify([image]) == pytest.approx([np.mean(both)], abs=1e-4)


def test_company_does_not_change_an_answer(with_record, noise):
    assert len(noise) > CPU_BATCH
    locate = with_record(SEGMENTER)
    together, alone = locate.segment(noise), [locate.segment([each])[0] for each in noise]
    assert all((a == b).all() for a, b in zip(together, alone, strict=True))
    judge = with_record(CLASSIFIER)
    assert judge.classify(noise) == pytest.approx(
        [judge.classify([each])[0] for each in noise], abs=1e-6
    )


def test_nothing_is_written_to_answer(with_record, noise, tmp_path, monkeypatch):
    import tensorflow as tf

    tf.config.run_functions_eagerly(False)  # compiling is what could leave files behind
    locate = with_record(SEGMENTER, flips=True)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    locate.segment(noise[:1])
    assert not list((tmp_path / "temporary").iterdir())


def test_no_slices_give_no_answers(with_record):
    assert with_record(SEGMENTER).segment([]) == []
    assert with_record(CLASSIFIER).classify([]).shape == (0,)


def test_each_network_has_its_task(with_record, noise):
    with pytest.raises(ValueError, match="does not classify"):
        with_record(SEGMENTER).classify(noise[:1])
    with pytest.raises(ValueError, match="does not segment"):
        with_record(CLASSIFIER).segment(noise[:1])


def test_one_altered_byte_is_refused(tmp_path):
    copy_network("ensemble", tmp_path)
    path = registry.weights_files("ensemble", tmp_path)["unet"]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="altered"):
        Predictor("ensemble", tmp_path)


def test_weights_of_another_network_are_refused(tmp_path):
    copy_network("ensemble", tmp_path)
    shutil.copy(registry.weights_path(CLASSIFIER), registry.weights_path("unet", tmp_path))
    write_record("unet", tmp_path, sha256=registry.load_record(CLASSIFIER).sha256)
    write_record("ensemble", tmp_path, **of_members("ensemble", tmp_path))
    for name in ("unet", "ensemble"):
        with pytest.raises(WeightsError, match="does not hold weights of the network unet"):
            Predictor(name, tmp_path)


def test_missing_weights_are_said(tmp_path):
    with pytest.raises(WeightsError, match="no weights for ResUNet"):
        Predictor("default", tmp_path)
