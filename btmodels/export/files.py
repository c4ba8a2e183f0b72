"""Export results as files: masks, pictures of slices, a table, and a zip of everything."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count

import numpy as np
import tifffile
from PIL import Image

from btmodels.export.spreadsheet import csv_bytes
from btmodels.filenames import stem_of
from btmodels.measurement.measure import square_millimeters
from btmodels.measurement.study import StudySummary
from btmodels.slices import Analysis
from btmodels.transforms.orientation import as_uploaded
from btmodels.visualize.overlay import overlay_png
from btmodels.visualize.window import Window

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_WHEN = (1980, 1, 1, 0, 0, 0)
"""Modification time of a zip's files: fixed, so that equal results give equal bytes."""

COLUMNS = (
    "slice",
    "number",
    "volume",
    "verdict_by",
    "neighbors",
    "tumor_probability",
    "tumor",
    "model",
    "weights_sha256",
    "threshold",
    "marked_pixels",
    "marked_slices",
    "largest_slice",
    "milliliters",
    "side",
    "slice_share",
    "head_share",
    "square_mm",
    "row_spacing_mm",
    "column_spacing_mm",
    "dice",
    "turned_degrees",
    "mirrored",
    "warnings",
)
"""Columns of the table; shares and probabilities from 0 to 1, empty if unknown.

``verdict_by`` is the network that gives the probability, ``neighbors`` whether neighboring slices count in
it. A row of a whole study has `STUDY` in the first column; only these rows give the number of slices, the
volume and the side."""

STUDY = "all slices"


def safe_stem(name: str) -> str:
    """Return the stem of a file's name in a form that every file system accepts: no folders, no leading
    dot, only letters of any script, digits, ``-``, ``_`` and ``.``, no reserved word of Windows."""
    stem = re.sub(r"[^\w.-]+", "_", stem_of(name)).strip("._")[:100].rstrip(".")
    return f"_{stem}" if _RESERVED.fullmatch(stem) else stem or "slice"


def mask_name(name: str) -> str:
    """Return the file name of the mask of the slice ``name``: ``<stem>_mask.tif``."""
    return f"{safe_stem(name)}_mask.tif"


def own_mask(analysis: Analysis) -> np.ndarray:
    """Return the mask in the orientation of the slice's file: bool, in the file's rows and columns."""
    return as_uploaded(analysis.mask, analysis.slice)


def mask_tiff(mask: np.ndarray) -> bytes:
    """Encode a mask as in the data set.

    Args:
        mask: bool, (rows, cols).

    Returns:
        An uncompressed TIFF, uint8, 0 and 255, of the mask's size.
    """
    buffer = io.BytesIO()
    values = mask.astype(np.uint8) * np.uint8(255)
    tifffile.imwrite(buffer, values, photometric="minisblack", metadata=None, software=False)
    return buffer.getvalue()


def mask_png(mask: np.ndarray) -> bytes:
    """Encode a mask, bool, (rows, cols), as a PNG of 0 and 255."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(buffer, "PNG")
    return buffer.getvalue()


def table_csv(analyses: Iterable[Analysis], studies: Iterable[StudySummary] = ()) -> bytes:
    """Write a table with a row for each slice, and one for each study of several slices.

    Args:
        analyses: One for each slice.
        studies: Summaries of their studies.

    Returns:
        CSV in UTF-8, separated by commas, with the columns of `COLUMNS`.
    """
    rows = [*map(_row, analyses), *(_study_row(each) for each in studies if each.slices > 1)]
    return csv_bytes(rows, COLUMNS)


def zip_of(
    analyses: Sequence[Analysis],
    volumes: Mapping[str, bytes],
    notice: str,
    studies: Sequence[StudySummary] = (),
    windows: Sequence[Window | None] = (),
) -> bytes:
    """Pack everything: masks named as in the data set, pictures with the masks overlaid, the table.

    Args:
        analyses: One for each slice.
        volumes: Further files by name, such as NIfTI masks.
        notice: Text of the file README.txt.
        studies: Summaries of the slices' studies, for the table.
        windows: FLAIR window of each slice; empty computes one from each slice.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:

        def add(name: str, data: bytes) -> None:
            file.writestr(zipfile.ZipInfo(name, _WHEN), data, zipfile.ZIP_DEFLATED)

        add("README.txt", notice.encode())
        add("slices.csv", table_csv(analyses, studies))
        windows = windows or [None] * len(analyses)
        for stem, analysis, window in zip(stems(analyses), analyses, windows, strict=True):
            add(f"masks/{stem}_mask.tif", mask_tiff(own_mask(analysis)))
            add(f"overlays/{stem}_overlay.png", overlay_png(analysis, window))
        for name, data in volumes.items():
            add(name, data)
    return buffer.getvalue()


def stems(analyses: Iterable[Analysis]) -> list[str]:
    """Return a unique file stem for each slice."""
    taken: set[str] = set()
    return [unused(safe_stem(analysis.slice.name), taken) for analysis in analyses]


def unused(stem: str, taken: set[str]) -> str:
    """Return a file stem, numbered if it is taken, and add it to ``taken`` in lowercase: some file systems
    ignore case."""
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    name = next(name for name in names if name.lower() not in taken)
    taken.add(name.lower())
    return name


def _study_row(study: StudySummary) -> dict[str, object]:
    return {
        "slice": STUDY,
        "volume": study.title,
        "marked_pixels": study.marked_pixels,
        "marked_slices": study.marked_slices,
        "largest_slice": study.largest_name,
        "milliliters": study.milliliters,
        "side": study.side_in_words,
        "warnings": f"{study.rejected} slices cannot be analyzed." if study.rejected else "",
    }


def _row(analysis: Analysis) -> dict[str, object]:
    each = analysis.slice
    row, column = each.spacing or (None, None)
    return {
        "slice": each.name,
        "number": each.number,
        "volume": each.position.title if each.position else None,
        "verdict_by": analysis.verdict.network,
        "neighbors": "yes" if analysis.verdict.neighbors else "no",
        "tumor_probability": f"{analysis.verdict.probability:.6f}",
        "tumor": "yes" if analysis.verdict.tumor else "no",
        "model": analysis.model,
        "weights_sha256": analysis.weights_sha256,
        "threshold": analysis.threshold,
        "marked_pixels": analysis.marked_pixels,
        "slice_share": analysis.slice_share,
        "head_share": analysis.head_share,
        "square_mm": square_millimeters(analysis),
        "row_spacing_mm": row,
        "column_spacing_mm": column,
        "dice": analysis.dice,
        "turned_degrees": 90 * each.turn.quarters if each.turn else 0,
        "mirrored": "yes" if each.turn and each.turn.mirrored else "no",
        "warnings": " ".join(analysis.warnings),
    }
