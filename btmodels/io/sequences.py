"""Which MRI sequence a file or series is, from what people call it."""

from __future__ import annotations

import re

SEQUENCES = {"pre": 0, "flair": 1, "post": 2}
"""Sequences that the networks know, and the channel of a slice that each is."""

TITLES = {
    "flair": "FLAIR",
    "pre": "T1 before contrast agent",
    "post": "T1 after contrast agent",
    "other": "another sequence",
}

_FLAIR = re.compile(r"flair|dark.?fluid|\bt2f\b")
_POST = re.compile(
    r"\bt1.?(w.?)?(ce|c|gd|gad|km|post)\b|t1.?\+.?c|\bpost\b|postcontrast|post.?gad|\bgad|\bgd\b|\bce.?t1"
    r"|\bt1\w*.*\b(ce|c\+|\+c|contrast|km)(\b|$)"
)
_PRE = re.compile(r"\bt1|\bpre\b|\bprecontrast|mprage|\bmpr\b|\bspgr\b|\bbravo\b|\bt1w?\b")
_NONE = re.compile(
    r"without|\bno.?(contrast|gad|gd|ce)\b|\bnon?.?contrast\b|\bpre\b|precontrast|native"
)
_OTHER = re.compile(
    r"\bt2|\bpd\b|\bdwi\b|\badc\b|\bswi\b|\bdti\b|\bbold\b|\bfmri\b|\bepi\b|\bscout\b|localizer|\basl\b"
    r"|\bloc\b|\bmra\b|\btof\b|perfusion|\bct\b"
)
_OF_SEQUENCE = re.compile(
    r"t[12]\w*\+?\w?|\w*flair\w*|dark|fluid|pre(contrast)?|post(contrast)?|contrast|with|without|non?|native"
    r"|gad\w*|gd|\+?ce?\+?|km|w|weighted|mprage|mpr|spgr|bravo|ax|axial|tra|pd|dwi|adc|swi|dti"
    r"|seg\w*|mask|labels?"
)
_MASK = re.compile(r"(^|\s)(seg|segmentation|mask|label|labels)$")


def recognize(text: str) -> str | None:
    """Return the sequence that a name or a description speaks of.

    Args:
        text: A file's name without its ending, or a series' description.

    Returns:
        "flair", "pre" or "post" (T1 without and with contrast agent), "other" for a sequence that the
        networks do not know, None where nothing is recognized.
    """
    words = _words(text)
    if _FLAIR.search(words):
        return "flair"
    if _POST.search(words) and not _NONE.search(words):
        return "post"
    if _PRE.search(words):
        return "pre"
    return "other" if _OTHER.search(words) else None


def is_mask(text: str) -> bool:
    """Tell whether a volume's name says that it is a mask: it ends in ``seg``, ``mask`` or ``label``."""
    return bool(_MASK.search(_words(text)))


def family_of(text: str) -> str:
    """Return what is left of a name without the words that name its sequence: what the files of one
    patient have in common."""
    return " ".join(word for word in _words(text).split() if not _OF_SEQUENCE.fullmatch(word))


def _words(text: str) -> str:
    # A plus sign means contrast agent; everything else that is no letter or digit parts words.
    spread = re.sub(r"[^a-z0-9+]+", " ", text.lower())
    return spread.strip()
