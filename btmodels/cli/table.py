"""Print an analysis: a table for people, a JSON object for programs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TextIO

from btmodels.cli.load import Found
from btmodels.export.files import own_mask
from btmodels.measurement.measure import square_millimeters
from btmodels.slices import Analysis

NOTICE = "For research and teaching. This is not a medical device."


def as_row(analysis: Analysis, found: Found, mask: Path | None) -> dict:
    """Return an analysis as the object that ``--json`` prints."""
    rows, cols = own_mask(analysis).shape
    return {
        "file": str(found.file),
        "slice": found.index,
        "name": found.slice.name,
        "model": analysis.model,
        "weights_sha256": analysis.weights_sha256,
        "verdict_by": analysis.verdict.network,
        "neighbors": bool(analysis.verdict.neighbors),
        "probability": analysis.verdict.probability,
        "tumor": analysis.verdict.tumor,
        "rows": rows,
        "cols": cols,
        "marked_pixels": analysis.marked_pixels,
        "slice_share": analysis.slice_share,
        "head_share": analysis.head_share,
        "square_mm": square_millimeters(analysis),
        "dice": analysis.dice,
        "mask": None if mask is None else str(mask),
        "warnings": list(analysis.warnings),
    }


class Table:
    """A table of rows printed as they arrive, with each warning once at the end.

    Args:
        file: Where rows and warnings are printed.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._warnings: Counter[str] = Counter()
        self._rows = 0

    def add(self, row: dict) -> None:
        """Print a row, below the headings if it is the first."""
        if not self._rows:
            heading = "tumor  probability  pixels  of slice  of head   Dice  file"
            print(heading, file=self._file)
        self._rows += 1
        self._warnings.update(row["warnings"])
        print(
            f"{'yes' if row['tumor'] else 'no':>5}  {row['probability']:>11.3f}"
            f"  {row['marked_pixels']:>6}  {_percent(row['slice_share']):>8}"
            f"  {_percent(row['head_share']):>7}  {_decimal(row['dice']):>5}  {_side(row)}",
            file=self._file,
            flush=True,
        )

    def end(self) -> None:
        """Print the warnings and the notice."""
        for sentence, count in self._warnings.items():
            many = "all" if count == self._rows > 1 else count
            print(f"{many} of {self._rows}: {sentence}", file=self._file)
        if self._rows:
            print(NOTICE, file=self._file)


def _side(row: dict) -> str:
    own = Path(row["file"]).name == row["name"]
    return row["file"] if own else f"{row['file']}: {row['name']}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"


def _decimal(score: float | None) -> str:
    return "-" if score is None else f"{score:.3f}"
