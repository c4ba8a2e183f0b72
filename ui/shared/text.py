"""Text that is safe in Markdown, and figures in words."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return what anyone may have written, such as a file's name, as text without Markdown."""
    return "".join(f"\\{c}" if not c.isalnum() and c.isascii() and c != " " else c for c in text)


DASH = "–"


def quoted(text: str) -> str:
    """Return text of a link in quotation marks, without Markdown, and no wall of it."""
    shown = "".join(c if c.isalnum() or c in "_-. " else "?" for c in text[:40])
    return f"“{shown}”"
