"""Files of assets/metrics, as training and evaluation wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from btmodels import json_files, paths


def read_metrics(name: str, assets: Path | None = None) -> dict[str, Any] | None:
    """Return ``metrics/<name>.json``; None where it is missing or not a JSON object.

    What is returned is shared: read it, never change it. A file that is written anew is read anew.

    Args:
        name: Such as ``bench``.
        assets: Folder that holds ``metrics/``; None is the project's own.
    """
    return read_json((assets or paths.ASSETS) / "metrics" / f"{name}.json")


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is none that can be read."""
    try:
        content = json_files.read_json(path)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
