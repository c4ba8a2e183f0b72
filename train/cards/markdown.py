"""Elements of model cards: sections of a template, tables, figures, YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DASH = "–"


def read_sections(path: Path) -> dict[str, str]:
    """Read a template: text by second-level heading; text before the first heading is left out.

    Raises:
        FileNotFoundError: The template is missing; the message names the file to write.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"This model card has no text: write {path.name} beside {path.parent.name}/every.md."
        )
    _, *rest = re.split(r"^## +", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pairs = (part.partition("\n")[::2] for part in rest)
    return {heading.strip(): body.strip() for heading, body in pairs}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def find(scores: Mapping[str, Any] | None, key: str) -> Any:
    """Return the value of a key, or None if there is none; a dot in the key leads one level down."""
    for part in key.split("."):
        scores = scores.get(part) if isinstance(scores, Mapping) else None
    return scores


def figure(scores: Mapping[str, Any] | None, key: str, digits: int = 3) -> str:
    """Return a score as text with its 95% interval in parentheses; a dash if there is no score."""
    value, interval = find(scores, key), find(scores, f"{key}_interval")
    if value is None:
        return DASH
    shown = f"{value:.{digits}f}"
    if not interval or None in interval:
        return shown
    return f"{shown} ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})"


def duration(seconds: float) -> str:
    """Return a time in hours and minutes, at least one minute."""
    hours, minutes = divmod(max(round(seconds / 60), 1), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def yaml(content: Mapping[str, Any] | Sequence[Any], indent: str = "") -> str:
    """Return nested mappings and lists as YAML in block style; scalars are written as JSON, which is
    valid YAML."""
    pairs = (
        [(f"{key}:", value) for key, value in content.items()]
        if isinstance(content, Mapping)
        else [("-", value) for value in content]
    )
    lines = []
    for lead, value in pairs:
        if not isinstance(value, Mapping | list | tuple):
            lines.append(f"{indent}{lead} {json.dumps(value, ensure_ascii=False)}")
        elif lead == "-":
            # The first line of a nested value follows its dash.
            lines.append(f"{indent}- {yaml(value, indent + '  ').lstrip()}")
        else:
            lines += [f"{indent}{lead}", yaml(value, indent + "  ")]
    return "\n".join(lines)


def count(value: int | None) -> str:
    """Return a number with thousands separators."""
    return DASH if value is None else f"{value:,}"
