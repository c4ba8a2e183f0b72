"""Agreement on each pixel among networks, and among one network's views of a slice.

A *view* is the slice as it is, or mirrored and mirrored back; a *network* is any segmenter whose weights
are here. Where they disagree, the mask depends on an arbitrary choice. Agreement is no proof: networks
trained on the same patients make similar errors.

Importing this module is cheap: the web process refers to `mirrored_views` and `timed_prediction`, the
worker runs them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from btmodels.inference import worker
from btmodels.registry import Record
from btmodels.slices import Prediction
from btmodels.transforms.postprocess import binarize, smallest_part
from btmodels.visualize.overlay import blend, png
from btmodels.visualize.window import shown_flair


@dataclass(frozen=True, eq=False)
class Predictions:
    """Several predictions for one slice.

    Attributes:
        names: Display names of the predictions.
        probability_maps: uint8, (predictions, rows, cols), probability in 255ths.
        masks: bool, (predictions, rows, cols), each at its network's stored threshold.
    """

    names: tuple[str, ...]
    probability_maps: np.ndarray
    masks: np.ndarray

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of the probabilities of each pixel, float32, (rows, cols), 0 to 0.5."""
        return (self.probability_maps / np.float32(255)).std(axis=0)

    @property
    def votes(self) -> np.ndarray:
        """Number of masks that mark each pixel, uint8, (rows, cols)."""
        return self.masks.sum(axis=0, dtype=np.uint8)

    @property
    def agreed(self) -> float | None:
        """Pixels in all masks divided by pixels in any mask, 0 to 1; None if all masks are empty.

        Formula: |intersection| / |union| over all masks; for two masks, the Jaccard index.
        """
        union = int(self.masks.any(axis=0).sum())
        return float(self.masks.all(axis=0).sum() / union) if union else None


DISPUTED_COLOR = (178, 102, 255)
"""RGB color, 0 to 255, of pixels in some masks; pixels in all masks have the color of a prediction."""


def votes_png(pixels: np.ndarray, votes: np.ndarray, count: int) -> bytes:
    """Draw the number of masks that mark each pixel on the slice's FLAIR channel.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
        votes: uint8, (rows, cols), from `Predictions.votes`.
        count: Number of masks.

    Returns:
        A PNG of the slice's size: pixels in all masks in orange, pixels in some masks in violet, stronger
        for more masks.
    """
    picture = blend(shown_flair(pixels), votes == count)
    for some in range(1, count):
        picture = blend(picture, votes == some, DISPUTED_COLOR, 0.25 + 0.5 * some / count)
    return png(picture)


@worker.by_graphs
def mirrored_views(image: np.ndarray, name: str, assets: Path) -> Predictions:
    """Segment a slice and its mirror image with one network, in the worker.

    Args:
        image: uint8, (rows, cols, 3), 0 to 255.
        name: Registry name.
        assets: Folder that holds ``weights/``.

    Raises:
        WeightsError: Its weights are missing or altered.
    """
    predictor = worker.get_predictor(name, assets)
    mirrored = np.ascontiguousarray(image[:, ::-1])
    straight, turned = predictor.segment([image, mirrored], flips=False)
    probability_maps = np.stack([straight, turned[:, ::-1]])
    return apply_thresholds(("as it is", "mirrored"), probability_maps, [predictor.record] * 2)


@dataclass(frozen=True, eq=False)
class TimedPrediction:
    """One network's answer to one slice.

    Attributes:
        prediction: Of the segmenter, with the classifier's probability of a tumor as given.
        milliseconds: Time of this call in the worker, from pixels to probability map.
        parameters: Number of parameters of the network.
    """

    prediction: Prediction
    milliseconds: float
    parameters: int


@worker.by_graphs
def timed_prediction(image: np.ndarray, name: str, verdict: float, assets: Path) -> TimedPrediction:
    """Segment a slice and measure the time, in the worker. The network is warmed up first.

    Args:
        image: uint8, (rows, cols, 3), 0 to 255.
        name: Registry name of a segmenter.
        verdict: The classifier's probability, passed through.
        assets: Folder that holds ``weights/``.

    Raises:
        WeightsError: Its weights are missing or altered.
    """
    predictor = worker.get_predictor(name, assets)
    predictor.warm()
    began = time.perf_counter()
    (probability_map,) = predictor.segment([image])
    spent = 1000 * (time.perf_counter() - began)
    return TimedPrediction(
        Prediction(verdict, probability_map),
        spent,
        int(predictor.record.extra.get("parameters", 0)),
    )


def apply_thresholds(
    names: Sequence[str], probability_maps: np.ndarray, records: Sequence[Record]
) -> Predictions:
    """Turn probability maps into masks, each with its network's stored threshold and smallest component.

    Args:
        names: Display names of the predictions.
        probability_maps: uint8, (predictions, rows, cols), probability in 255ths.
        records: One per prediction.
    """
    masks = [
        binarize(each, record.threshold, smallest_part(record.min_component_pixels, *each.shape))
        for each, record in zip(probability_maps, records, strict=True)
    ]
    return Predictions(tuple(names), probability_maps, np.stack(masks))
