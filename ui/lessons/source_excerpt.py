"""Show the code behind a lesson, read from this copy of the project."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from btmodels.paths import ASSETS

ROOT = ASSETS.parent

_POINTER = re.compile(r"^- `([\w./-]+):([\w.]+)`[.,:]? *(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Pointer:
    """A function named in a lesson: file relative to the project's folder, name, and description."""

    file: str
    name: str
    words: str


def parse(text: str) -> tuple[Pointer, ...]:
    """Read a list of functions, each ``- `btmodels/metrics/overlap.py:dice`: what it does``."""
    return tuple(Pointer(*match.groups()) for match in _POINTER.finditer(text))


def excerpt(pointer: Pointer, root: Path = ROOT) -> tuple[int, str] | None:
    """Find a function or class.

    Returns:
        The number of its first line and its text; None if file or name is missing.
    """
    path = root / pointer.file
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return _python(text, pointer.name)
    return _javascript(text, pointer.name)


def draw(text: str) -> None:
    """Draw the functions of a lesson, each collapsed under its name."""
    for pointer in parse(text):
        st.markdown(f"**`{pointer.name}`** in `{pointer.file}`: {pointer.words}")
        found = excerpt(pointer)
        if found is None:
            st.caption("This copy of the project lacks the file.")
            continue
        line, code = found
        with st.expander(f"Show it, from line {line}", icon=":material/code:"):
            st.code(code, "python" if pointer.file.endswith(".py") else "javascript")


def _python(text: str, name: str) -> tuple[int, str] | None:
    for node in ast.walk(ast.parse(text)):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        if isinstance(node, kinds) and node.name == name.rpartition(".")[2]:
            return node.lineno, ast.get_source_segment(text, node) or ""
    return None


def _javascript(text: str, name: str) -> tuple[int, str] | None:
    # In our formatting, a definition that begins in the first column ends with a brace in that column.
    start = re.search(
        rf"^(?:export )?(?:async )?(?:function|class) {re.escape(name)}\b", text, re.MULTILINE
    )
    if not start:
        return None
    end = text.find("\n}", start.start())
    return text.count("\n", 0, start.start()) + 1, text[start.start() : end + 2]
