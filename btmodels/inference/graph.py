"""Run a network without TensorFlow: an ONNX graph, filled with the verified weights.

``assets/weights/<name>.onnx`` holds the operations of a network and its small constants. It refers to
kernels by their path in the weights file, and in an ensemble by the member's name and the path in the
member's file. So kernels are stored once, and the graph takes about a hundred kilobytes. `train export`
writes it and puts its SHA-256 into the record of the weights.

OpenVINO runs it if installed; otherwise ONNX Runtime does. Masks are computed in float32, as they were
scored: bfloat16 changes a probability by up to 12 of 255 levels. A verdict changes by less than 0.01, so
OpenVINO computes it in bfloat16 on processors that support it, in half the time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import h5py
import loky
import numpy as np

from btmodels import paths, registry
from btmodels.inference.predictor import SlicePredictor
from btmodels.transforms.postprocess import sigmoid

Runtime = Literal["openvino", "onnxruntime"]

TITLES: dict[str, str] = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}
"""Display names of the runtimes."""

BATCH = 2
"""Slices in a call. The graph sees them one by one: larger batches are no faster on a CPU, and make another
visitor wait longer."""

Run = Callable[[np.ndarray], list[np.ndarray]]
"""From normalized views, float32, (views, rows, cols, 3), to the graph's outputs."""

_FIRST_CALL = threading.Lock()
_FLOAT16, _FLOAT32 = 10, 1
"""Tensor data types of ONNX."""


def fastest_runtime() -> Runtime:
    """Return the faster installed runtime (see `train.bench.runtimes`)."""
    return "openvino" if find_spec("openvino") else "onnxruntime"


class GraphPredictor(SlicePredictor):
    """A network of the registry as an exported graph: `btmodels.inference.predict.Predictor` without Keras.

    Args:
        name: Registry name or alias.
        assets: Folder that holds ``weights/``.
        runtime: Runs the graph; None uses the fastest installed one.
        half: Whether OpenVINO may compute in bfloat16 if the processor supports it; None allows it for
            classifiers only.

    Raises:
        KeyError: There is no such network.
        WeightsError: Its weights are missing or altered.
        GraphError: Its graph is missing or altered.

    Attributes:
        spec, record, batch: As in `btmodels.inference.predictor.SlicePredictor`.
        runtime: The one that runs the graph.
        numbers: Compute dtype, "float32" or "bfloat16".
    """

    def __init__(
        self,
        name: str,
        assets: Path = paths.ASSETS,
        runtime: Runtime | None = None,
        half: bool | None = None,
    ) -> None:
        spec = registry.get(name)
        graph, record = registry.read_graph(spec.name, assets)
        super().__init__(spec, record, BATCH)
        self.runtime = runtime or fastest_runtime()
        model = fill(graph, registry.weights_files(spec.name, assets))
        shape = (self.views, *spec.input_shape)
        self.numbers = "float32"
        if self.runtime == "openvino":
            half = spec.task == "classify" if half is None else half
            self._run, self.numbers = _openvino(model, shape, half)
        else:
            self._run = _onnxruntime(model)

    def is_warm(self, size: int) -> bool:
        return True  # a graph is compiled when it is loaded, and runs slices one by one

    def forward(self, batch: np.ndarray) -> np.ndarray:
        return np.concatenate([self._mean(each) for each in batch])

    def plain(self, batch: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [self._probability(some)[:count] for some, count in self._some(batch)]
        )

    def heatmap(self, batch: np.ndarray) -> np.ndarray:
        self.expect("classify")
        return np.concatenate(
            [self._run(some)[1][:count, ..., 0] for some, count in self._some(batch)]
        )

    def _mean(self, view: np.ndarray) -> np.ndarray:
        if not self.record.flips:
            return self._probability(view[None])
        straight, mirrored = self._probability(np.stack([view, view[:, ::-1]]))
        if self.spec.task == "segment":
            mirrored = mirrored[:, ::-1]
        return ((straight + mirrored) / 2)[None]

    def _some(self, batch: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        # Yield batches of the size that the graph was compiled for, and the number of real views in each.
        for start in range(0, len(batch), self.views):
            some = batch[start : start + self.views]
            yield np.resize(some, (self.views, *batch.shape[1:])), len(some)

    def _probability(self, views: np.ndarray) -> np.ndarray:
        logits = self._run(np.ascontiguousarray(views))[0] / np.float32(self.record.temperature)
        return sigmoid(logits)


def fill(graph: bytes, weights: Mapping[str, Path]) -> bytes:
    """Return a graph with the kernels that it refers to.

    Args:
        graph: An ONNX model without its kernels.
        weights: Files that hold the kernels, from `btmodels.registry.weights_files`.

    Returns:
        A complete ONNX model.
    """
    tensors = b"".join(_field(5, _tensor(name, values)) for name, values in kernels(weights))
    # In Protocol Buffers, concatenating two messages merges them.
    return graph + _field(7, tensors)


def kernels(weights: Mapping[str, Path]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every array with at least two axes in weights files.

    Args:
        weights: HDF5 files by member, or one under "".

    Yields:
        Its path in the file, after the member's name if there is one, and the array.
    """
    for member, path in weights.items():
        with h5py.File(path) as file:
            for name, values in _arrays(file):
                yield f"{member}{name}".lstrip("/"), values


def _arrays(group: h5py.Group) -> Iterator[tuple[str, np.ndarray]]:
    for item in group.values():
        if isinstance(item, h5py.Group):
            yield from _arrays(item)
        elif item.ndim > 1:
            yield item.name, np.asarray(item)


def _tensor(name: str, values: np.ndarray) -> bytes:
    # TensorProto of ONNX: dims 1, data_type 2, name 8, raw_data 9.
    kind = _FLOAT16 if values.dtype == np.float16 else _FLOAT32
    dims = b"".join(b"\x08" + _varint(size) for size in values.shape)
    return dims + b"\x10" + _varint(kind) + _field(8, name.encode()) + _field(9, values.tobytes())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _onnxruntime(model: bytes) -> Run:
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = loky.cpu_count()
    options.log_severity_level = 3  # no warnings about unused arrays
    # Spinning threads would take CPU time from the pages; an arena would never free its memory.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return lambda views: session.run(None, {given.name: views})


def _openvino(model: bytes, shape: Sequence[int], half: bool) -> tuple[Run, str]:
    # OpenVINO's model converter sends telemetry when imported, and is not needed here.
    for module in ("openvino.tools.ovc", "openvino_telemetry"):
        sys.modules.setdefault(module, None)
    import openvino

    core = openvino.Core()
    network = core.read_model(model)
    network.reshape(list(shape))
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": loky.cpu_count()}
    if not half:
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    compiled = core.compile_model(network, "CPU", settings)
    half = compiled.get_property("INFERENCE_PRECISION_HINT") == openvino.Type.bf16
    request = compiled.create_infer_request()

    def run(views: np.ndarray) -> list[np.ndarray]:
        found = request.infer([views])
        return [np.array(found[place]) for place in range(len(found))]

    # OpenVINO's Python binding builds its type tables in the first call. Two simultaneous first calls
    # deadlock: one thread holds the table's lock, the other the GIL.
    with _FIRST_CALL:
        run(np.zeros(shape, np.float32))
    return run, "bfloat16" if half else "float32"
