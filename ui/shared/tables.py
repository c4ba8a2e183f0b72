"""Tables that can be sorted and downloaded as CSV."""

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
    """Draw a table with a download button; missing values are dashes.

    Args:
        rows: Cells by column; None for an empty cell. Cells without a column are only in the CSV.
        columns: Streamlit's column configuration by column, in display order.
        file: Name of the CSV file, without suffix.
        alt: Alternative text.
        whole: Show all rows at once; otherwise a long table scrolls.
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
    """Return rows as UTF-8 CSV, one line per row, with empty cells for missing values."""
    return csv_bytes(rows, list(dict.fromkeys(column for row in rows for column in row)))
