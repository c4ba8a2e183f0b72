"""The rows of the cohort's table, counts over a patient's slices, the area curve, the shape's table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from btmodels.dataset.thumbnails import PatientPreview
from btmodels.measurement.shape import describe
from btmodels.slices import Patient
from tests.ui.stacks import analyzed, slice_of
from ui.patients import figures
from ui.patients import table as patients_table
from ui.patients.scores import tally
from ui.results import scores
from ui.session.samples import Sample


@pytest.fixture(autouse=True)
def session(monkeypatch) -> dict:
    """A session of its own for each test."""
    monkeypatch.setattr(st, "session_state", kept := {})
    return kept


def test_a_row_says_what_is_known_and_leaves_the_rest_empty():
    anna = Sample(Patient("ANNA", (), ("ANNA has no slice.",)), "test", False)
    bert = Sample(Patient("BERT", ()), "synthetic", True)
    found = {"BERT": PatientPreview(2, 31, b"webp", ("A.", "B."))}
    first, second = patients_table.rows({"ANNA": anna, "BERT": bert}, found, {"BERT": 0.75})
    assert first == {
        "Slice": None,
        "Patient": "ANNA",
        "The networks": "never seen",
        "Slices": 0,
        "With tumor": None,
        "Tumor pixels": None,
        "Dice": None,
        "Without tumor": None,
        "Problems": "ANNA has no slice.",
    }
    assert second["Slice"] == "data:image/webp;base64,d2VicA=="
    assert (second["With tumor"], second["Tumor pixels"], second["Dice"]) == (2, 31, 0.75)
    assert (second["The networks"], second["Problems"]) == ("synthetic", "A. B.")


def test_dice_is_recorded_for_these_weights_or_left_out(monkeypatch):
    scored = {
        "test": {"patients": {"ANNA": {"dice": 0.5}, "BERT": {"dice": None}}},
        "samples": {"patients": {"CARL": {"dice": 1}}},
        "train": {},
    }
    monkeypatch.setattr(scores, "read", lambda name: (scored, ""))
    assert patients_table.recorded_dice() == {"ANNA": 0.5, "CARL": 1}
    monkeypatch.setattr(scores, "read", lambda name: ({}, "They belong to other weights."))
    assert patients_table.recorded_dice() == {}


def test_a_patient_without_a_tumor_has_false_alarms_and_no_dice(monkeypatch):
    patients = {
        "ANNA": {"dice": 0.0, "tumor_slices": 0, "false_alarm_slices": 1},
        "BERT": {"dice": None, "tumor_slices": 0, "false_alarm_slices": 0},
    }
    monkeypatch.setattr(scores, "read", lambda name: ({"samples": {"patients": patients}}, ""))
    samples = {name: Sample(Patient(name, ()), "synthetic", True) for name in patients}
    anna, bert = patients_table.rows(samples, {}, patients_table.recorded_dice())
    assert (anna["Dice"], anna["Without tumor"]) == (None, "no tumor; 1 false alarm")
    assert (bert["Dice"], bert["Without tumor"]) == (None, "no tumor; no false alarm")


def test_a_tally_counts_slice_by_slice_and_scores_all_together():
    slices = [slice_of(1, 8, 10), slice_of(2, 8, 10), slice_of(3, 8, 10, truth=False)]
    counted = tally(analyzed(slices, done=3), 0.5)
    # Of two slices with a truth of 16 pixels all 80 are marked: 2 * 32 / (160 + 32).
    assert counted.predicted == (80, 80, 80) and counted.true == (16, 16, None)
    assert counted.dice == pytest.approx(1 / 3) and counted.scored == 2 and counted.complete
    nothing = tally(analyzed(slices, done=3), 0.9)
    assert nothing.predicted == (0, 0, 0) and nothing.dice == 0


def test_a_tally_of_what_is_not_segmented_yet():
    slices = [slice_of(1, 8, 10), slice_of(2, 8, 10)]
    counted = tally(analyzed(slices, done=1), 0.5)
    assert counted.predicted == (80, None) and counted.scored == 1 and not counted.complete
    none = tally(analyzed(slices), 0.5)
    assert none.dice is None and none.scored == 0


def test_a_tally_is_kept_until_its_masks_change():
    slices = [slice_of(1, 8, 10)]
    first = tally(analyzed(slices, done=1), 0.5)
    assert tally(analyzed(slices, done=1), 0.5) is first
    assert tally(analyzed(slices, done=1), 0.6) is not first


def test_the_area_curve_has_a_point_a_slice_at_its_number():
    slices = [slice_of(4, 8, 10), slice_of(7, 8, 10, truth=False)]
    shown = analyzed(slices, done=1)
    figure = figures.area_figure(shown.stack, tally(shown, 0.5), 1)
    truth, predicted = figure.data
    assert list(truth.x) == [4, 7] and list(truth.y) == [16, None]
    assert list(predicted.y) == [80, None]
    assert truth.line.dash == "dash" and predicted.line.dash == "solid"
    assert figure.layout.shapes[0].x0 == 7  # the slice in the viewer
    spaced = [replace(each, spacing=(2.0, 1.5)) for each in slices]
    figure = figures.area_figure(replace(shown.stack, slices=tuple(spaced)), tally(shown, 0.5), 1)
    assert list(figure.data[1].y) == [240, None] and figure.layout.yaxis.title.text == "mm²"


def test_without_any_mask_there_is_no_curve():
    shown = analyzed([slice_of(4, 8, 10, truth=False)])
    assert not figures.area_figure(shown.stack, tally(shown, 0.5), 0).data


def test_shapes_stand_side_by_side_and_what_is_missing_is_a_dash():
    mask = np.zeros((2, 8, 8), bool)
    mask[0, 2:5, 2:5] = True
    table = {row["Figure"]: row for row in figures.shape_rows(None, describe(mask))}
    assert table["Volume, voxels"] == {"Figure": "Volume, voxels", "Predicted": "–", "Truth": "9"}
    assert table["Slices with tumor"]["Truth"] == "1"
    known = {
        row["Figure"]: row for row in figures.shape_rows(None, describe(mask), (5.0, 2.0, 1.0))
    }
    assert known["Volume, mL"]["Truth"] == "0.09" and known["Largest area, mm²"]["Truth"] == "18"
