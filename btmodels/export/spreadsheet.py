"""Write tables as CSV. Spreadsheets do not run any cell as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that starts so for a formula (OWASP, "CSV injection")."""


def csv_bytes(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Write rows as CSV in UTF-8, a comma between fields, empty cells where there is nothing.

    Args:
        rows: Cells by column. A text that a spreadsheet would take for a formula gets an apostrophe in
            front; numbers stay as they are.
        columns: In their order.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
