"""Patients: a cohort to choose from, one patient as a whole, links, broken folders, the download."""

from __future__ import annotations

import time

import pytest
import streamlit as st
import tifffile

import btmodels.dataset.cohort
from btmodels.dataset import cohort, download
from btmodels.dataset.thumbnails import get_thumbnail_queue
from tests import fakes
from tests.pages.conftest import words_of

FIRST, SECOND = fakes.PATIENTS
EMPTY = "TCGA_ZZ_0003_20260101"


def surveyed(app):
    """Wait until all folders have been opened, and run the page again."""
    patients = []
    for root in (btmodels.dataset.cohort.samples_root(), cohort.data_root()):
        patients += cohort.read_cohort(root) if root else []
    end = time.monotonic() + 60
    while len(get_thumbnail_queue().request(patients)) < len(patients):
        assert time.monotonic() < end
        time.sleep(0.02)
    return app.run()


def row_of(app, patient: str) -> dict:
    table = app.dataframe[0].value
    row = table[table["Patient"] == patient].iloc[0].to_dict()
    return {key: None if value != value else value for key, value in row.items()}  # NaN is no cell


def figures(app) -> list[str]:
    return [metric.value for metric in app.metric]


def test_the_cohort_is_a_table_that_is_there_before_its_folders_are_opened(open_page):
    app = open_page("patients")
    assert not app.exception
    assert list(app.dataframe[0].value["Patient"]) == [*fakes.BUNDLED, FIRST, SECOND]
    assert [bar.value for bar in app.get("progress")] or row_of(app, FIRST)["With tumor"] == 1
    row = row_of(surveyed(app), FIRST)
    assert (row["Slices"], row["With tumor"], row["Tumor pixels"]) == (3, 1, 100)
    assert row["Slice"].startswith("data:image/webp;base64,")
    assert row["Problems"] is None
    assert "Opening the folders" not in words_of(app)


def test_a_whole_patient_is_segmented_and_each_slice_once(open_page):
    fake = fakes.FakeEngine()
    app = open_page("patients", fake, patient=FIRST)
    assert figures(app) == ["0.800", "100 px", "100 px"]
    assert "in 1 of 3 slices" in words_of(app)
    assert sum(fake.asked) <= 3 * 2  # of Overview's patient and of this one


def test_another_patient_can_be_chosen(open_page):
    app = open_page("patients", patient=FIRST)
    app.selectbox[0].set_value(SECOND).run()
    assert app.query_params["patient"] == SECOND
    assert [header.value for header in app.subheader][0] == SECOND


def test_a_link_opens_its_slice_and_is_kept_up_to_date(open_page):
    app = open_page("patients", patient=SECOND, slice="3", threshold="0.3", layers="truth")
    assert app.selectbox[0].value == SECOND
    assert {key: app.query_params[key] for key in ("slice", "threshold", "layers", "channel")} == {
        "slice": "3",
        "threshold": "0.3",
        "layers": "truth",
        "channel": "flair",
    }
    assert "set manually" in words_of(app)
    link = next(each for each in app.get("page_link") if each.proto.page == "analyze")
    assert f"patient={SECOND}" in link.proto.query_string


def test_unknown_values_of_a_link_get_sentences(open_page):
    app = open_page("patients", patient="nobody", slice="99", model="vgg99", channel="t9")
    words = words_of(app)
    assert not app.exception
    assert "no patient “nobody”" in words and "no segmenter “vgg99”" in words
    assert "no channel “t9”" in words and "no slice 99" in words


def test_a_folder_with_faults_is_listed_with_them_and_the_page_works(open_page, cohort):
    folder = cohort / FIRST
    (folder / f"{FIRST}_1_mask.tif").unlink()
    (folder / f"{FIRST}_3.tif").write_bytes(b"II*\0 and then nothing")
    pixels, mask = fakes.slice_and_mask(2)
    tifffile.imwrite(folder / f"{FIRST}_4.tif", pixels[:40])
    tifffile.imwrite(folder / f"{FIRST}_4_mask.tif", mask)
    (cohort / EMPTY).mkdir()
    st.cache_resource.clear()
    app = surveyed(open_page("patients", patient=FIRST))
    assert not app.exception
    wrong = row_of(app, FIRST)["Problems"]
    assert f"Slice 1 of {FIRST} has no mask." in wrong
    assert f"{FIRST}_3.tif" in wrong and f"{FIRST}_4_mask.tif has 48 rows" in wrong
    assert "differ in size" in wrong
    assert row_of(app, EMPTY)["Problems"] == f"{EMPTY} has no slice."
    assert row_of(app, SECOND)["Problems"] is None
    assert any("problems with the folder" in each.label for each in app.expander)
    assert figures(app) == ["0.800", "200 px", "100 px"]
    assert "Scored on 1 of 3 slices with a true mask." in words_of(app)
    app.segmented_control[0].set_value("In space and in figures").run()
    assert not app.exception and "differ in size" in words_of(app)
    app.selectbox[0].set_value(EMPTY).run()
    assert not app.exception
    assert f"No slice of {EMPTY} can be read." in words_of(app)
    app.selectbox[0].set_value(SECOND).run()
    assert figures(app) == ["0.800", "100 px", "100 px"]


def test_those_with_faults_can_be_looked_at_alone(open_page, cohort):
    (cohort / SECOND / f"{SECOND}_1_mask.tif").unlink()
    st.cache_resource.clear()
    app = surveyed(open_page("patients"))
    app.pills[0].set_value(["problems found"]).run()
    assert list(app.dataframe[0].value["Patient"]) == [SECOND]


def test_nobody_stays_below_a_table_that_does_not_hold_them(open_page, monkeypatch):
    kinds = {FIRST: "train", SECOND: "test"}
    monkeypatch.setattr(
        btmodels.dataset.cohort, "provenance", lambda folder: kinds.get(folder, "synthetic")
    )
    st.cache_resource.clear()
    app = surveyed(open_page("patients"))
    # Never-seen patients first: they are what a score is worth.
    assert list(app.dataframe[0].value["Patient"]) == [SECOND, *fakes.BUNDLED, FIRST]
    assert app.query_params["patient"] == SECOND
    app.pills[0].set_value(["trained on"]).run()
    assert app.query_params["patient"] == FIRST and app.subheader[0].value == FIRST


def test_a_patient_without_a_tumor_is_told_of_false_alarms(open_page, cohort):
    for number in (1, 2, 3):
        mask = fakes.slice_and_mask(1)[1]
        tifffile.imwrite(cohort / FIRST / f"{FIRST}_{number}_mask.tif", mask)
    st.cache_resource.clear()
    app = open_page("patients", patient=FIRST)
    assert figures(app)[0] == "no tumor"
    assert "The true masks are empty. 1 false alarm." in words_of(app)


@pytest.mark.parametrize(
    ("recorded", "shown", "told"), [(0.803, "0.803", False), (0.7, "0.800", True)]
)
def test_one_page_has_one_dice(open_page, monkeypatch, recorded, shown, told):
    # Two machines round differently; what differs by more is said.
    from ui.patients import page

    monkeypatch.setattr(page, "recorded_dice", lambda: {FIRST: recorded})
    app = open_page("patients", patient=FIRST)
    assert figures(app)[0] == shown
    assert ("The record of these weights says" in words_of(app)) == told


def test_the_tumor_in_space_and_its_shape_in_figures(open_page):
    app = open_page("patients", patient=FIRST)
    app.segmented_control[0].set_value("In space and in figures").run()
    assert not app.exception
    table = app.table[0].value.set_index("Figure")
    assert dict(table.loc["Volume, voxels"]) == {"Predicted": "100", "Truth": "100"}
    assert dict(table.loc["Parts"]) == {"Predicted": "1", "Truth": "1"}
    assert "How far apart the slices lie is not in the files" in words_of(app)


def test_a_true_tumor_with_holes_is_not_drawn(open_page, cohort):
    (cohort / FIRST / f"{FIRST}_1_mask.tif").unlink()
    st.cache_resource.clear()
    app = open_page("patients", patient=FIRST)
    app.segmented_control[0].set_value("In space and in figures").run()
    assert not app.exception
    assert "The true tumor is left out: 1 of the slices" in words_of(app)
    table = app.table[0].value.set_index("Figure")
    assert dict(table.loc["Volume, voxels"]) == {"Predicted": "100", "Truth": "–"}


def test_the_record_in_words_and_never_as_a_prediction(open_page, cohort):
    (cohort / "data.csv").write_text(f"Patient;gender;death01\n{FIRST[:12]};2;\n")
    app = open_page("patients", patient=FIRST)
    app.segmented_control[0].set_value("The record").run()
    table = app.table[0].value.set_index("Recorded")
    assert table.loc["Gender", "For this patient"] == "male"
    words = words_of(app)
    assert "none of it was predicted by this site" in words
    assert "Not recorded for this patient:" in words and "At last contact" in words
    app.selectbox[0].set_value(SECOND).run()
    assert "no record of this patient" in words_of(app)
    (cohort / "data.csv").write_text("garbage")
    app.run()
    assert "data.csv is not a table" in words_of(app)


def test_agreement_with_a_training_patient_is_warned_of(open_page, cohort, monkeypatch):
    monkeypatch.setattr(btmodels.dataset.cohort, "provenance", lambda folder: "train")
    st.cache_resource.clear()
    app = open_page("patients", patient=FIRST)
    assert any("proves nothing" in warning.value for warning in app.warning)
    assert row_of(app, FIRST)["The networks"] == "trained on"


def test_without_networks_the_slices_are_there_and_nothing_is_scored(open_page):
    app = open_page("patients", fakes.FakeEngine("off", "Switched off."), patient=FIRST)
    assert not app.exception
    assert "Switched off." in words_of(app)
    assert figures(app) == ["–", "100 px"]


class FakeDownload:
    """Stands in for the download; a start is noted and followed by what the test says."""

    def __init__(self) -> None:
        self.now = download.Progress("idle")
        self.next = download.Progress("running", 0.42, "300MB of 714MB")
        self.started = 0

    def progress(self):
        return self.now

    def start(self):
        self.started += 1
        self.now = self.next

    def stop(self):
        self.now = download.Progress("failed", message="The download was stopped.")


@pytest.fixture
def no_data(cohort, monkeypatch, tmp_path):
    """No data folder, and a download that fetches nothing."""
    from ui.patients import download as patients_download

    fake = FakeDownload()
    monkeypatch.delenv("BT_DATA_DIR")
    monkeypatch.setenv("BT_ALLOW_DOWNLOAD", "1")
    monkeypatch.setattr(btmodels.dataset.cohort, "DOWNLOADED", tmp_path / "downloaded.txt")
    monkeypatch.setattr(patients_download, "get_download", lambda: fake)
    return fake


def button(app, label: str):
    return next((each for each in app.button if each.label == label), None)


def test_without_data_the_synthetic_cohort_is_shown_and_said_to_be_made_up(open_page, no_data):
    app = open_page("patients")
    assert list(app.dataframe[0].value["Patient"]) == list(fakes.BUNDLED)
    assert "These patients are synthetic" in words_of(app)


def test_with_data_nothing_is_offered(open_page):
    app = open_page("patients")
    assert button(app, "Download the real patients") is None
    assert "These patients are synthetic" not in words_of(app)


def test_the_download_shows_its_progress_and_can_be_stopped(open_page, no_data):
    app = open_page("patients")
    button(app, "Download the real patients").click().run()
    assert no_data.started == 1
    bar = next(each for each in app.get("progress") if "Downloading" in each.proto.text)
    assert bar.value == 42 and "300MB of 714MB" in bar.proto.text
    button(app, "Stop").click().run()
    assert "The download was stopped." in words_of(app)
    assert button(app, "Try again") is not None


def test_what_was_downloaded_is_shown_at_once(open_page, no_data, tmp_path):
    app = open_page("patients")
    root = fakes.write_cohort(tmp_path / "fetched")
    no_data.next = download.Progress("done", 1.0)
    btmodels.dataset.cohort.DOWNLOADED.write_text(str(root))
    button(app, "Download the real patients").click().run()
    assert FIRST in list(app.dataframe[0].value["Patient"])
    assert "These patients are synthetic" not in words_of(app)


@pytest.mark.parametrize(
    ("address", "visitor", "allowed", "offered"),
    [
        ("127.0.0.1", None, "", True),
        ("127.0.0.1", "203.0.113.7", "", False),  # through a proxy on this machine
        ("0.0.0.0", None, "", False),
        ("0.0.0.0", "203.0.113.7", "1", True),
    ],
)
def test_the_download_is_for_this_machine_or_by_leave(
    open_page, no_data, monkeypatch, address, visitor, allowed, offered
):
    from ui.patients import download as patients_download

    monkeypatch.setenv("BT_ALLOW_DOWNLOAD", allowed)
    option = st.get_option
    monkeypatch.setattr(
        patients_download.st,
        "get_option",
        lambda key: address if key == "server.address" else option(key),
    )
    monkeypatch.setattr(patients_download, "_visitor", lambda: visitor)
    app = open_page("patients")
    assert (button(app, "Download the real patients") is not None) == offered
    assert ("btmodels download" in words_of(app)) != offered
