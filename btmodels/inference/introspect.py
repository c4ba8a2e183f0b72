"""Look inside a segmenter: activation maps, its output without skips, and the saliency map of a pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import keras
import numpy as np
from keras import ops

from btmodels.inference.introspect_types import ActivationMaps, Saliency
from btmodels.inference.predict import Predictor, compiled
from btmodels.registry import ModelSpec, Record
from btmodels.transforms.postprocess import sigmoid
from btmodels.transforms.preprocess import normalize, quantize, restore

TOGETHER = 8
"""Settings of the skips that pass the decoder in one batch; more would be slower and take more memory."""


def gradient_of_pixel(model: keras.Model, batch: Any, row: Any, col: Any) -> Any:
    """Return the gradient of one pixel's logit with respect to the slice.

    Args:
        model: Segmenter, (1, rows, cols, channels) to logits (1, rows, cols, 1).
        batch: float32, (1, rows, cols, channels), one normalized slice.
        row, col: Position of the pixel.

    Returns:
        A tensor of the shape of ``batch``: 0 wherever the logit does not depend on the slice.
    """
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda x: model(x, training=False)[0, row, col, 0])(batch)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        watched = tf.convert_to_tensor(batch)
        tape.watch(watched)
        logit = model(watched, training=False)[0, row, col, 0]
    return tape.gradient(logit, watched)


@dataclass(frozen=True)
class ModelBundle:
    """The parts of a `Predictor` that a probe needs, for a network that is not in the registry."""

    spec: ModelSpec
    record: Record
    model: keras.Model


class Probe:
    """Looks inside a segmenter with or without skip connections.

    Args:
        predictor: Provides the network and its record.

    Attributes:
        predictor: As given.
        skips: Names of the layers that join a skip, from full resolution down.
    """

    def __init__(self, predictor: Predictor | ModelBundle) -> None:
        self.predictor = predictor
        model = predictor.model
        joins = [layer for layer in model.layers if layer.name.endswith("_skip")]
        joins.sort(key=lambda layer: -layer.output.shape[1])
        self.skips = tuple(layer.name for layer in joins)
        self._watchers: dict[tuple[str, ...], Callable[[Any], Any]] = {}
        self._gradient = compiled(lambda *args: gradient_of_pixel(model, *args))
        self._ablate = compiled(self._ablated) if joins else None
        if joins:
            # Split the network at the skips: the encoder maps the slice to the decoder's inputs, the
            # decoder maps these to the logits. In between, each skip can be multiplied by 1 or 0.
            from_below, kept = joins[-1].input[0], [layer.input[1] for layer in joins]
            self._encoder = keras.Model(model.input, [from_below, *kept], name="encoder")
            self._decoder = keras.Model([from_below, *kept], model.output, name="decoder")

    def activations(
        self, image: np.ndarray, names: Sequence[str], most: int = 16
    ) -> list[ActivationMaps]:
        """Return the activation maps of layers for a slice.

        Args:
            image: uint8, (rows, cols, 3), 0 to 255.
            names: Names of the layers.
            most: Maximum number of maps per layer; those that vary most across this slice are kept.

        Raises:
            ValueError: The network has no such layer.
        """
        names = tuple(names)
        if names not in self._watchers:
            model = self.predictor.model
            outputs = [model.get_layer(name).output for name in names]
            watched = keras.Model(model.input, outputs)
            self._watchers[names] = compiled(lambda batch: watched(batch, training=False))
        found = self._watchers[names](self._normalized(image)[None])
        found = found if isinstance(found, (list, tuple)) else [found]
        return [
            _maps(name, ops.convert_to_numpy(ops.cast(values, "float32"))[0], most)
            for name, values in zip(names, found, strict=True)
        ]

    def ablate_skips(self, image: np.ndarray) -> dict[tuple[bool, ...], np.ndarray]:
        """Segment a slice with every combination of skips on and off.

        A skip that is off gives the decoder zeros, which it never saw in training.

        Args:
            image: uint8, (rows, cols, 3), 0 to 255.

        Returns:
            A probability map in 255ths, uint8, (rows, cols) of the slice, keyed by whether each of `skips`
            is on; with all of them on, it equals the result of `Predictor.segment`.

        Raises:
            ValueError: The network has no skips.
        """
        if not self.skips:
            raise ValueError(f"{self.predictor.spec.title} has no skip connections.")
        settings = list(product((True, False), repeat=len(self.skips)))
        batch = self._normalized(image)[None]
        answers = {}
        for start in range(0, len(settings), TOGETHER):
            some = settings[start : start + TOGETHER]
            gates = np.ones((min(TOGETHER, len(settings)), len(self.skips)), np.float32)
            gates[: len(some)] = some
            found = ops.convert_to_numpy(self._ablate(batch, gates))[..., 0]
            for setting, probability in zip(some, found, strict=False):
                answers[setting] = quantize(restore(probability, *image.shape[:2]))
        return answers

    def segment(self, image: np.ndarray) -> np.ndarray:
        """Segment a slice as it is: a probability map in 255ths, uint8, (rows, cols) of the slice."""
        record, batch = self.predictor.record, self._normalized(image)[None]
        views = np.concatenate([batch, batch[:, :, ::-1]]) if record.flips else batch
        logits = ops.convert_to_numpy(self.predictor.model(views, training=False))[..., 0]
        found = sigmoid(logits / record.temperature)
        probability = (found[0] + found[1][:, ::-1]) / 2 if record.flips else found[0]
        return quantize(restore(np.ascontiguousarray(probability), *image.shape[:2]))

    def saliency(self, image: np.ndarray, row: int, col: int) -> Saliency:
        """Measure by its gradient which part of a slice the logit of one pixel depends on.

        Args:
            image: uint8, (rows, cols, 3), 0 to 255.
            row, col: Position of the pixel on the network's input grid.

        Raises:
            ValueError: The pixel is outside.
        """
        rows, cols = self.predictor.spec.input_shape[:2]
        if not (0 <= row < rows and 0 <= col < cols):
            raise ValueError(f"There is no such pixel. Received: row={row}, col={col}")
        # Row and column are arrays: the compiled function would be retraced for each new Python number.
        where = np.int32(row), np.int32(col)
        found = self._gradient(self._normalized(image)[None], *map(ops.convert_to_tensor, where))
        gradient = ops.convert_to_numpy(found)[0]
        strength = np.abs(gradient).sum(axis=2)
        there = [np.flatnonzero(strength.any(axis=axis)) for axis in (1, 0)]
        spans = [(int(at[0]), int(at[-1])) if len(at) else (row, row) for at in there]
        # The square root makes the distant part visible: most of the gradient is close to the pixel.
        shown = np.sqrt(strength / max(float(strength.max()), 1e-30))
        return Saliency(quantize(shown), spans[0], spans[1])

    def _normalized(self, image: np.ndarray) -> np.ndarray:
        return normalize(image, self.predictor.spec.input_shape[:2])

    def _ablated(self, batch: Any, gates: Any) -> Any:
        # (1, rows, cols, 3), (settings, skips) -> (settings, rows, cols, 1)
        record = self.predictor.record
        views = ops.concatenate([batch, ops.flip(batch, axis=2)]) if record.flips else batch
        deep, *kept = self._encoder(views, training=False)
        settings, count = gates.shape[0], views.shape[0]
        each = ops.repeat(gates, count, axis=0)
        handed = [
            ops.tile(skip, (settings, 1, 1, 1))
            * ops.cast(ops.reshape(each[:, place], (-1, 1, 1, 1)), skip.dtype)
            for place, skip in enumerate(kept)
        ]
        logits = self._decoder([ops.tile(deep, (settings, 1, 1, 1)), *handed], training=False)
        probability = ops.sigmoid(logits / record.temperature)
        if not record.flips:
            return probability
        return (probability[::2] + ops.flip(probability[1::2], axis=2)) / 2


def _maps(name: str, values: np.ndarray, most: int) -> ActivationMaps:
    # values: (rows, cols, channels)
    order = np.argsort(-values.std(axis=(0, 1)), kind="stable")[:most]
    chosen = values[..., order].transpose(2, 0, 1).astype(np.float32)
    low, high = chosen.min(axis=(1, 2)), chosen.max(axis=(1, 2))
    span = np.maximum(high - low, 1e-12)[:, None, None]
    return ActivationMaps(
        layer=name,
        shape=values.shape,
        channels=tuple(int(channel) for channel in order),
        maps=quantize((chosen - low[:, None, None]) / span),
        low=tuple(float(value) for value in low),
        high=tuple(float(value) for value in high),
    )
