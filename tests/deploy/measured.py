"""Figures of whole installations: tests with BT_FULL=1 measure them, and `deploy/README.md` states them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.ui.site.running import ROOT
from train.provenance import machine, write_json

PATH: Path = ROOT / "deploy" / "measured.json"


def measured(name: str, figures: Mapping[str, float]) -> None:
    """Write the figures of a measurement in place of the last ones of that name."""
    kept = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    rounded = {key: round(value, 2) for key, value in figures.items()}
    write_json(PATH, dict(sorted((kept | {name: rounded | {"machine": machine()}}).items())))
