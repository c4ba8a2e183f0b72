"""Write networks as ONNX graphs that run without TensorFlow (see `btmodels.inference.graph`).

Keras's own exporter makes the graph of a network with folded batch normalizations. Each kernel is then
removed and named by its path in the weights files. The steps from the file's array to the graph's (cast to
float32, multiply by the factor of a normalization, transpose to ONNX's order) become part of the graph; a
runtime runs them once, when it loads. The graph's SHA-256 goes into the record of the weights. Run this
after every command that writes weights.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btmodels import paths, registry
from btmodels.inference.graph import kernels
from train.provenance import read_json, write_bytes, write_json

LARGEST = 4096
"""Largest size of an array that stays in the graph: biases and factors, no kernels."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        nargs="+",
        choices=registry.SPECS,
        metavar="NAME",
        help="networks to write; defaults to all that have weights",
    )
    parser.add_argument("--assets", type=Path, default=paths.ASSETS, help="holds weights/")


def main(args: argparse.Namespace) -> int:
    """Write the graphs, and their SHA-256 into the records."""
    for name in args.model or registry.recorded(args.assets):
        size = export(name, args.assets)
        print(f"{name}: {size / 1e3:.0f} kB")
    return 0


def export(name: str, assets: Path = paths.ASSETS) -> int:
    """Write the graph of a network, and its SHA-256 into the record of the weights.

    Args:
        name: Registry name.
        assets: Folder with the weights.

    Returns:
        Size of the graph in bytes.

    Raises:
        WeightsError: The weights are missing or altered.
        ValueError: Keras wrote a large array that is no kernel of the network.
    """
    from btmodels import weights
    from btmodels.inference.heatmap import LAYERS, with_heatmap

    model, record = weights.load(name, assets)
    if name in LAYERS:
        model = with_heatmap(model, LAYERS[name])
    graph = graph_of(model, registry.weights_files(name, assets))
    path, record_path = registry.graph_path(name, assets), registry.record_path(name, assets)
    content = read_json(record_path) | {registry.GRAPH_KEY: hashlib.sha256(graph).hexdigest()}
    write_bytes(path, graph)
    write_json(record_path, content)
    return len(graph)


def graph_of(model: Any, weights: Mapping[str, Path]) -> bytes:
    """Return a Keras model as an ONNX graph without its kernels.

    Args:
        model: Functional model with the values of ``weights``.
        weights: Files with its kernels, as returned by `btmodels.registry.weights_files`.

    Returns:
        An ONNX model without the kernels that `btmodels.inference.graph.fill` adds.

    Raises:
        ValueError: A large array is not a kernel of the network.
    """
    import onnx
    from onnx import numpy_helper

    whole = _exported(model)
    stored = list(_kernels(model, dict(kernels(weights))))
    made, kept = [], []
    for tensor in whole.graph.initializer:
        values = numpy_helper.to_array(tensor)
        found = next((each for each in stored if each.makes(values)), None)
        if found is None:
            if values.size > LARGEST:
                raise ValueError(f"{tensor.name}, {values.shape}, is no kernel of {model.name}.")
            kept.append(tensor)
            continue
        nodes, constants = _steps(found, tensor.name, values)
        made += nodes
        kept += constants
    nodes = [*made, *whole.graph.node]
    graph = onnx.helper.make_graph(
        nodes, model.name, whole.graph.input, whole.graph.output, initializer=kept
    )
    for node in graph.node:
        node.ClearField("doc_string")
    done = onnx.helper.make_model(
        graph, opset_imports=whole.opset_import, ir_version=whole.ir_version
    )
    return done.SerializeToString(deterministic=True)


def _exported(model: Any) -> Any:
    import keras
    import onnx

    from btmodels.inference.fold_batchnorm import fold_batchnorm

    spec = keras.InputSpec(shape=(None, *model.input.shape[1:]), dtype="float32", name="slice")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter's, about NumPy
        path = Path(folder, "network.onnx")
        fold_batchnorm(model).export(path, format="onnx", verbose=False, input_signature=[spec])
        return onnx.load(path)


@dataclass(frozen=True, eq=False)
class _Kernel:
    """A kernel of a weights file.

    Attributes:
        path: Path in the file, after the member's name if there is one.
        values: float32, as in the network.
        factor: Factor of the normalization that follows, broadcastable to ``values``; None without one.
        half: Whether the file stores float16.
    """

    path: str
    values: np.ndarray
    factor: np.ndarray | None
    half: bool

    @property
    def folded(self) -> np.ndarray:
        return self.values if self.factor is None else self.values * self.factor

    def makes(self, values: np.ndarray) -> bool:
        """Return whether ``values`` are this folded kernel with its axes in some order."""
        return values.size == self.values.size and self.order(values) is not None

    def order(self, values: np.ndarray) -> tuple[int, ...] | None:
        """Return the order of axes in which this kernel equals ``values``, or None."""
        folded = self.folded
        for order in itertools.permutations(range(folded.ndim)):
            turned = folded.transpose(order)
            if np.array_equal(turned.reshape(values.shape), values):
                return order
        return None


def _kernels(model: Any, stored: dict[str, np.ndarray]) -> Iterator[_Kernel]:
    from btmodels.inference.fold_batchnorm import factors

    for values, factor in factors(model):
        for path, array in stored.items():
            same = array.size == values.size and array.ravel()[0] == values.ravel()[0]
            if same and np.array_equal(array.astype(np.float32).ravel(), values.ravel()):
                yield _Kernel(
                    path,
                    values.reshape(array.shape),
                    None if factor is None else factor.reshape(_tail(array, factor)),
                    array.dtype == np.float16,
                )
                break


def _tail(array: np.ndarray, factor: np.ndarray) -> tuple[int, ...]:
    # A depthwise kernel ends in channels and depth multiplier, whose product is its output channels.
    return factor.shape if array.shape[-1] == factor.size else array.shape[-2:]


def _steps(kernel: _Kernel, name: str, values: np.ndarray) -> tuple[list[Any], list[Any]]:
    """Return the nodes that compute the array ``name`` from a kernel, and the constants that they need."""
    from onnx import TensorProto, helper, numpy_helper

    order = kernel.order(values)
    steps: list[tuple[str, list[np.ndarray], dict[str, Any]]] = []
    if kernel.half:
        steps.append(("Cast", [], {"to": TensorProto.FLOAT}))
    if kernel.factor is not None:
        steps.append(("Mul", [np.ascontiguousarray(kernel.factor)], {}))
    if order != tuple(range(len(order))):
        steps.append(("Transpose", [], {"perm": order}))
    if kernel.values.transpose(order).shape != values.shape:
        steps.append(("Reshape", [np.array(values.shape, np.int64)], {}))
    if not steps:
        steps.append(("Identity", [], {}))
    nodes, constants, given = [], [], kernel.path
    for number, (kind, arrays, settings) in enumerate(steps):
        names = [f"{name}/{kind}" for _ in arrays]
        constants += [numpy_helper.from_array(a, n) for a, n in zip(arrays, names, strict=True)]
        made = name if number == len(steps) - 1 else f"{name}/{number}"
        nodes.append(helper.make_node(kind, [given, *names], [made], **settings))
        given = made
    return nodes, constants
