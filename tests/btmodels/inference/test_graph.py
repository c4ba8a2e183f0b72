"""A finished graph says what Keras says, from the same weights, and sends nothing anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from btmodels import registry
from btmodels.dataset import cohort
from btmodels.errors import GraphError, WeightsError
from btmodels.inference import graph as graphs
from btmodels.inference.graph import GraphPredictor

ROOT = Path(__file__).resolve().parents[3]
DEFAULTS = tuple(registry.get(name).name for name in ("default", "default-classifier"))
RUNTIMES = ("onnxruntime", "openvino")


@pytest.fixture(scope="module")
def slices() -> list[np.ndarray]:
    """Slices of the bundled cohort, with tumor and without."""
    patients = cohort.read_cohort(cohort.samples_root())
    files = [(patient, file) for patient in patients for file in patient.files]
    return [cohort.read_slice(*each).pixels for each in files[:: len(files) // 6]]


@pytest.fixture(scope="module")
def by_keras(slices) -> dict[str, np.ndarray]:
    from btmodels.inference.predict import Predictor

    found = {}
    for name in DEFAULTS:
        predictor = Predictor(name, policy="float32")
        segments = predictor.spec.task == "segment"
        found[name] = (predictor.segment if segments else predictor.classify)(slices)
        if not segments:
            found["heat"] = predictor.heatmap(normalized(predictor, slices))
    return found


def normalized(predictor, slices) -> np.ndarray:
    from btmodels.transforms.preprocess import normalize

    return np.stack([normalize(each, predictor.spec.input_shape[:2]) for each in slices])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_masks_verdicts_and_heat_are_those_of_keras(runtime, slices, by_keras):
    pytest.importorskip(runtime)
    segmenter, classifier = DEFAULTS
    locate = GraphPredictor(segmenter, runtime=runtime, half=False)
    found = np.stack(locate.segment(slices)).astype(int)
    expected = np.stack(by_keras[segmenter])
    assert expected.max() > 200, "slices without a tumor prove little"
    assert np.abs(found - expected).max() <= 1
    judge = GraphPredictor(classifier, runtime=runtime, half=False)
    assert judge.classify(slices) == pytest.approx(by_keras[classifier], abs=1e-3)
    heat = judge.heatmap(normalized(judge, slices))
    assert heat == pytest.approx(by_keras["heat"], abs=1e-3 * float(by_keras["heat"].max()))


def test_masks_are_computed_in_float32_and_verdicts_in_what_is_fast(slices, by_keras):
    pytest.importorskip("openvino")
    locate, judge = (GraphPredictor(name, runtime="openvino") for name in DEFAULTS)
    assert locate.numbers == "float32"
    assert judge.classify(slices) == pytest.approx(by_keras[DEFAULTS[1]], abs=0.02)


def test_one_view_is_one_view_however_many_come(slices):
    predictor = GraphPredictor("sequential")
    batch = normalized(predictor, slices[:3])
    alone = np.concatenate([predictor.plain(each[None]) for each in batch])
    assert predictor.plain(batch) == pytest.approx(alone, abs=1e-6)
    views = predictor.plain(np.stack([batch[0], batch[0][:, ::-1]]))
    mean = (views[0] + views[1][:, ::-1]) / 2 if predictor.record.flips else views[0]
    assert predictor.forward(batch[:1])[0] == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("name", [n for n in registry.SPECS if registry.record_path(n).exists()])
def test_every_committed_network_has_its_graph(name):
    graph, record = registry.read_graph(name)
    assert record.name == name and len(graph) < 1_000_000


def filled(files: dict[str, Path]) -> dict[str, np.ndarray]:
    onnx = pytest.importorskip("onnx")
    model = onnx.ModelProto()
    model.ParseFromString(graphs.fill(b"", files))
    return {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}


def test_a_graph_is_filled_by_names_of_the_weights_file(tmp_path):
    kernel, bias = np.arange(6, dtype=np.float16).reshape(2, 3), np.ones(3, np.float16)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["layers/dense/vars/0"], file["layers/dense/vars/1"] = kernel, bias
        file["layers/other/vars/0"] = np.full((1, 300), 0.5, np.float32)
    found = filled({"": tmp_path / "w.h5"})
    assert list(found) == ["layers/dense/vars/0", "layers/other/vars/0"], "kernels alone"
    assert found["layers/dense/vars/0"].dtype == np.float16
    assert (found["layers/dense/vars/0"] == kernel).all()
    assert found["layers/other/vars/0"].shape == (1, 300)


def test_kernels_of_members_are_told_apart_by_the_members_names(tmp_path):
    files = {name: tmp_path / f"{name}.h5" for name in ("one", "two")}
    for number, path in enumerate(files.values()):
        with h5py.File(path, "w") as file:
            file["layers/conv/vars/0"] = np.full((2, 2), number, np.float16)
    found = filled(files)
    assert list(found) == ["one/layers/conv/vars/0", "two/layers/conv/vars/0"]
    assert [values.max() for values in found.values()] == [0, 1]


def test_a_missing_or_altered_graph_is_refused(small_assets, tmp_path):
    import shutil

    shutil.copytree(small_assets, tmp_path / "assets")
    path = registry.graph_path("sequential", tmp_path / "assets")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(GraphError, match="not the one"):
        GraphPredictor("sequential", tmp_path / "assets")
    path.unlink()
    with pytest.raises(GraphError, match="no finished graph"):
        GraphPredictor("sequential", tmp_path / "assets")
    registry.weights_path("sequential", tmp_path / "assets").unlink()
    with pytest.raises(WeightsError, match="missing"):
        GraphPredictor("sequential", tmp_path / "assets")


def test_each_network_has_its_task():
    predictor = GraphPredictor("sequential")
    with pytest.raises(ValueError, match="does not classify"):
        predictor.classify([])
    assert predictor.segment([]) == []


SOCKETS = """
import os, sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith("socket.") else None)
import numpy as np
from btmodels.inference.graph import GraphPredictor
GraphPredictor("sequential", runtime={runtime!r}).segment([np.zeros((8, 8, 3), np.uint8)])
from pathlib import Path
files = Path("/proc/self/fd").glob("*")  # of native code, too
seen += [str(each) for each in files if each.is_socket()]
print(seen, *(bool(sys.modules.get(n)) for n in ("tensorflow", "keras", "openvino_telemetry")))
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_nothing_is_sent_and_no_framework_is_loaded(runtime):
    pytest.importorskip(runtime)
    code = SOCKETS.format(runtime=runtime)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["[]", "False", "False", "False"]
