"""One dot for each patient: its position, its patient, and its neighbors."""

from __future__ import annotations

import pytest

from ui.results.published import PatientRow
from ui.scoreboard.strip_plot import patient_dots


def test_dots_are_the_patients_with_their_names():
    ours = PatientRow("U-Net", {"A": 0.5, "B": 0.9}, mean=0.7, median=0.7, interval=(0.6, 0.8))
    figure = patient_dots([ours])
    dots = figure.data[0]
    assert list(dots.x) == [0.5, 0.9] and list(dots.customdata) == ["A", "B"]
    mean = next(t for t in figure.data if t.marker.symbol == "diamond" and t.x[0] is not None)
    assert mean.x[0] == 0.7
    assert mean.error_x.array[0] == pytest.approx(0.1)
    assert mean.error_x.arrayminus[0] == pytest.approx(0.1)
    assert [each.text for each in figure.layout.annotations] == ["U-Net"]


def test_the_chosen_row_differs_in_weight_too_and_publications_in_symbol():
    rows = [
        PatientRow("ours", {"A": 0.5}, mean=0.5, chosen=True),
        PatientRow("other", {"A": 0.5}, mean=0.5),
    ]
    figure = patient_dots(rows, [PatientRow("theirs", mean=0.8, median=0.9)])
    assert [each.text for each in figure.layout.annotations] == ["<b>ours</b>", "other", "theirs"]
    means = [t for t in figure.data if "diamond" in str(t.marker.symbol) and t.x[0] is not None]
    assert [t.marker.symbol for t in means] == ["diamond", "diamond", "diamond-open"]
    # Rows do not lie over each other.
    levels = [t.y[0] for t in means]
    assert levels == [2, 1, 0]


def test_the_band_of_experts_is_mean_and_spread():
    band = patient_dots([PatientRow("ours", {"A": 0.5})], experts=(0.84, 0.02)).layout.shapes[0]
    assert (band.x0, band.x1) == (pytest.approx(0.82), pytest.approx(0.86))
    assert not patient_dots([PatientRow("ours", {"A": 0.5})]).layout.shapes


@pytest.mark.parametrize("dots, low", [([0.6, 0.9], 0.55), ([0.0, 0.9], -0.03)])
def test_the_scale_reaches_the_worst_patient_and_one(dots, low):
    scale = patient_dots(
        [PatientRow("ours", dict(zip("AB", dots, strict=True)))]
    ).layout.xaxis.range
    assert scale[0] == pytest.approx(low) and scale[1] >= 1


def test_rows_without_any_score_still_draw():
    figure = patient_dots([PatientRow("nothing")])
    assert [each.text for each in figure.layout.annotations] == ["nothing"]


def test_a_finger_scrolls_the_page():
    figure = patient_dots([PatientRow("ours", {"A": 0.5}, mean=0.5)])
    assert figure.layout.dragmode is False and figure.layout.xaxis.fixedrange
