"""Read files and analyze slices in two calls, for programs that use this package as a library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from btmodels import paths, registry
from btmodels.cli import find_files, load
from btmodels.inference import worker
from btmodels.measurement.measure import measure
from btmodels.slices import Analysis, Slice


def read_files(files: Path | str | Iterable[Path | str]) -> tuple[list[Slice], list[str]]:
    """Read slices from pictures, DICOM files, NIfTI volumes, zips, or folders of them.

    A picture named as a mask, such as ``x_mask.tif`` next to ``x.tif``, becomes the true mask of ``x.tif``.

    Args:
        files: One path or several; sequences of one patient are read together.

    Returns:
        The slices, and a sentence for each file that could not be read, used or placed.
    """
    places = [files] if isinstance(files, Path | str) else files
    groups, problems = find_files.discover(Path(place) for place in places)
    slices = []
    for group in groups:
        loaded = load.read(group)
        slices += [each.slice for each in loaded.found]
        problems += [*loaded.errors, *loaded.notes]
    return slices, [str(problem) for problem in problems]


def analyze(
    slices: Sequence[Slice],
    model: str = "default",
    classifier: str = "default-classifier",
    threshold: float | None = None,
    assets: Path = paths.ASSETS,
) -> list[Analysis]:
    """Classify and segment each slice, and measure the result.

    The networks run in this process; the first call loads TensorFlow. No slice is rejected here: call
    `btmodels.quality.check.check_slice` first to check that a picture is a usable slice of a head.

    Args:
        slices: Slices of any size.
        model: Registry name of the segmenter.
        classifier: Registry name of the classifier.
        threshold: On the segmenter's probability, 0 to 1; None uses the one chosen in training.
        assets: Folder that holds ``weights/``.

    Raises:
        KeyError: There is no such network.
        WeightsError: The weights of either network are missing, altered or belong to another network.
    """
    networks = registry.get(model).name, registry.get(classifier).name
    records = [registry.verify_weights(name, assets) for name in networks]
    if not slices:
        return []
    predictions = worker.predict([each.pixels for each in slices], *networks, assets).predictions
    return [
        measure(each, prediction, *records, *networks, threshold)
        for each, prediction in zip(slices, predictions, strict=True)
    ]
