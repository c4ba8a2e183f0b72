"""Text of any script and a small chart on the pages of a PDF."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from btmodels.paths import ASSETS
from btmodels.visualize.overlay import PREDICTION_COLOR
from btmodels.words import counted

MARGIN, WIDTH = 15, 180  # mm, of A4
BOTTOM = 284  # mm, where the last line may end

FONTS = ASSETS / "fonts"
_FONT, _FALLBACK = "dejavu", "droid"
_FILES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
_NAME = 90  # characters of a name that are shown
_CURVE = 24  # mm, height of the chart


def new_pdf(title: str, creator: str) -> FPDF:
    """Return an empty A4 document with fonts for Latin, Greek, Cyrillic, Hebrew, Arabic and more."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_margin(MARGIN)
    pdf.c_margin = 0  # text is flush with pictures
    for style, name in _FILES.items():
        pdf.add_font(_FONT, style, FONTS / name)
    pdf.set_title(title)
    pdf.set_creator(creator)
    return pdf


def write(
    pdf: FPDF, text: str, size: int, bold: bool = False, width: float = 0, dry_run: bool = False
) -> float:
    """Write a paragraph at the place where the last one ended.

    Args:
        pdf: With a page.
        text: Text of any script; characters that no font has are shown as U+FFFD.
        size: In points.
        bold: Whether to use the bold font.
        width: In millimeters; 0 extends to the margin.
        dry_run: Only measure the height.

    Returns:
        Its height in millimeters.
    """
    text = _printable(text)
    if not _covered(text, _FILES[""]) and _FALLBACK not in pdf.fonts:
        # The fallback font is large, so it is only read for scripts that need it.
        for style in _FILES:
            pdf.add_font(_FALLBACK, style, FONTS / "DroidSansFallback.ttf")
        pdf.set_fallback_fonts([_FALLBACK], exact_match=False)
    pdf.set_font(_FONT, style="B" if bold else "", size=size)
    line = size * 0.46
    lines = pdf.multi_cell(width, line, text, dry_run=True, output="LINES", align="L")
    if not dry_run:
        pdf.multi_cell(width, line, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
    return line * len(lines)


def shortened(name: str, most: int = _NAME) -> str:
    """Return a name that fits into a line."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def area_curve(pdf: FPDF, areas: Sequence[int | None]) -> None:
    """Draw a bar for each slice with a height proportional to its marked area."""
    top, most = pdf.get_y() + 1, max((area or 0 for area in areas), default=0)
    step = WIDTH / len(areas)
    pdf.set_fill_color(*PREDICTION_COLOR)
    for place, area in enumerate(areas):
        if area:
            height = _CURVE * area / most
            bar = MARGIN + place * step, top + _CURVE - height, max(0.2, step * 0.85), height
            pdf.rect(*bar, style="F")
    pdf.set_draw_color(128)
    pdf.line(MARGIN, top + _CURVE, MARGIN + WIDTH, top + _CURVE)
    pdf.set_xy(MARGIN, top + _CURVE + 1)
    write(pdf, f"Highest: {counted(most, 'pixel')}; {counted(len(areas), 'slice')}", 8)
    pdf.ln(1)


def _printable(text: str) -> str:
    kept = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    fonts = (*_FILES.values(), "DroidSansFallback.ttf")
    if all(_covered(kept, name) for name in fonts[:2]):
        return kept
    known = frozenset().union(*(_characters(name) for name in fonts))
    return "".join(c if ord(c) in known else "\ufffd" for c in kept)


def _covered(text: str, name: str) -> bool:
    return all(ord(c) in _characters(name) for c in text)


@lru_cache(maxsize=4)
def _characters(name: str) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(FONTS / name, lazy=True) as font:
        return frozenset(font.getBestCmap())
