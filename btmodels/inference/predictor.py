"""The base class of predictors: slices to probabilities, for any runtime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from btmodels.registry import ModelSpec, Record
from btmodels.transforms.preprocess import normalize, quantize, restore


class SlicePredictor(ABC):
    """A network with verified weights, ready for predictions.

    Args:
        spec: The network's entry in the registry.
        record: The record from training; its temperature and flips are applied here.
        batch: Maximum number of slices in a call of the network.
    """

    def __init__(self, spec: ModelSpec, record: Record, batch: int) -> None:
        self.spec, self.record, self.batch = spec, record, batch
        self._warmed: set[int] = set()

    @property
    def views(self) -> int:
        """Number of views per slice: two if the mirror image is averaged in, else one."""
        return 2 if self.record.flips else 1

    @abstractmethod
    def forward(self, batch: np.ndarray) -> np.ndarray:
        """Run normalized slices through the network, with flips if the record has them.

        Args:
            batch: float32, (n, *input_shape).

        Returns:
            float32 probabilities, (n, rows, cols, 1) of a segmenter, (n, 1) of a classifier.
        """

    @abstractmethod
    def plain(self, batch: np.ndarray) -> np.ndarray:
        """Like `forward`, but without flips, whatever the record says."""

    @abstractmethod
    def heatmap(self, batch: np.ndarray) -> np.ndarray:
        """Compute Grad-CAM of normalized slices (see `btmodels.inference.gradcam`).

        Args:
            batch: float32, (n, *input_shape).

        Returns:
            float32, (n, rows, cols) of the classifier's last feature maps, at least 0.
        """

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probability that each slice shows a tumor.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any size.

        Returns:
            float64, (len(images),), 0 to 1, calibrated by the record's temperature.
        """
        self.expect("classify")
        found = [batch[:, 0] for batch in self._batches(images)]
        return np.concatenate([np.empty(0), *found]).astype(np.float64)

    def segment(self, images: Sequence[np.ndarray], flips: bool = True) -> list[np.ndarray]:
        """Return the probability of tumor in each pixel.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any size.
            flips: Average in the mirror image if the record says so.

        Returns:
            One uint8 map per slice, (rows, cols) of that slice, in 255ths.
        """
        self.expect("segment")
        maps = (found for batch in self._batches(images, flips) for found in batch[..., 0])
        return [
            quantize(restore(np.ascontiguousarray(found), *image.shape[:2]))
            for image, found in zip(images, maps, strict=True)
        ]

    def warm(self, size: int = 1) -> None:
        """Run ``size`` slices once, unless that was done: the first run takes several times as long."""
        if size not in self._warmed:
            self.forward(np.zeros((size, *self.spec.input_shape), np.float32))
            self._warmed.add(size)

    def is_warm(self, size: int) -> bool:
        """Return whether `warm` has run with this number of slices."""
        return size in self._warmed

    def expect(self, task: str) -> None:
        """Check the network's task.

        Raises:
            ValueError: It is not ``task``.
        """
        if self.spec.task != task:
            raise ValueError(
                f"{self.spec.title} does not {task} slices, it was made to {self.spec.task} them."
            )

    def _batches(self, images: Sequence[np.ndarray], flips: bool = True) -> Iterator[np.ndarray]:
        run, size = self.forward if flips else self.plain, self.spec.input_shape[:2]
        for start in range(0, len(images), self.batch):
            batch = np.stack(
                [normalize(image, size) for image in images[start : start + self.batch]]
            )
            yield run(batch)
