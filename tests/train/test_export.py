"""A network is exported to a graph that gives its answers, and its record names that graph."""

from __future__ import annotations

import hashlib
import json

import keras
import numpy as np
import pytest
from keras import layers

from btmodels import registry, weights
from btmodels.errors import GraphError
from btmodels.inference import heatmap
from btmodels.inference.graph import GraphPredictor
from btmodels.inference.predict import Predictor
from tests.btmodels.conftest import write_record
from train import __main__ as train
from train import export

pytest.importorskip("tf2onnx")


def build_every_kind(input_shape, name):
    """Every kind of layer with a kernel, normalized and not, in a network within a network."""
    inputs = keras.Input(input_shape, name="slice")
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, name="conv")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(name="norm")(x))
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="depthwise_norm")(x))
    skip = x
    inner = keras.Input((None, None, 6))
    y = layers.Conv2D(8, 3, strides=2, padding="same", name="down")(inner)
    y = layers.BatchNormalization(name="lonely_norm")(layers.ReLU()(y))
    x = keras.Model(inner, layers.Conv2DTranspose(6, 2, strides=2, name="up")(y), name="inner")(x)
    x = layers.Concatenate()([x, skip])
    return keras.Model(inputs, layers.Conv2D(1, 1, dtype="float32", name="logits")(x), name=name)


def build_classifier(input_shape, name):
    inputs = keras.Input(input_shape, name="slice")
    x = layers.Conv2D(5, 3, padding="same", activation="relu", name="maps")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(1, dtype="float32", name="logits")(x), name=name)


@pytest.fixture
def assets(monkeypatch, tmp_path):
    """Weights of two small networks in the places of the U-Net and of the classifier."""
    builders = {"unet": build_every_kind, "resnet50": build_classifier}
    for name, builder in builders.items():
        spec = registry.SPECS[name]
        values = {**spec.__dict__, "input_shape": (16, 24, 3)}
        values["build"] = f"{__name__}:{builder.__name__}"
        monkeypatch.setitem(registry.SPECS, name, registry.ModelSpec(**values))
        model = weights.build(name)
        rng = np.random.default_rng(3)
        # Positive, for some are variances.
        model.set_weights([rng.uniform(0.2, 0.9, each.shape) for each in model.get_weights()])
        centered = [v - 0.5 if v.ndim > 1 else v for v in model.get_weights()]
        model.set_weights(centered)
        sha256 = weights.save_float16(model, registry.weights_path(name, tmp_path))
        write_record(name, tmp_path, sha256=sha256, parameters=model.count_params())
    monkeypatch.setattr(heatmap, "LAYERS", {"resnet50": "maps"})
    return tmp_path


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_graph_answers_as_keras_does(assets, runtime):
    pytest.importorskip(runtime)
    assert train.main(["export", "--assets", str(assets)]) == 0
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (16, 24, 3), dtype=np.uint8) for _ in range(3)]
    kept = {"runtime": runtime, "half": False}
    ours, theirs = GraphPredictor("unet", assets, **kept), Predictor("unet", assets, "float32")
    found, expected = np.stack(ours.segment(images)), np.stack(theirs.segment(images))
    assert np.ptp(expected) > 20, "maps that are all alike prove nothing"
    assert np.abs(found.astype(int) - expected).max() <= 1
    ours, theirs = (
        GraphPredictor("resnet50", assets, **kept),
        Predictor("resnet50", assets, "float32"),
    )
    assert ours.classify(images) == pytest.approx(theirs.classify(images), abs=1e-5)
    batch = rng.normal(size=(3, 16, 24, 3)).astype(np.float32)
    assert theirs.heatmap(batch).max() > 0
    assert ours.heatmap(batch) == pytest.approx(theirs.heatmap(batch), abs=1e-5)


def test_the_record_names_the_graph_and_new_weights_have_none(assets):
    before = json.loads(registry.record_path("unet", assets).read_text(encoding="utf-8"))
    export.export("unet", assets)
    record = json.loads(registry.record_path("unet", assets).read_text(encoding="utf-8"))
    graph = registry.graph_path("unet", assets).read_bytes()
    assert record == before | {registry.GRAPH_KEY: hashlib.sha256(graph).hexdigest()}
    assert {path.name for path in (assets / "weights").iterdir()} >= {"unet.onnx", "unet.json"}
    write_record("unet", assets, sha256=before["sha256"])  # as `fit` does
    with pytest.raises(GraphError, match="not the one"):
        registry.verify_graph("unet", assets)


def test_no_kernel_stays_in_the_graph(assets):
    import onnx

    export.export("unet", assets)
    graph = onnx.load(registry.graph_path("unet", assets)).graph
    sizes = [int(np.prod(tensor.dims)) for tensor in graph.initializer]
    assert max(sizes) == 8, "biases and factors of at most eight channels"
    stored = {each for node in graph.node for each in node.input if each.startswith("layers/")}
    assert len(stored) == 5, "as many kernels as the network has layers with one"


def test_an_array_that_is_no_kernel_is_refused(assets, monkeypatch):
    monkeypatch.setattr(export, "LARGEST", 0)
    with pytest.raises(ValueError, match="is no kernel of unet"):
        export.export("unet", assets)
