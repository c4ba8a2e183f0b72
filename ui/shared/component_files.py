"""Scripts, styles and documents of components, as text: Streamlit gets them so, once a process."""

from __future__ import annotations

from pathlib import Path

_UI = Path(__file__).resolve().parents[1]


def read(*names: str) -> str:
    """Return files of ui/ as one text; the browser gets scripts as one module."""
    return "\n".join((_UI / name).read_text(encoding="utf-8") for name in names)
