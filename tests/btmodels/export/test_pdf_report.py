"""The report is one page that says what it must, whatever the file is called."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from datetime import date

import numpy as np
import pypdf
import pytest

from btmodels import __version__, registry
from btmodels.dataset import cohort
from btmodels.export import pdf_report
from btmodels.measurement import measure
from btmodels.quality.findings import Finding, QualityReport
from btmodels.slices import Analysis, Prediction, Slice
from btmodels.visualize.overlay import overlay
from btmodels.visualize.window import shown_flair
from tests import fakes

MADE = date(2026, 11, 21)


@pytest.fixture
def analysis(monkeypatch) -> Analysis:
    monkeypatch.setattr(registry, "load_record", fakes.record)
    pixels, mask = fakes.slice_and_mask(2)
    each = Slice("x.tif", pixels, truth=mask > 0)
    records = fakes.record("ensemble"), fakes.record("resnet50")
    found = Prediction(0.9, pixels[..., 1].copy())
    return measure.measure(each, found, *records, "ensemble", "resnet50")


def read(pdf: bytes) -> tuple[pypdf.PdfReader, str]:
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) == 1
    return reader, " ".join(reader.pages[0].extract_text().split())


def write(analysis: Analysis, diagnosis: QualityReport | None = None) -> bytes:
    return pdf_report.report_pdf(
        analysis, diagnosis or QualityReport(), "never seen", "Agreement is evidence.", MADE
    )


def test_a_page_says_figures_and_where_they_come_from(analysis):
    reader, text = read(write(analysis))
    assert "yes: 90.0 % (ResNet50 classifier, threshold 42.0 %)" in text
    assert "100 of 48 x 48 pixels" in text and f"{100 * 100 / 48**2:.2f} %" in text
    assert "0.800" in text  # 100 pixels each, 80 in common
    assert "unknown: the file gives no spacing" in text
    assert "not a medical device" in text and "never seen. Agreement is evidence." in text
    joined = text.replace(" ", "")
    assert "ab" * 32 in joined and f"version{__version__}" in joined and "2026-11-21" in joined
    assert hashlib.sha256(analysis.slice.pixels.tobytes()).hexdigest() in joined
    assert "found no fault in this one. That says nothing about the person" in text
    assert "doctor" not in text  # on paper, the word would be taken for a person
    assert len(reader.pages[0].images) == 2


def test_the_pictures_are_the_slice_and_the_overlay(analysis):
    reader, _ = read(write(analysis))
    plain, marked = (np.asarray(image.image.convert("RGB")) for image in reader.pages[0].images)
    np.testing.assert_array_equal(plain[..., 0], shown_flair(analysis.slice.pixels))
    np.testing.assert_array_equal(marked, overlay(analysis, pdf_report._PICTURE))


@pytest.mark.parametrize(
    "name",
    [
        "a) Tj ET (evil.tif",
        "\\(\\)\\\\).tif",
        "<script>alert(1)</script>.tif",
        "**bold** __x__ [a](http://evil).tif",
        "line\nbreak\r\x00\x1b[31m.tif",
        "Кот 猫 \u202etxt.tif",
        "x" * 5000 + ".tif",
        "%PDF-1.7 endobj stream.tif",
    ],
)
def test_a_hostile_name_is_text_and_nothing_else(analysis, name):
    hostile = replace(analysis, slice=replace(analysis.slice, name=name))
    reader, text = read(write(hostile))
    assert "100 of 48 x 48 pixels" in text and "Slice:" in text
    page = reader.pages[0]
    assert "/Annots" not in page and "/AA" not in page and "/Names" not in reader.root_object
    assert isinstance(reader.root_object["/OpenAction"], list)  # a place to begin at, not an action
    shown = name[:6].replace("\n", " ").strip()
    if shown.isascii() and shown.isprintable():
        assert shown in text.replace("  ", " ") or shown.replace(" ", "") in text.replace(" ", "")


def test_letters_that_it_cannot_write_are_told(analysis):
    for name, told in (("Кот?.tif", True), ("what?.tif", False), ("Grün.tif", False)):
        _, text = read(write(replace(analysis, slice=replace(analysis.slice, name=name))))
        assert ("shown as a question mark" in text) == told


def test_it_says_how_many_patients_the_networks_learned_from(analysis):
    _, text = read(write(analysis))
    trained_on = cohort.load_split()["train"]
    sites = {folder[5:7] for folder in trained_on}
    assert f"{len(trained_on)} patients with lower-grade glioma from {len(sites)} inst" in text


def test_no_name_is_in_it_but_the_slices_own(analysis):
    reader, _ = read(write(analysis))
    assert "x.tif" not in str(reader.metadata)
    assert b"/home" not in write(analysis) and b"/work" not in write(analysis)


def test_many_warnings_stay_on_the_page(analysis):
    findings = tuple(
        Finding("cropped", "fault", "A sentence of some length about what is seen. " * 2, f"{i} %.")
        for i in range(40)
    )
    _, text = read(write(analysis, QualityReport(findings)))
    assert "more, on the page itself" in text
    assert "Where it comes from" in text and "2026-11-21" in text


def test_a_tall_slice_keeps_its_shape(analysis):
    pixels = np.zeros((200, 50, 3), np.uint8)
    mask = np.zeros((200, 50), bool)
    mask[90:95, 20:22] = True
    tall = replace(
        analysis, slice=Slice("tall.png", pixels), mask=mask, head=mask, marked_pixels=10, dice=None
    )
    reader, text = read(write(tall))
    assert "10 of 200 x 50 pixels" in text
    assert [image.image.size for image in reader.pages[0].images] == [(50, 200), (150, 600)]
