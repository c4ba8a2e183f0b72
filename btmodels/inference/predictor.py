"""The common base of predictors: slices to probabilities, whichever runtime computes the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from btmodels.registry import ModelSpec, Record
from btmodels.transforms.preprocess import normalize, restore, to_levels


class SlicePredictor(ABC):
    """A network with its verified weights, ready to answer.

    Args:
        spec: The network's row of the registry.
        record: What training decided; temperature and flips are honored here.
        batch: Slices that a call of the network takes at most.
    """

    def __init__(self, spec: ModelSpec, record: Record, batch: int) -> None:
        self.spec, self.record, self.batch = spec, record, batch
        self._warmed: set[int] = set()

    @property
    def views(self) -> int:
        """How often the network looks at a slice: twice where a mirror image is averaged in."""
        return 2 if self.record.flips else 1

    @abstractmethod
    def forward(self, batch: np.ndarray) -> np.ndarray:
        """Run normalized slices through the network, with flips where the record has them.

        Args:
            batch: float32, (n, *input_shape).

        Returns:
            float32 probabilities, (n, rows, cols, 1) of a segmenter, (n, 1) of a classifier.
        """

    @abstractmethod
    def plain(self, batch: np.ndarray) -> np.ndarray:
        """Do as `forward` for each slice once, without flips, whatever the record says."""

    @abstractmethod
    def heatmap(self, batch: np.ndarray) -> np.ndarray:
        """Compute Grad-CAM of normalized slices (see `btmodels.inference.gradcam`).

        Args:
            batch: float32, (n, *input_shape).

        Returns:
            float32, (n, rows, cols) of the classifier's last maps, at least 0.
        """

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return how probable any tumor is in each slice.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any sizes.

        Returns:
            float64, (len(images),), 0 to 1, calibrated by the record's temperature.
        """
        self.expect("classify")
        found = [batch[:, 0] for batch in self._batches(images)]
        return np.concatenate([np.empty(0), *found]).astype(np.float64)

    def segment(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return how probable tumor is in each pixel.

        Args:
            images: uint8, (rows, cols, 3) each, 0 to 255, of any sizes.

        Returns:
            One uint8 map per slice, (rows, cols) of that slice, in 255ths.
        """
        self.expect("segment")
        maps = (found for batch in self._batches(images) for found in batch[..., 0])
        return [
            to_levels(restore(np.ascontiguousarray(found), *image.shape[:2]))
            for image, found in zip(images, maps, strict=True)
        ]

    def warm(self, size: int = 1) -> None:
        """Run once for ``size`` slices, unless that was done: the first run takes several times as long."""
        if size not in self._warmed:
            self.forward(np.zeros((size, *self.spec.input_shape), np.float32))
            self._warmed.add(size)

    def is_warm(self, size: int) -> bool:
        """Whether `warm` has been through with so many slices."""
        return size in self._warmed

    def expect(self, task: str) -> None:
        """Check what the network is for.

        Raises:
            ValueError: Something else than ``task``.
        """
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
