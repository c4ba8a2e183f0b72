"""Write tables as CSV in which no spreadsheet runs a cell as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of text that a spreadsheet treats as a formula (OWASP, "CSV injection")."""


def csv_bytes(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Write rows as CSV in UTF-8, separated by commas; missing values give empty cells.

    Args:
        rows: Cells by column. Text that a spreadsheet would treat as a formula is prefixed with an
            apostrophe; numbers are unchanged.
        columns: Columns in order.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
