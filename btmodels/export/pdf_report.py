"""A PDF report: the study as a whole, then its slices with pictures, figures, sources, and caveats.

Made in memory. The only name in it is the slice's file name, without folders and shortened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from fpdf import FPDF
from PIL import Image

from btmodels import __version__, registry
from btmodels.dataset import cohort
from btmodels.export.pdf_page import BOTTOM, MARGIN, WIDTH, area_curve, new_pdf, shortened, write
from btmodels.measurement.measure import square_millimeters
from btmodels.measurement.study import StudySummary, milliliters, percent, sentence
from btmodels.metrics import overlap
from btmodels.quality.findings import QualityReport
from btmodels.slices import FLAIR, Analysis, Verdict
from btmodels.visualize import overlay
from btmodels.visualize.window import Window, apply_window, windows_of
from btmodels.words import counted

NOTICE = "For research and teaching. This is not a medical device, and nothing here is a diagnosis."

_FIT = "The input check found no fault in this file. That says nothing about the person."
_NOT_LOOKED_AT = "This picture did not go through the input check."

_BOX = 84  # mm, side of the square that a picture is fitted into
_SMALL, _COLUMNS = 42, 4  # mm and pictures a line, of the pages with all marked slices
_PICTURE = 512  # pixels of a picture's longer side at least


@dataclass(frozen=True)
class ReportContext:
    """Content of a report besides masks and figures.

    Attributes:
        quality: Result of the input check for the slice.
        badge, meaning: Whether the networks were trained on the patient: in a word or two, in a sentence.
        made: Date of the report.
        agreement: Sentences about how far networks agree on the slice, if that was computed.
    """

    quality: QualityReport
    badge: str
    meaning: str
    made: date
    agreement: tuple[str, ...] = ()


def report_pdf(
    analysis: Analysis,
    context: ReportContext,
    summary: StudySummary | None = None,
    analyses: Sequence[Analysis] = (),
) -> bytes:
    """Write the report.

    Args:
        analysis: The slice to report on, at the threshold to report.
        context: Further content of the report.
        summary: Summary of the slice's study. None, or a study of one slice, leaves the study's pages out.
        analyses: All analyzed slices of that study, in order, at the same threshold.

    Returns:
        A PDF, A4: for a study, one page about the study, one about the slice, then all marked slices; for a
        single slice, one page.
    """
    whole = summary is not None and summary.slices > 1
    title = f"Brain tumor segmentation: {'study' if whole else 'one slice'}"
    pdf = new_pdf(title, f"brain tumor segmentation {__version__}")
    every = [each.slice for each in analyses] if whole else [analysis.slice]
    windows = {id(each): found[FLAIR] for each, found in zip(every, windows_of(every), strict=True)}
    window = windows.get(id(analysis.slice)) or windows_of([analysis.slice])[0][FLAIR]
    if whole:
        _study_page(pdf, summary, analyses, windows, context)
    _slice_page(pdf, analysis, window, context)
    if whole:
        _marked_slices(pdf, [each for each in analyses if each.marked_pixels], windows)
    return bytes(pdf.output())


def _study_page(
    pdf: FPDF,
    summary: StudySummary,
    analyses: Sequence[Analysis],
    windows: dict[int, Window],
    context: ReportContext,
) -> None:
    _head(pdf, "Brain tumor segmentation: study", summary.title, context)
    write(pdf, sentence(summary), 14, bold=True)
    pdf.ln(2)
    by_area = sorted(analyses, key=lambda each: each.marked_pixels)
    if summary.largest is not None:
        largest = by_area[-1]
        _pictures(pdf, largest, windows[id(largest.slice)])
    write(pdf, "Marked pixels in each slice, first slice left", 10, bold=True)
    area_curve(pdf, summary.areas)
    _table(pdf, _study_figures(summary, analyses))
    _list(pdf, "How far the networks agree on the largest or chosen slice", context.agreement)
    neighbors = any(_counts_neighbors(each) for each in analyses)
    _list(pdf, "What to keep in mind", caveats(analyses[0].model, neighbors))


def _study_figures(summary: StudySummary, analyses: Sequence[Analysis]) -> list[tuple[str, str]]:
    yes = sum(each.verdict.tumor for each in analyses)
    network = registry.get(analyses[0].verdict.network).title
    if any(each.verdict.neighbors for each in analyses):
        network += ", counting the neighboring slices"
    pixels = counted(summary.marked_pixels, "pixel")
    found = [
        ("Slices", f"{summary.slices}, of which {summary.analyzed} were analyzed"),
        ("Marked", f"in {counted(summary.marked_slices, 'slice')}, {pixels} in all"),
        ("Volume", "unknown: the files give no spacing"),
        ("Side", summary.side_in_words or "nothing is marked"),
        ("Largest in", summary.largest_name or "nothing is marked"),
        ("Is there a tumor?", f"yes in {yes} of {counted(len(analyses), 'slice')} ({network})"),
    ]
    if summary.milliliters is not None:
        found[2] = (
            "Volume",
            f"{milliliters(summary.milliliters)} at the spacing that the files give",
        )
    if summary.rejected:
        have = "which has" if summary.rejected == 1 else "which have"
        rejected = f"{counted(summary.rejected, 'slice')}, {have} no mask"
        found.append(("Not analyzable", rejected))
    scored = [each for each in analyses if each.slice.truth is not None]
    if scored:
        counts = overlap.total(overlap.count(each.mask, each.slice.truth) for each in scored)
        score = overlap.dice(counts)
        words = "undefined, both are empty" if score is None else f"{score:.3f}"
        found.append(
            ("Dice, all slices", f"{words}, on {counted(len(scored), 'slice')} with a true mask")
        )
    return found


def _slice_page(pdf: FPDF, analysis: Analysis, window: Window, context: ReportContext) -> None:
    _head(pdf, "Brain tumor segmentation: one slice", analysis.slice.name, context)
    _pictures(pdf, analysis, window)
    _table(pdf, _figures(analysis))
    quality = context.quality
    sentences = (*context.agreement, *quality.sentences, *analysis.warnings)
    if not quality.checked:
        sentences = (_NOT_LOOKED_AT, *sentences)
    elif not quality.findings:
        sentences = (_FIT, *sentences)
    _list(pdf, "Findings", sentences, rest=62)
    _list(pdf, "What to keep in mind", caveats(analysis.model, _counts_neighbors(analysis)))
    _list(pdf, "Where it comes from", _sources(analysis, context.made))


def _marked_slices(pdf: FPDF, analyses: Sequence[Analysis], windows: dict[int, Window]) -> None:
    gap = (WIDTH - _COLUMNS * _SMALL) / (_COLUMNS - 1)
    top = BOTTOM
    for place, each in enumerate(analyses):
        column = place % _COLUMNS
        if not column and top + 2 * (_SMALL + 8) > BOTTOM:
            pdf.add_page()
            write(pdf, "All slices in which anything is marked", 12, bold=True)
            top = pdf.get_y() + 2
        elif not column:
            top += _SMALL + 8
        rows, cols = each.mask.shape
        scale = _SMALL / max(rows, cols)
        left = MARGIN + column * (_SMALL + gap)
        picture = overlay.overlay(each, window=windows[id(each.slice)])
        pdf.image(Image.fromarray(picture), left, top, cols * scale, rows * scale)
        pdf.set_xy(left, top + _SMALL)
        number = each.slice.number
        name = f"Slice {number}" if number is not None else shortened(each.slice.name, 24)
        write(pdf, f"{name}: {each.marked_pixels:,} px", 8, width=_SMALL)


def _head(pdf: FPDF, title: str, name: str, context: ReportContext) -> None:
    pdf.add_page()
    write(pdf, title, 16, bold=True)
    write(pdf, NOTICE, 9)
    kind = "Slice" if title.endswith("slice") else "Study"
    write(pdf, f"{kind}: {shortened(name)}", 10, bold=True)
    write(pdf, f"Patient: {context.badge}. {context.meaning}", 9)
    pdf.ln(2)


def _pictures(pdf: FPDF, analysis: Analysis, window: Window) -> None:
    top = pdf.get_y()
    gray = apply_window(analysis.slice.pixels[..., FLAIR], window)
    marked = overlay.overlay(analysis, _PICTURE, window)
    rows, cols = gray.shape
    scale = _BOX / max(rows, cols)
    words = ("FLAIR", "FLAIR with what the network marks (orange)")
    if analysis.slice.truth is not None:
        words = (words[0], "Marked (orange) and true mask (blue, dashed)")
    plain = np.repeat(gray[..., None], 3, axis=2)
    for place, (pixels, caption) in enumerate(zip((plain, marked), words, strict=True)):
        left = MARGIN + place * (WIDTH - _BOX)
        pdf.image(Image.fromarray(pixels), left, top, cols * scale, rows * scale, alt_text=caption)
        pdf.set_xy(left, top + rows * scale + 1)
        write(pdf, caption, 8, width=_BOX)
    pdf.set_xy(MARGIN, top + rows * scale + 7)


def _table(pdf: FPDF, rows: Sequence[tuple[str, str]]) -> None:
    for label, value in rows:
        top = pdf.get_y()
        write(pdf, label, 9, width=48)
        pdf.set_xy(MARGIN + 48, top)
        write(pdf, value, 9, bold=True)
    pdf.ln(1)


def _figures(analysis: Analysis) -> list[tuple[str, str]]:
    rows, cols = analysis.mask.shape
    found = [
        ("Is there a tumor?", _answer(analysis.verdict)),
        ("Marked", f"{analysis.marked_pixels:,} of {rows} x {cols} pixels"),
        ("Of the slice", f"{100 * analysis.slice_share:.2f}%"),
    ]
    if analysis.second_opinion:
        found.insert(1, ("Second opinion", _answer(analysis.second_opinion)))
    if analysis.head_share is not None:
        found.append(("Of the head", f"{100 * analysis.head_share:.2f}%"))
    if (area := square_millimeters(analysis)) is not None:
        found.append(("Area", f"{area:,.0f} mm² at the spacing that the file gives"))
    else:
        found.append(("Area", "unknown: the file gives no spacing"))
    if analysis.slice.truth is not None:
        score = "undefined, both are empty" if analysis.dice is None else f"{analysis.dice:.3f}"
        found.append(("Dice against the truth", score))
    return found


def _answer(verdict: Verdict) -> str:
    found = "yes" if verdict.tumor else "none found in this slice"
    title, limit = registry.get(verdict.network).title, 100 * verdict.threshold
    basis = f", {verdict.basis}" if verdict.neighbors else ""
    return f"{found}: {percent(verdict.probability)} ({title}{basis}, threshold {limit:.1f}%)"


def _sources(analysis: Analysis, made: date) -> tuple[str, ...]:
    opinions = [each for each in (analysis.verdict, analysis.second_opinion) if each]
    classifier = next(each.network for each in opinions if each.network != analysis.model)
    pixels = np.ascontiguousarray(analysis.slice.pixels)
    rows, cols = pixels.shape[:2]
    return (
        f"Segmenter: {registry.get(analysis.model).title}, threshold {analysis.threshold:.2f}, weights "
        f"SHA-256 {analysis.weights_sha256}",
        f"Classifier: {registry.get(classifier).title}, weights SHA-256 "
        f"{registry.load_record(classifier).sha256}",
        f"Input: {rows} x {cols} x 3 pixels as analyzed, SHA-256 {hashlib.sha256(pixels).hexdigest()}",
        f"Software version {__version__}, made on {made.isoformat()}",
    )


def _counts_neighbors(analysis: Analysis) -> bool:
    opinions = (analysis.verdict, analysis.second_opinion)
    return any(each is not None and bool(each.neighbors) for each in opinions)


def caveats(model: str, neighbors: bool = False) -> tuple[str, ...]:
    """Return the limits that every report names, with the number of the segmenter's training patients.

    Args:
        model: Registry name of the segmenter.
        neighbors: Whether the segmenter's verdict counts the neighboring slices.
    """
    context = "Both networks see one slice at a time and know nothing about its neighbors."
    if neighbors:
        context = (
            "Both networks see one slice at a time. The segmenter's verdict also counts what was "
            "found in the neighboring slices; the mask does not."
        )
    split, record = cohort.load_split(), registry.load_record(model)
    trained_on = [folder for subset in record.training_subsets for folder in split[subset]]
    sites = {folder.split("_")[1] for folder in trained_on}  # TCGA_<institution>_<patient>_<date>
    return (
        f"The mask is what a network marks. It was trained on {len(trained_on)} patients with lower-grade "
        f"glioma from {len(sites)} institutions, and never on other tumors, other diseases or other "
        "scanners.",
        "The probability is calibrated on patients of that data set. It is not the probability that a "
        "person has a tumor.",
        context,
    )


def _list(pdf: FPDF, heading: str, sentences: Sequence[str], rest: float = 0) -> None:
    """Write sentences as a list as long as ``rest`` mm stay free below it."""
    if not sentences:
        return
    write(pdf, heading, 10, bold=True)
    for place, text in enumerate(sentences):
        height = write(pdf, f"- {text}", 8, dry_run=True)
        if pdf.get_y() + height > BOTTOM - rest:
            write(pdf, f"- and {len(sentences) - place} more, on the page itself", 8)
            return
        write(pdf, f"- {text}", 8)
    pdf.ln(1)
