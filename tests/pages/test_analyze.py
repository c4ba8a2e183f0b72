"""Analyze: samples and links, uploads and their masks, two steps that never hide each other."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from btmodels.quality import check
from tests import fakes
from tests.btmodels.scanner import dicom, nifti, series
from tests.pages.conftest import words_of
from ui.present import page
from ui.shared.text import plain
from ui.viewer import viewer


def tiff(array) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array)
    return buffer.getvalue()


def upload(app, *files):
    app.segmented_control[0].set_value("Your files").run()
    return (
        app.file_uploader[0].set_value([(name, data, "image/tiff") for name, data in files]).run()
    )


def unfold(app, key):
    """Open an expander whose content is drawn only then."""
    app.session_state[key] = True
    return app.run()


def test_a_sample_is_analyzed_at_once(open_page):
    app = open_page("analyze", patient=fakes.PATIENTS[0])
    assert [metric.value for metric in app.metric] == ["90.0%", "100 px"]
    words = words_of(app)
    assert "1 · Is there a tumor?" in words and "2 · Where?" in words
    assert "**0.800**" in words  # the expert's square lies two columns beside the bright one
    assert f"{100 * 100 / fakes.SIZE**2:.2f}% of the slice" in words


@pytest.fixture
def rules(monkeypatch):
    """Give the site's segmenter, and no other, rules for the verdict."""
    plain, alone = fakes.record, {"slope": 1.0, "intercept": 0.0, "threshold": 0.5}
    extra = {"verdict": alone, "verdict_with_neighbors": alone | {"neighbor_weight": 1.0}}

    def record(name, *assets):
        found = plain(name, *assets)
        own = found.name == "resunet"
        return replace(found, sha256="01" * 32, extra=extra) if own else found

    monkeypatch.setattr(fakes, "record", record)


@pytest.mark.usefixtures("rules")
def test_the_segmenter_decides_and_the_classifier_gives_a_second_opinion(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = upload(open_page("analyze"), ("x.tif", tiff(pixels)))
    assert app.metric[0].value == "99.9%"  # all of the square's pixels are at 255
    words = words_of(app)
    assert (
        "From this slice alone, the ResUNet says yes: at or above its threshold of 50.0%." in words
    )
    assert "The ResNet50 classifier agrees: 90.0%." in words


@pytest.mark.usefixtures("rules")
def test_the_classifier_can_be_asked_for_the_verdict(open_page):
    app = open_page("analyze", patient=fakes.PATIENTS[0])
    # The neighbors are as dark as the head, and make the segmenter a little less sure than alone.
    assert app.metric[0].value == "99.8%" and "verdict" not in app.query_params
    assert "Counting the neighboring slices, the ResUNet says yes: at or above" in words_of(app)
    asked = app.radio(key="analyze.verdict")
    assert asked.options == ["ResUNet", "ResNet50 classifier"]
    app = asked.set_value("classifier").run()
    words = words_of(app)
    assert app.metric[0].value == "90.0%" and app.query_params["verdict"] == "classifier"
    assert "From this slice alone, the ResNet50 classifier says yes: at or above" in words
    assert "The ResUNet agrees: 99.8%." in words
    app = unfold(app, "history.open")
    seen = next(frame.value for frame in app.dataframe if "Verdict by" in frame.value)
    assert list(seen["Verdict by"]) == ["ResNet50 classifier", "ResUNet"]
    # The link opens the same; one without the word opens the segmenter's verdict again.
    link = {key: app.query_params[key] for key in app.query_params}
    assert open_page("analyze", **link).metric[0].value == "90.0%"
    app.query_params.clear()
    app.query_params["patient"] = fakes.PATIENTS[0]
    assert app.run().metric[0].value == "99.8%"
    # A segmenter without a rule leaves no choice.
    app = app.selectbox(key="analyze.model").set_value("unet").run()
    assert app.metric[0].value == "90.0%" and not [
        each for each in app.radio if each.key == "analyze.verdict"
    ]
    assert "With the U-Net, the ResNet50 classifier says whether there is a tumor." in words_of(app)


def test_all_slices_are_analyzed_each_once(open_page):
    fake = fakes.FakeEngine()
    open_page("analyze", fake, patient=fakes.PATIENTS[0])
    assert sum(fake.asked) <= 3 * 2  # of Overview's patient and of this one
    assert 1 in fake.asked  # the slice on screen does not wait for the others


def test_a_link_opens_its_slice_and_is_kept_up_to_date(open_page):
    app = open_page(
        "analyze", patient=fakes.PATIENTS[1], slice="3", threshold="0.3", channel="post"
    )
    assert app.selectbox[0].value == fakes.PATIENTS[1]
    assert [metric.value for metric in app.metric] == ["10.0%", "0 px"]
    assert app.query_params["slice"] == "3"
    assert app.query_params["threshold"] == "0.3"
    assert app.query_params["channel"] == "post"
    assert "set manually" in words_of(app)


def test_unknown_values_of_a_link_get_sentences(open_page):
    app = open_page("analyze", patient="nobody", slice="99", model="vgg99", threshold="7")
    words = words_of(app)
    assert not app.exception
    assert "no patient “nobody”" in words and "no segmenter “vgg99”" in words
    assert "between 0 and 1" in words and "no slice 99" in words


def test_another_patient_can_be_chosen(open_page):
    app = open_page("analyze", patient=fakes.PATIENTS[0])
    app.selectbox[0].set_value(fakes.PATIENTS[1]).run()
    assert app.query_params["patient"] == fakes.PATIENTS[1]
    assert [metric.value for metric in app.metric] == ["90.0%", "100 px"]


def test_an_upload_is_analyzed_and_scored_against_its_mask(open_page):
    pixels, mask = fakes.slice_and_mask(2)
    app = upload(open_page("analyze"), ("x.tif", tiff(pixels)), ("x_mask.tif", tiff(mask)))
    assert [metric.value for metric in app.metric] == ["90.0%", "100 px"]
    words = words_of(app)
    assert "**0.800**" in words
    assert "Links never include uploads" in words
    assert dict(app.query_params) == {"source": "files", "files": "2"}  # how many, never which


def test_a_slice_that_is_answered_at_once_is_drawn_once(open_page, monkeypatch):
    drawn = []
    monkeypatch.setattr(viewer, "message", lambda meta, _: drawn.append(meta["pending"]) or b"")
    pixels, _ = fakes.slice_and_mask(2)
    app = open_page("analyze")
    drawn.clear()
    upload(app, ("x.tif", tiff(pixels)))
    assert drawn == [False]


def test_garbage_gets_a_sentence_and_the_rest_goes_on(open_page):
    pixels, _ = fakes.slice_and_mask(1)
    app = upload(open_page("analyze"), ("bad.tif", b"II*\0garbage"), ("good.tif", tiff(pixels)))
    assert not app.exception
    assert [error.value for error in app.error if "bad.tif" in error.value]
    assert [metric.value for metric in app.metric] == ["10.0%", "0 px"]


def test_a_mask_can_be_chosen_by_hand(open_page):
    pixels, mask = fakes.slice_and_mask(2)
    app = upload(open_page("analyze"), ("x.tif", tiff(pixels)), ("drawn.tif", tiff(mask)))
    by_label = {box.label: box for box in app.selectbox}
    by_label["Slice"].set_value("x.tif").run()
    {box.label: box for box in app.selectbox}["Its mask"].set_value("drawn.tif").run()
    assert not app.exception
    assert "**0.800**" in words_of(app)


def test_forgotten_files_are_gone(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = upload(open_page("analyze"), ("x.tif", tiff(pixels)))
    next(button for button in app.button if button.label == "Forget my files").click().run()
    assert not any(metric.value for metric in app.metric)
    assert "x.tif" not in words_of(app) and "you uploaded is gone" not in words_of(app)
    assert not app.session_state["uploads"]
    assert "analysis.kept" not in app.session_state and "viewer.packed" not in app.session_state


def test_a_hostile_name_is_shown_without_its_tricks(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = upload(
        open_page("analyze"),
        ("\u202egpj.exe.tif", tiff(pixels)),
        ("one\x1b[31m.tif", tiff(pixels + 1)),
        ("bad\u2066.tif", b"II*\0garbage"),
    )
    assert not app.exception
    names = [each.name for each in app.session_state["uploads.own"].slices]
    assert sorted(names) == ["one\ufffd[31m.tif", "\ufffdgpj.exe.tif"]
    words = words_of(app)
    assert "bad\ufffd.tif" in words.replace("\\", "")
    assert not any(character in words for character in "\u202e\u2066\x1b")


def test_uploads_are_never_kept_for_others(open_page):
    from ui.session import analysis

    pixels, _ = fakes.slice_and_mask(2)
    upload(open_page("analyze"), ("x.tif", tiff(pixels)))
    shared = [key[0] for key in analysis._shared()._kept]
    assert shared and all(key.startswith((*fakes.BUNDLED, *fakes.PATIENTS)) for key in shared)


def test_a_volume_opens_where_most_is_marked_and_the_answer_is_about_all_of_it(open_page):
    volume = np.stack([fakes.slice_and_mask(2)[0][..., 1]] * 5)
    volume[3, 10:20, 20:25] = 255
    volume[:, 24:44, 4:44] += (
        np.arange(40, dtype=np.uint8) % 30
    )  # a scan has more values than labels
    data = nifti(volume.transpose(2, 1, 0), np.diag([-2.0, -2, 5, 1]))
    app = upload(open_page("analyze"), ("scan.nii", data))
    assert not app.exception
    words = words_of(app)
    assert "scan\\_4" in words and app.metric[1].value == "600 mm²"
    assert app.title[0].value == plain(
        "Tumor marked in 5 of 5 slices, 11.0 mL, largest in slice 4, both sides."
    )
    assert "does not say which sequence" in words


def test_a_series_goes_by_its_description_and_nobody_talks_of_masks(open_page):
    volume = np.stack([fakes.slice_and_mask(2)[0][..., 1]] * 3)
    files = series(volume, SeriesDescription="AX FLAIR")
    app = upload(open_page("analyze"), *files.items())
    words = words_of(app)
    assert not app.exception and plain("AX FLAIR, slice 1") in words and "IM0001" not in words
    table = next(each.value for each in app.dataframe if "Marked pixels" in each.value)
    assert list(table["Slice"]) == [f"AX FLAIR, slice {n}" for n in (1, 2, 3)]
    assert not [each for each in app.expander if "mask" in each.label]


def test_sequences_and_turns_are_set_by_hand(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = upload(
        open_page("analyze"), ("a.tif", tiff(pixels[..., 1])), ("b.tif", tiff(pixels[..., 0]))
    )

    def choose(label: str, option: str) -> None:
        {box.label: box for box in app.selectbox}[label].set_value(option).run()

    choose("What it is", "flair")
    choose("Picture, volume or series", "b.tif")
    choose("What it is", "post")
    assert not app.exception
    next(button for button in app.button if button.label == "Turn right").click().run()
    assert not app.exception and "turned manually" in words_of(app)
    assert [metric.value for metric in app.metric][1] == "100 px"
    next(button for button in app.button if button.label == "As uploaded").click().run()
    assert "turned manually" not in words_of(app)
    next(button for button in app.button if button.label == "Forget my files").click().run()
    assert "analyze.sequences" not in app.session_state


def test_files_are_still_there_after_a_look_at_the_samples(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = upload(open_page("analyze"), ("mine.tif", tiff(pixels)))
    app.segmented_control[0].set_value("Samples").run()
    assert "mine" not in words_of(app)
    app.segmented_control[0].set_value("Your files").run()
    assert "1 file from before: mine.tif" in words_of(app)
    assert [metric.value for metric in app.metric] == ["90.0%", "100 px"]
    next(button for button in app.button if button.label == "Forget my files").click().run()
    assert "mine" not in words_of(app)
    assert not any(metric.value for metric in app.metric)


def test_files_come_back_where_they_were_left(open_page, monkeypatch):
    shown = []
    monkeypatch.setattr(
        viewer, "message", lambda meta, _: shown.append(meta["view"]["slice"]) or b""
    )
    pixels, _ = fakes.slice_and_mask(2)
    app = upload(open_page("analyze"), ("a.tif", tiff(pixels)), ("b.tif", tiff(pixels)))

    def turn_to_the_second():
        *kept, view = app.session_state[page.UPLOAD]
        app.session_state[page.UPLOAD] = (*kept, replace(view, slice=1))

    turn_to_the_second()
    app.run()
    assert shown[-1] == 0, "while the page is open, the browser knows best"
    turn_to_the_second()
    app.segmented_control[0].set_value("Samples").run()
    app.segmented_control[0].set_value("Your files").run()
    assert shown[-1] == 1


def test_what_was_seen_is_listed_until_it_is_forgotten(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = open_page("analyze", patient=fakes.PATIENTS[0])
    app = unfold(upload(app, ("mine.tif", tiff(pixels))), "history.open")
    seen = [frame.value for frame in app.dataframe if "From" in frame.value]
    assert list(seen[0]["From"]) == ["your files", fakes.PATIENTS[0]]
    assert list(seen[0]["Marked"]) == [100, 100]
    next(button for button in app.button if button.label == "Forget my files").click().run()
    assert [row.name for row in app.session_state["history.rows"].values()] != []
    assert all(row.shared for row in app.session_state["history.rows"].values())


def test_files_to_keep_say_what_is_missing(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = unfold(upload(open_page("analyze"), ("mine.tif", tiff(pixels))), "exports.open")
    labels = {button.label for button in app.get("download_button")}
    assert {"Mask as PNG", "Figures as CSV", "Masks as NIfTI", "Everything as a zip"} <= labels
    assert "Masks as DICOM-SEG" not in labels
    assert "voxels of size 1 and no unit of length" in words_of(app)
    app = unfold(upload(app, ("scan.dcm", dicom(pixels[..., 1]))), "exports.open")
    assert "SliceThickness" in words_of(app)
    app = upload(app, ("scan.dcm", dicom(pixels[..., 1], SliceThickness=4)))
    app = unfold(app, "exports.open")
    assert "Masks as DICOM-SEG" in {button.label for button in app.get("download_button")}


def test_a_slice_that_the_input_check_stops_does_not_keep_the_rest_from_being_kept(
    open_page, monkeypatch
):
    pixels, _ = fakes.slice_and_mask(2)
    app = open_page("analyze")
    stop = check.QualityReport((check.Finding("not_a_brain", "stop", "No brain.", "None."),))
    small = check.QualityReport()
    monkeypatch.setattr(
        check, "check_slice", lambda pixels, spacing=None: stop if len(pixels) == 64 else small
    )
    noise = np.zeros((64, 64, 3), np.uint8)
    app = upload(app, ("a.tif", tiff(pixels)), ("noise.tif", tiff(noise)))
    app = unfold(app, "exports.open")
    buttons = {button.label: button for button in app.get("download_button")}
    assert not buttons["Everything as a zip"].proto.disabled
    assert "1 slice has no mask" in words_of(app)


def test_what_a_lesson_computed_of_an_upload_is_forgotten_with_it(open_page):
    pixels, _ = fakes.slice_and_mask(2)
    app = upload(open_page("analyze"), ("x.tif", tiff(pixels)))
    app.switch_page("pages/learn.py")
    app.query_params["lesson"] = "encoder-decoder"
    app.run()
    next(each for each in app.button if each.label == "Use your own slice").click().run()
    own = app.session_state["uploads.own"].keys[0]
    answers = app.session_state["engine_queries.answers"]
    assert any(
        own in map(str, key) for key in answers
    )  # activation maps of the visitor's own slice
    app.query_params.clear()
    app.query_params["source"] = "files"
    app.switch_page("pages/analyze.py").run()
    next(button for button in app.button if button.label == "Forget my files").click().run()
    assert "engine_queries.answers" not in app.session_state


def test_a_file_with_several_volumes_is_asked_about_and_never_guessed(open_page):
    volume = np.stack([fakes.slice_and_mask(2)[0][..., 1]] * 3).transpose(2, 1, 0)
    four = np.stack([volume // 2, volume, volume // 3], axis=-1)
    app = upload(open_page("analyze"), ("case_t1_flair_t1ce.nii", nifti(four, np.eye(4))))
    assert not app.metric and "Which one is FLAIR" in words_of(app)
    button = next(each for each in app.button if each.label.startswith("Volume 2"))
    assert "FLAIR, by the file" in button.label
    app = button.click().run()
    assert not app.exception and "Which one is FLAIR" not in words_of(app)
    assert app.metric[1].value == "100 mm²" and "missing" not in words_of(app)


def test_an_upload_is_seen_as_a_patient(open_page):
    volume = np.stack([fakes.slice_and_mask(2)[0][..., 1]] * 5)
    data = nifti(volume.transpose(2, 1, 0), np.diag([-2.0, -2, 5, 1]))
    app = upload(open_page("analyze"), ("brain_flair.nii", data))
    app.toggle(key="analyze.as_patient").set_value(True).run()
    assert not app.exception
    app.segmented_control(key="patients.section.own").set_value("In space and in figures").run()
    assert not app.exception
    table = app.table[0].value.set_index("Figure")
    assert table.loc["Volume, mL", "Predicted"] == "10.0"
    assert "Proportions are true: the files give the spacing." in words_of(app)
