"""Tables as files: filled cells and empty ones."""

from __future__ import annotations

import csv
import io

from ui.shared.tables import as_csv


def test_a_csv_holds_every_cell_and_leaves_empty_what_is_not_there():
    rows = [{"Network": "A, or B", "Dice": 0.5}, {"Network": "Ö", "Dice": None, "More": 1}]
    found = list(csv.DictReader(io.StringIO(as_csv(rows).decode("utf-8"))))
    assert found == [
        {"Network": "A, or B", "Dice": "0.5", "More": ""},
        {"Network": "Ö", "Dice": "", "More": "1"},
    ]


def test_no_rows_are_no_columns():
    assert as_csv([]).strip() == b""
