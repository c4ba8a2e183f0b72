"""CSV: text that a spreadsheet would run stays text; numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pytest

from btmodels.export.files import table_csv
from btmodels.export.spreadsheet import csv_bytes
from tests.ui import stacks
from ui.shared.tables import as_csv


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(text):
    for data in (csv_bytes([{"a": text, "b": -3}], ["a", "b"]), as_csv([{"a": text, "b": -3}])):
        (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))
        assert row == {"a": f"'{text}", "b": "-3"}


def test_a_hostile_file_name_is_inert_in_the_table_of_slices():
    (analysis,) = stacks.analyzed([stacks.slice_of(1, 24, 32)], done=1).analyses
    object.__setattr__(analysis.slice, "name", "=HYPERLINK(1+1).tif")
    (row,) = csv.DictReader(io.StringIO(table_csv([analysis]).decode(), newline=""))
    assert row["slice"] == "'=HYPERLINK(1+1).tif"
