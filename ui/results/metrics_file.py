"""Files of assets/metrics, written by training and evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from btmodels import json_files, paths


def read_metrics(name: str, assets: Path | None = None) -> dict[str, Any] | None:
    """Return ``metrics/<name>.json``; None if it is missing or not a JSON object.

    The result is cached and shared, so never modify it. A rewritten file is read again.

    Args:
        name: Name of the file, such as ``bench``.
        assets: Folder with ``metrics/``; None is the project's own.
    """
    return read_json((assets or paths.ASSETS) / "metrics" / f"{name}.json")


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None if there is none that can be read."""
    try:
        content = json_files.read_json(path)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
