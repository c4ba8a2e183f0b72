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
from btmodels.measurement import measure, study
from btmodels.quality.findings import Finding, QualityReport
from btmodels.slices import Analysis, Prediction, Slice, Verdict
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


def read(pdf: bytes, pages: int = 1) -> tuple[pypdf.PdfReader, str]:
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert len(reader.pages) == pages
    return reader, " ".join(reader.pages[0].extract_text().split())


def write(analysis: Analysis, diagnosis: QualityReport | None = None) -> bytes:
    found = diagnosis or QualityReport()
    context = pdf_report.ReportContext(found, "never seen", "Agreement is evidence.", MADE)
    return pdf_report.report_pdf(analysis, context)


def test_a_page_says_figures_and_where_they_come_from(analysis):
    reader, text = read(write(analysis))
    assert "yes: 90.0% (ResNet50 classifier, threshold 42.0%)" in text
    assert "100 of 48 x 48 pixels" in text and f"{100 * 100 / 48**2:.2f}%" in text
    assert "0.800" in text  # 100 pixels each, 80 in common
    assert "unknown: the file gives no spacing" in text
    assert "not a medical device" in text and "never seen. Agreement is evidence." in text
    joined = text.replace(" ", "")
    assert "ab" * 32 in joined and f"version{__version__}" in joined and "2026-11-21" in joined
    assert hashlib.sha256(analysis.slice.pixels.tobytes()).hexdigest() in joined
    assert "found no fault in this file. That says nothing about the person" in text
    assert "doctor" not in text  # on paper, the word would be taken for a person
    assert len(reader.pages[0].images) == 2


def test_a_page_says_who_gives_the_verdict_and_whether_neighbors_count(analysis):
    own, other = Verdict("ensemble", 0.75, 0.5, True), analysis.verdict
    _, text = read(write(measure.with_verdict(analysis, own, other)))
    assert "yes: 75.0% (Ensemble, counting the neighboring slices, threshold 50.0%)" in text
    assert "Second opinion yes: 90.0% (ResNet50 classifier, threshold 42.0%)" in text
    assert "The segmenter's verdict also counts what was found in the neighboring slices" in text
    _, text = read(write(measure.with_verdict(analysis, other, replace(own, neighbors=False))))
    assert "Is there a tumor? yes: 90.0% (ResNet50 classifier, threshold 42.0%)" in text
    assert "Second opinion yes: 75.0% (Ensemble, threshold 50.0%)" in text
    assert "Classifier: ResNet50 classifier, weights" in text
    assert "know nothing about its neighbors" in text


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


def test_names_in_any_script_are_written(analysis):
    name = "Кот_Grün_脑部扫描_猫_머리_Ωμέγα.tif"
    _, text = read(write(replace(analysis, slice=replace(analysis.slice, name=name))))
    assert name in text


def test_letters_that_no_font_has_are_shown_as_missing(analysis):
    _, text = read(write(replace(analysis, slice=replace(analysis.slice, name="a\U0001f9e0b.tif"))))
    assert "a\ufffdb.tif" in text


def test_a_probability_is_rounded_as_on_the_page(analysis):
    for value, words in ((0.99999, "> 99.9%"), (0.00001, "< 0.1%"), (0.5, "50.0%")):
        sure = replace(analysis, verdict=replace(analysis.verdict, probability=value))
        assert f": {words} (" in read(write(sure))[1]


def test_a_study_begins_with_its_answer_and_shows_all_marked_slices(analysis):
    slices = [replace(analysis.slice, name=f"s{i}.tif", number=i, patient="P") for i in range(1, 8)]
    empty = np.zeros_like(analysis.mask)
    analyses = [
        replace(analysis, slice=each)
        if each.number % 2
        else replace(analysis, slice=each, mask=empty, marked_pixels=0)
        for each in slices
    ]
    summary = study.summarize(slices, [*analyses[:6], None], rejected=1)
    context = pdf_report.ReportContext(
        QualityReport(), "never seen", "Evidence.", MADE, ("All agree.",)
    )
    reader, _ = read(pdf_report.report_pdf(analyses[2], context, summary, analyses[:6]), pages=3)
    first, second, third = (" ".join(page.extract_text().split()) for page in reader.pages)
    assert study.sentence(summary) in first and "Tumor marked in 3 of 7 slices, 300 px" in first
    assert "All agree." in first and "1 slice, which has no mask" in first
    assert "Dice, all slices" in first and "s3.tif" in second
    assert [f"Slice {number}: 100 px" in third for number in range(1, 7)] == [True, False] * 3
    assert reader.pages[2].images


def test_it_says_how_many_patients_the_networks_learned_from(analysis):
    _, text = read(write(analysis))
    split, subsets = cohort.load_split(), registry.load_record(analysis.model).training_subsets
    trained_on = [folder for subset in subsets for folder in split[subset]]
    sites = {folder[5:7] for folder in trained_on}
    assert f"{len(trained_on)} patients with lower-grade glioma from {len(sites)} inst" in text


def test_no_name_is_in_it_but_the_slices_own(analysis):
    reader, _ = read(write(analysis))
    assert "x.tif" not in str(reader.metadata)
    assert b"/home" not in write(analysis) and b"/work" not in write(analysis)


def test_many_warnings_stay_on_the_page(analysis):
    findings = tuple(
        Finding("cropped", "fault", "A sentence of some length about what is seen. " * 2, f"{i}%.")
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
