"""The web process loads neither TensorFlow nor Keras; `make lint` checks the direction of imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"tensorflow", "keras", "jax", "torch", "highdicom"}
READERS = {"nibabel", "pydicom"}
"""Packages that read uploads in a process of their own; they would take 24 MB of the web process."""

# These build or run networks; all other modules of the library must be cheap to import.
NEED_KERAS = {
    "btmodels.weights", "btmodels.networks", "btmodels.training.fitting", "btmodels.inference.predict",
    "btmodels.inference.precision", "btmodels.training.distribution",
    "btmodels.inference.introspect", "btmodels.inference.fold_batchnorm",
}  # fmt: skip

# Ray and PyTorch, which few have.
NEED_MORE = ("btmodels.cluster.serve", "train.bench.torch_unet")


def modules_of(part: str) -> list[str]:
    """Every module below a folder but its ``__main__`` and those that need an optional package."""
    files = sorted((ROOT / part).rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    left_out = ("__main__", *NEED_MORE)
    return [name.removesuffix(".__init__") for name in names if not name.endswith(left_out)]


def loaded_after(statements: str, heavy: set[str] = HEAVY) -> set[str]:
    """Heavy packages in ``sys.modules`` of a fresh process after ``statements``."""
    code = f"{statements}\nimport sys\nprint(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_library_alone_loads_no_framework():
    assert loaded_after("import btmodels") == set()


def test_light_modules_load_no_framework():
    modules = [
        name for name in modules_of("btmodels") if not {name, name.rpartition(".")[0]} & NEED_KERAS
    ]
    assert "btmodels.registry" in modules and "btmodels.io.dicom.read" in modules
    assert loaded_after("\n".join(f"import {name}" for name in modules)) == set()


def test_what_pages_share_loads_neither_a_framework_nor_what_reads_uploads():
    modules = modules_of("ui")
    assert "ui.lessons.segmentation.segmentation" in modules
    statements = "\n".join(f"import {name}" for name in modules)
    assert loaded_after(statements, HEAVY | READERS) == set()
