"""Ask the networks about slices in this process, and measure what they mark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from btmodels import paths, registry
from btmodels.inference import worker
from btmodels.measurement.measure import measure
from btmodels.measurement.stack_verdicts import assign_verdicts
from btmodels.slices import Analysis, Slice, VerdictSource
from btmodels.transforms.proportions import in_proportion


def analyze(
    slices: Sequence[Slice],
    model: str = "default",
    classifier: str = "default-classifier",
    threshold: float | None = None,
    assets: Path = paths.ASSETS,
    verdict: VerdictSource = "segmenter",
) -> list[Analysis]:
    """Classify and segment each slice, and measure the result.

    In a volume, and among a patient's numbered slices, the segmenter's verdict counts the neighboring
    slices, if they are among the given ones.

    The networks run in this process; the first call loads TensorFlow. No slice is rejected here: call
    `btmodels.quality.check.check_slice` first to check that a picture is a usable slice of a head.

    Args:
        slices: Slices of any size.
        model: Registry name of the segmenter.
        classifier: Registry name of the classifier.
        threshold: On the segmenter's probability, 0 to 1; None uses the one chosen in training.
        assets: Folder that holds ``weights/``.
        verdict: Which network gives the verdict; only a segmenter with a rule for it can.

    Raises:
        KeyError: There is no such network.
        WeightsError: The weights of either network are missing, altered or belong to another network.
    """
    networks = registry.get(model).name, registry.get(classifier).name
    records = [registry.verify_weights(name, assets) for name in networks]
    if not slices:
        return []
    images = [in_proportion(each.pixels, each.spacing) for each in slices]
    predictions = worker.predict(images, *networks, assets).predictions
    analyses = [
        measure(each, prediction, *records, *networks, threshold)
        for each, prediction in zip(slices, predictions, strict=True)
    ]
    return assign_verdicts(slices, analyses, *records, verdict)
