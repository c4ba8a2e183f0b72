"""A network with its verified weights, ready to answer: slices in, probabilities out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from btmodels import paths, registry, weights
from btmodels.inference import precision
from btmodels.inference.fold_batchnorm import fold_batchnorm
from btmodels.transforms.preprocess import normalize, restore, to_levels


class Predictor:
    """One network of the registry with the weights that its record describes.

    The forward pass is compiled once for any number of slices: called directly it takes a fraction of
    the time of `keras.Model.predict` for a slice or two, and unlike that method it is the same work for
    a slice whatever slices come with it.

    Args:
        name: Registry name or alias.
        assets: Folder that holds ``weights/``.
        policy: Of Keras: what numbers it computes in; None is the fastest that this machine has. In
            bfloat16 probabilities move by a few 255ths here and there, and take two thirds of the time.

    Raises:
        KeyError: There is no such network.
        WeightsError: Its weights are missing, altered or of another network.

    Attributes:
        spec: The network's row of the registry.
        record: What training decided; temperature and flips are honored here.
        model: The Keras model, as it was trained. What answers is a copy without batch normalizations.
        batch: Slices that a compiled call takes at most.
    """

    def __init__(self, name: str, assets: Path = paths.ASSETS, policy: str | None = None) -> None:
        self.spec = registry.get(name)
        with precision.using(policy or precision.fastest_policy()):
            self.model, self.record = weights.load(self.spec.name, assets)
        self._answering = fold_batchnorm(self.model)
        self.batch = precision.largest_batch()
        self._forward = _compiled(self._probability, self.spec.input_shape)
        self._warmed: set[int] = set()

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return how probable any tumor is in each slice.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any sizes.

        Returns:
            float64, (len(images),), 0 to 1, calibrated by the record's temperature.
        """
        self._expect("classify")
        found = [batch[:, 0] for batch in self._batches(images)]
        return np.concatenate([np.empty(0), *found]).astype(np.float64)

    def segment(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return how probable tumor is in each pixel.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any sizes.

        Returns:
            One uint8 map per slice, (rows, cols) of that slice, in 255ths.
        """
        self._expect("segment")
        maps = (found for batch in self._batches(images) for found in batch[..., 0])
        return [
            to_levels(restore(found, *image.shape[:2]))
            for image, found in zip(images, maps, strict=True)
        ]

    def plain(self, batch: np.ndarray) -> np.ndarray:
        """Run normalized slices once each, without flips, whatever the record says.

        Args:
            batch: float32, (n, *input_shape).

        Returns:
            float32 probabilities, (n, rows, cols, 1) of a segmenter, (n, 1) of a classifier.
        """
        return ops.convert_to_numpy(self._sigmoid(batch))

    def forward(self, batch: np.ndarray) -> np.ndarray:
        """Run normalized slices through the compiled network, with flips where the record has them.

        Args:
            batch: float32, (n, *input_shape).

        Returns:
            As `plain`.
        """
        return ops.convert_to_numpy(self._forward(batch))

    def warm(self, size: int = 1) -> None:
        """Run once for ``size`` slices, unless that was done: the first time takes several times as long,
        for TensorFlow compiles and chooses kernels."""
        if size not in self._warmed:
            self._forward(np.zeros((size, *self.spec.input_shape), np.float32))
            self._warmed.add(size)

    def is_warm(self, size: int) -> bool:
        """Whether `warm` has been through with so many slices."""
        return size in self._warmed

    def _expect(self, task: str) -> None:
        if self.spec.task != task:
            raise ValueError(
                f"{self.spec.title} does not {task} slices, it was made to {self.spec.task} them."
            )

    def _batches(self, images: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        size = self.spec.input_shape[:2]
        for start in range(0, len(images), self.batch):
            batch = np.stack(
                [normalize(image, size) for image in images[start : start + self.batch]]
            )
            yield self.forward(batch)

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


def _compiled(function: Callable[[Any], Any], shape: tuple[int, ...]) -> Callable[[Any], Any]:
    # XLA was tried for TensorFlow: a third slower on a processor, and it compiles each batch size anew.
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec((None, *shape), tf.float32)]
        # AutoGraph has nothing to translate here, and leaves files behind where a worker is killed.
        return tf.function(function, input_signature=signature, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function
