"""Run a network of the registry with Keras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from btmodels import paths, registry, weights
from btmodels.inference import heatmap, precision
from btmodels.inference.fold_batchnorm import fold_batchnorm
from btmodels.inference.predictor import SlicePredictor


class Predictor(SlicePredictor):
    """One network of the registry with the weights that its record describes.

    The forward pass is compiled once for any number of slices. For a few slices, calling it directly takes
    a fraction of the time of `keras.Model.predict`, and unlike that method it computes the same for a
    slice regardless of the others in its batch.

    Args:
        name: Registry name or alias.
        assets: Folder that holds ``weights/``.
        policy: Keras dtype policy. None is float32 for masks, as they were scored, and the fastest on this
            machine for verdicts, which bfloat16 changes by 0.01.

    Raises:
        KeyError: There is no such network.
        WeightsError: Its weights are missing, altered or belong to another network.

    Attributes:
        spec, record, batch: As in `btmodels.inference.predictor.SlicePredictor`.
        model: The Keras model as trained. Predictions come from a copy with folded batch normalization.
    """

    def __init__(self, name: str, assets: Path = paths.ASSETS, policy: str | None = None) -> None:
        spec = registry.get(name)
        fastest = precision.fastest_policy() if spec.task == "classify" else "float32"
        with precision.using(policy or fastest):
            self.model, record = weights.load(spec.name, assets)
        super().__init__(spec, record, precision.largest_batch())
        self.numbers = self.model.dtype_policy.compute_dtype
        self._answering = fold_batchnorm(self.model)
        self._forward = compiled(self._probability, spec.input_shape)
        self._heat: Callable[[Any], Any] | None = None

    def plain(self, batch: np.ndarray) -> np.ndarray:
        return ops.convert_to_numpy(self._sigmoid(batch))

    def forward(self, batch: np.ndarray) -> np.ndarray:
        return ops.convert_to_numpy(self._forward(batch))

    def heatmap(self, batch: np.ndarray) -> np.ndarray:
        self.expect("classify")
        if self._heat is None:
            with_heat = heatmap.with_heatmap(self.model, heatmap.LAYERS[self.spec.name])
            self._heat = compiled(lambda views: with_heat(views, training=False)[1])
        return ops.convert_to_numpy(ops.cast(self._heat(batch), "float32"))[..., 0]

    def _probability(self, batch: Any) -> Any:
        # (n, rows, cols, 3) -> (n, rows, cols, 1) of a segmenter, (n, 1) of a classifier
        if not self.record.flips:
            return self._sigmoid(batch)
        both = self._sigmoid(ops.concatenate([batch, ops.flip(batch, axis=2)]))
        straight, mirrored = ops.split(both, 2)
        if self.spec.task == "segment":
            mirrored = ops.flip(mirrored, axis=2)
        return (straight + mirrored) / 2

    def _sigmoid(self, batch: Any) -> Any:
        return ops.sigmoid(self._answering(batch, training=False) / self.record.temperature)


def compiled(
    function: Callable[..., Any], shape: tuple[int, ...] | None = None
) -> Callable[..., Any]:
    """Compile a function of arrays with the backend of Keras.

    Args:
        function: Takes arrays or tensors.
        shape: Shape of one slice, if the function takes any number of them and is compiled once for all.
    """
    # XLA was tried for TensorFlow: a third slower on a CPU, and it recompiles for each batch size.
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = None if shape is None else [tf.TensorSpec((None, *shape), tf.float32)]
        # AutoGraph has nothing to convert here, and leaves files behind if a worker is killed.
        return tf.function(function, input_signature=signature, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function
