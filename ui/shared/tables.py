"""Tables that can be sorted, and kept as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from btmodels.export.spreadsheet import csv_bytes
from ui.shared.text import DASH


def table(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, Any],
    file: str,
    alt: str,
    whole: bool = False,
) -> None:
    """Draw a table with a download button; a missing value is a dash.

    Args:
        rows: Cells by column; None where a cell is empty. What no column shows is in the CSV alone.
        columns: Streamlit's column configuration by column, in the order they are shown.
        file: Name of the CSV, without suffix.
        alt: What the table holds, for those who do not see it.
        whole: Show all rows at once, however many; else a long table scrolls.
    """
    st.dataframe(
        [{column: row.get(column) for column in columns} for row in rows],
        hide_index=True,
        placeholder=DASH,
        alt=alt,
        height="content" if whole else "auto",
        column_config=dict(columns),
    )
    st.download_button(
        "CSV",
        lambda: as_csv(rows),
        f"{file}.csv",
        "text/csv",
        key=f"csv.{file}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="Download this table as CSV.",
    )


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write rows as CSV: UTF-8, a line a row, empty cells where there is nothing."""
    return csv_bytes(rows, list(dict.fromkeys(column for row in rows for column in row)))
