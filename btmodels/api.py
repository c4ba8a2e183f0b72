"""Read files and analyze slices in two calls, for programs that use this package as a library."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from btmodels.cli import find_files, load
from btmodels.measurement.analyze import analyze
from btmodels.slices import Slice

__all__ = ["analyze", "read_files"]


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
