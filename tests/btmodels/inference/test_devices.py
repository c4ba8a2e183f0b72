"""A GPU is found, named and used as it can be, on a machine that has none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import tensorflow as tf

from btmodels import processes
from btmodels.inference import precision, worker


@pytest.fixture
def devices(monkeypatch):
    """Make TensorFlow tell of other devices than there are."""

    def pretend(*details: dict) -> None:
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(details))
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda each: each)

    return pretend


def test_the_first_gpu_is_named_else_the_processor_with_its_cores(devices, monkeypatch):
    monkeypatch.setattr(worker, "_runtime", "keras")
    devices({"device_name": "NVIDIA H200"}, {"device_name": "another"})
    assert worker.device() == "GPU, NVIDIA H200"
    devices({})
    assert worker.device() == "GPU, unnamed"
    devices()
    monkeypatch.setattr(precision, "fastest_policy", lambda: "float32")
    for cores, words in ((1, "CPU, 1 core, Keras"), (6, "CPU, 6 cores, Keras")):
        monkeypatch.setattr(worker.loky, "cpu_count", lambda cores=cores: cores)
        assert worker.device() == words


def test_a_gpus_memory_is_taken_as_it_is_needed_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
    assert processes.environment()["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    assert processes.environment()["TF_FORCE_GPU_ALLOW_GROWTH"] == "false"


ON_JAX = """
import keras, numpy as np
from btmodels.inference.graph import GraphPredictor
from btmodels.inference.predict import Predictor
pixels = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
mine = Predictor("sequential", policy="float32").segment([pixels])[0]
theirs = GraphPredictor("sequential").segment([pixels])[0]
assert keras.backend.backend() == "jax"
assert np.abs(mine.astype(int) - theirs.astype(int)).max() <= 1
"""


@pytest.mark.networks
def test_keras_on_jax_marks_what_the_finished_graph_marks():
    pytest.importorskip("jax")
    words = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", ON_JAX], env=os.environ | words, check=True)
