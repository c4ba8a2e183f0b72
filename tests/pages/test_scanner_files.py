"""The test files of pydicom and nibabel on Analyze: slices or a sentence, and never a fault of the page."""

from __future__ import annotations

import time

import pytest

from tests.btmodels.case_files import CASES
from tests.btmodels.io.test_wheel_files import FILES, FULL, SECONDS
from tests.pages.conftest import words_of
from tests.pages.test_analyze import upload

# A kind each: a slice, frames, colors, a list of contents, a plan, a segmentation, damage, volumes, others.
KINDS = (
    "MR_small.dcm", "rtdose.dcm", "SC_rgb_rle.dcm", "DICOMDIR", "rtplan.dcm", "liver_1frame.dcm",
    "MR_truncated.dcm", "badVR.dcm", "anatomical.nii", "example4d.nii.gz", "T1.PAR", "analyze.hdr",
)  # fmt: skip
CHOSEN = FILES if FULL else [next(file for file in FILES if file.name == name) for name in KINDS]


@pytest.fixture(scope="module")
def seconds() -> dict[str, float]:
    return {}


@pytest.mark.parametrize("file", CHOSEN, ids=lambda file: file.name)
def test_a_scanners_file_gives_slices_or_a_sentence_on_the_page(open_page, seconds, file):
    app = open_page("analyze")
    start = time.process_time()
    app = upload(app, (file.name, file.read_bytes()))
    seconds[file.name] = time.process_time() - start
    assert not app.exception
    shown = bool(app.metric)
    told = [each.value for each in (*app.error, *app.warning) if file.name[:40] in each.value]
    assert shown or told, words_of(app)
    assert "Traceback" not in words_of(app) and "Error:" not in words_of(app)


SAID = {
    "02_one_position_missing": (8, "its number puts it between its neighbors"),
    "25_two_studies_one_nifti": (16, ""),
    "39_one_bad_member": (3, "is damaged or compressed in a rare way within its zip"),
}
INPUTS = {name: CASES[name]() for name in SAID}  # before the site has other samples


@pytest.mark.parametrize("name", SAID)
def test_what_goes_wrong_elsewhere_is_right_on_the_page(open_page, name):
    count, said = SAID[name]
    app = upload(open_page("analyze"), *INPUTS[name].items())
    assert not app.exception
    shown = app.session_state["uploads.own"].slices
    assert len(shown) == count
    notes = [note for each in shown for note in each.notes]
    assert said in " ".join((*notes, *(each.value for each in app.error)))
    volumes = {each.position.title for each in shown if each.position}
    assert volumes == ({"AX FLAIR", "AX FLAIR (2)"} if count == 16 else volumes)


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="minutes; BT_FULL=1 runs it")
def test_none_takes_the_page_long(seconds):
    assert len(seconds) > 200
    assert {name: took for name, took in seconds.items() if took > SECONDS} == {}
