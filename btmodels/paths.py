"""Paths of the repository's files."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parent.parent / "assets"
"""The committed folder of weights, metrics, splits and samples."""
