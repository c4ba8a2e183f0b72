"""Tables that can be sorted and downloaded as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from btmodels.export.spreadsheet import csv_bytes
from ui.shared.text import DASH

Value = str | Callable[[Any], Any]
"""A cell's key in an entry, in which a dot leads one level down, or a function from entries to cells."""


@dataclass(frozen=True)
class TableColumn:
    """A column of a table.

    Attributes:
        title: Its heading.
        value: Gives its cell of each entry; None is an empty cell.
        config: Streamlit's configuration of the column; None if only the CSV has it.
        factor: Factor applied to its numbers.
    """

    title: str
    value: Value
    config: Any = None
    factor: float = 1

    def of(self, entry: Any) -> Any:
        """Return the cell of an entry."""
        if callable(self.value):
            cell = self.value(entry)
        else:
            cell = entry
            for key in self.value.split("."):
                cell = None if cell is None else cell.get(key)
        return cell if cell is None or self.factor == 1 else self.factor * cell


def text(title: str, value: Value, **config: Any) -> TableColumn:
    """Return a column of text, with options of `streamlit.column_config.TextColumn`."""
    return TableColumn(title, value, st.column_config.TextColumn(**config))


def number(
    title: str, value: Value, form: str | None = None, factor: float = 1, **config: Any
) -> TableColumn:
    """Return a column of numbers in a format of `streamlit.column_config.NumberColumn`."""
    return TableColumn(title, value, st.column_config.NumberColumn(format=form, **config), factor)


def link(title: str, value: Value, **config: Any) -> TableColumn:
    """Return a column of addresses, with options of `streamlit.column_config.LinkColumn`."""
    return TableColumn(title, value, st.column_config.LinkColumn(**config))


def draw(
    entries: Iterable[Any], columns: Iterable[TableColumn], file: str, alt: str, whole: bool = False
) -> None:
    """Draw a table with a download button; missing values are dashes.

    Args:
        entries: One for each row.
        columns: In display order.
        file: Name of the CSV file, without suffix.
        alt: Alternative text.
        whole: Show all rows at once; otherwise a long table scrolls.
    """
    columns = list(columns)
    rows = [{column.title: column.of(entry) for column in columns} for entry in entries]
    shown = {column.title: column.config for column in columns if column.config}
    st.dataframe(
        [{title: row[title] for title in shown} for row in rows],
        hide_index=True,
        placeholder=DASH,
        alt=alt,
        height="content" if whole else "auto",
        column_config=shown,
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
