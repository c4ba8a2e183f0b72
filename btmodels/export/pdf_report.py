"""One page about one slice, as PDF: pictures, figures, what they come from, and what they are not.

Made in memory. The only name in it is the one that the slice came with, without folders and cut short.
"""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from PIL import Image

from btmodels import __version__, registry
from btmodels.dataset import cohort
from btmodels.measurement.measure import square_millimeters
from btmodels.quality.findings import QualityReport
from btmodels.slices import Analysis
from btmodels.visualize import overlay
from btmodels.visualize.window import shown_flair

NOTICE = "For research and teaching. This is not a medical device, and nothing here is a diagnosis."

_FIT = (
    "The program that looks whether a file is fit to be judged found no fault in this one. That says "
    "nothing about the person."
)
_NOT_LOOKED_AT = "Whether the picture is fit to be judged was not looked at."

_MARGIN, _WIDTH = 15, 180  # mm, of A4
_BOX = 84  # mm, side of the square that a picture is fitted into
_BOTTOM = 284  # mm, where the last line may end
_PICTURE = 512  # pixels of a picture's longer side at least
_NAME = 90  # characters of a name that are shown


def report_pdf(
    analysis: Analysis,
    diagnosis: QualityReport,
    badge: str,
    meaning: str,
    made: date,
) -> bytes:
    """Write the report.

    Args:
        analysis: At the threshold that is to be reported.
        diagnosis: What the input check sees in the slice.
        badge, meaning: Whether the networks have met the patient before: a word or two, a sentence.
        made: Today.

    Returns:
        A PDF of one page, A4.
    """
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(_MARGIN)
    pdf.c_margin = 0  # words begin where pictures do
    pdf.set_title("Brain-tumor segmentation: one slice")
    pdf.set_creator(f"brain-tumor segmentation {__version__}")
    pdf.add_page()
    _line(pdf, "Brain-tumor segmentation: one slice", 16, bold=True)
    _line(pdf, NOTICE, 9)
    shown = _shown(analysis.slice.name)
    _line(pdf, f"Slice: {shown}", 10, bold=True)
    if _plain(shown).count("?") > shown.count("?"):
        _line(
            pdf, "Letters of its name that this page cannot write are shown as a question mark.", 9
        )
    _line(pdf, f"Patient: {badge}. {meaning}", 9)
    pdf.ln(2)
    _pictures(pdf, analysis)
    for label, value in _figures(analysis):
        pdf.set_font("Helvetica", size=9)
        pdf.cell(48, 4.6, _plain(label))
        pdf.set_font("Helvetica", style="B", size=9)
        pdf.cell(0, 4.6, _plain(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(1)
    sentences = (*diagnosis.sentences, *analysis.warnings)
    if not diagnosis.checked:
        sentences = (_NOT_LOOKED_AT, *sentences)
    elif not diagnosis.findings:
        sentences = (_FIT, *sentences)
    _list(pdf, "What was noticed", sentences, rest=62)
    _list(pdf, "What to keep in mind", caveats())
    _list(pdf, "Where it comes from", _sources(analysis, made))
    return bytes(pdf.output())


def _pictures(pdf: FPDF, analysis: Analysis) -> None:
    top = pdf.get_y()
    plain = np.repeat(shown_flair(analysis.slice.pixels)[..., None], 3, axis=2)
    marked = overlay.overlay(analysis, _PICTURE)
    rows, cols = plain.shape[:2]
    scale = _BOX / max(rows, cols)
    words = ("FLAIR", "FLAIR with what the network marks (orange)")
    if analysis.slice.truth is not None:
        words = (words[0], "Marked (orange) and true mask (blue, dashed)")
    for place, (pixels, caption) in enumerate(zip((plain, marked), words, strict=True)):
        left = _MARGIN + place * (_WIDTH - _BOX)
        pdf.image(Image.fromarray(pixels), left, top, cols * scale, rows * scale, alt_text=caption)
        pdf.set_xy(left, top + rows * scale + 1)
        pdf.set_font("Helvetica", size=8)
        pdf.cell(_BOX, 4, _plain(caption))
    pdf.set_xy(_MARGIN, top + rows * scale + 7)


def _figures(analysis: Analysis) -> list[tuple[str, str]]:
    classifier = registry.get(analysis.classifier).title
    limit = registry.load_record(analysis.classifier).threshold
    probability = 100 * analysis.prediction.tumor_probability
    verdict = "yes" if analysis.tumor else "none found in this slice"
    rows, cols = analysis.mask.shape
    found = [
        (
            "Is there a tumor?",
            f"{verdict}: {probability:.1f} % ({classifier}, threshold {100 * limit:.1f} %)",
        ),
        ("Marked", f"{analysis.marked_pixels:,} of {rows} x {cols} pixels"),
        ("Of the slice", f"{100 * analysis.slice_share:.2f} %"),
    ]  # fmt: skip
    if analysis.head_share is not None:
        found.append(("Of the head", f"{100 * analysis.head_share:.2f} %"))
    if (area := square_millimeters(analysis)) is not None:
        found.append(("Area", f"{area:,.0f} mm² at the spacing that the file gives"))
    else:
        found.append(("Area", "unknown: the file gives no spacing"))
    if analysis.slice.truth is not None:
        score = "undefined, both are empty" if analysis.dice is None else f"{analysis.dice:.3f}"
        found.append(("Dice against the truth", score))
    return found


def _sources(analysis: Analysis, made: date) -> tuple[str, ...]:
    classifier = registry.load_record(analysis.classifier)
    pixels = np.ascontiguousarray(analysis.slice.pixels)
    rows, cols = pixels.shape[:2]
    return (
        f"Segmenter: {registry.get(analysis.model).title}, threshold {analysis.threshold:.2f}, weights "
        f"SHA-256 {analysis.weights_sha256}",
        f"Classifier: {registry.get(analysis.classifier).title}, weights SHA-256 {classifier.sha256}",
        f"Input: {rows} x {cols} x 3 pixels as analyzed, SHA-256 {hashlib.sha256(pixels).hexdigest()}",
        f"Software version {__version__}, made on {made.isoformat()}",
    )


def caveats() -> tuple[str, ...]:
    """Return what holds of every report, with the number of patients as the split has them."""
    trained_on = cohort.load_split()["train"]
    sites = {folder.split("_")[1] for folder in trained_on}  # TCGA_<institution>_<patient>_<date>
    return (
        f"The mask is what a network marks, trained on {len(trained_on)} patients with lower-grade glioma "
        f"from {len(sites)} institutions; other tumors, other diseases and other scanners it has never "
        "learned.",
        "The probability is calibrated on patients of that data set. It is not the probability that a "
        "person has a tumor.",
        "Both networks saw this one slice and know nothing of its neighbors.",
    )


def _list(pdf: FPDF, heading: str, sentences: tuple[str, ...], rest: float = 0) -> None:
    """Write sentences below each other as long as ``rest`` mm stay free for what follows."""
    _line(pdf, heading, 10, bold=True)
    for place, sentence in enumerate(sentences):
        pdf.set_font("Helvetica", size=8)
        text = f"- {_plain(sentence)}"
        height = 3.6 * len(pdf.multi_cell(0, 3.6, text, dry_run=True, output="LINES"))
        if pdf.get_y() + height > _BOTTOM - rest:
            _line(pdf, f"- and {len(sentences) - place} more, on the page itself", 8)
            return
        pdf.multi_cell(0, 3.6, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    pdf.ln(1)


def _line(pdf: FPDF, text: str, size: int, bold: bool = False) -> None:
    pdf.set_font("Helvetica", style="B" if bold else "", size=size)
    pdf.multi_cell(0, size * 0.5, _plain(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")


def _shown(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _plain(text: str) -> str:
    """Text that the PDF's own fonts can write: Latin-1, no control characters; "?" for all else."""
    printable = "".join(c if c.isprintable() else " " for c in text.replace("…", "..."))
    return printable.replace("×", "x").encode("latin-1", "replace").decode("latin-1")
