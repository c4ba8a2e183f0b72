"""Text that is safe in Markdown."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return untrusted text, such as a file name, with Markdown escaped."""
    return "".join(f"\\{c}" if not c.isalnum() and c.isascii() and c != " " else c for c in text)


DASH = "–"


def score_words(score: float | None) -> str:
    """Return a score in words: three digits, or that it is undefined."""
    return "undefined" if score is None else f"{score:.3f}"


def quoted(text: str) -> str:
    """Return text of a link in quotation marks, shortened and without Markdown."""
    shown = "".join(c if c.isalnum() or c in "_-. " else "?" for c in text[:40])
    return f"“{shown}”"
