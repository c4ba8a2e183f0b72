"""Imports point one way, and the web process stays free of TensorFlow and Keras."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"tensorflow", "keras", "jax", "torch"}
# These build or run networks; all other modules of the library must be cheap to import.
NEED_KERAS = {
    "btmodels.weights", "btmodels.networks", "btmodels.training", "btmodels.inference.predict",
    "btmodels.inference.precision", "btmodels.inference.introspect", "btmodels.inference.fold_batchnorm",
    "btmodels.teaching.live_training.trainer",
}  # fmt: skip

FORBIDDEN = {
    "btmodels": {"streamlit", "ui", "pages", "train"},
    "train": {"streamlit", "ui", "pages"},
    "ui": {"pages", "train"} | HEAVY,
    "pages": {"train"} | HEAVY,
    "streamlit_app.py": {"train"} | HEAVY,
}


def files_of(part: str) -> list[Path]:
    path = ROOT / part
    return sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.exists()


def imports_of(file: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import in ``file``, those inside functions too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, (node.module or "").split(".")[0]


def loaded_after(statements: str) -> set[str]:
    """Heavy packages in ``sys.modules`` of a fresh process after ``statements``."""
    code = f"{statements}\nimport sys\nprint(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("part", FORBIDDEN)
def test_imports_point_one_way(part):
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {package}"
        for file in files_of(part)
        for line, package in imports_of(file)
        if package in FORBIDDEN[part]
    ]
    assert not wrong


def test_the_library_alone_loads_no_framework():
    assert loaded_after("import btmodels") == set()


def test_light_modules_load_no_framework():
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in files_of("btmodels")
        if not file.stem.startswith("__")
    ]
    modules = [name for name in names if not {name, name.rpartition(".")[0]} & NEED_KERAS]
    assert "btmodels.registry" in modules and "btmodels.io.dicom.read" in modules
    assert loaded_after("\n".join(f"import {name}" for name in modules)) == set()


def test_what_pages_share_loads_no_framework():
    files = [file for file in (ROOT / "ui").rglob("*.py") if file.stem[0] != "_"]
    modules = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    assert "ui.lessons.segmentation.segmentation" in modules
    assert loaded_after("\n".join(f"import {name}" for name in sorted(modules))) == set()
