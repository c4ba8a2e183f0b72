"""Provenance of a generated file: the command, the versions and the machine."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import loky
import numpy as np

from btmodels import processes
from btmodels.inference import worker

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that determine the numbers."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = version(package)
    return found


def command_line(words: Sequence[str]) -> str:
    """Return the command line of ``words``; absolute paths are cut to their last part, so that no
    folder names are published."""
    kept = [Path(word).name if Path(word).is_absolute() else word for word in words]
    return " ".join(["python -m train", *kept])


def read_json(path: Path) -> Any:
    """Return the content of a JSON file; None if there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def read_crossval(assets: Path, name: str) -> dict[str, Any] | None:
    """Return what `train crossval` wrote about a network; None if it has not been run."""
    return read_json(assets / "metrics" / f"crossval_{name}.json")


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Write a document atomically.

    Args:
        path: Path of the file; its folder is created.
        content: JSON-compatible content, without NaN.
        indent: As for `json.dumps`.
    """
    write_bytes(path, (json.dumps(content, indent=indent, allow_nan=False) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_bytes(content)
    partial.replace(path)


def write_npz(path: Path, compressed: bool = True, **arrays: Any) -> None:
    """Write arrays to one file atomically, also while another process writes the same file.

    Args:
        path: Path of the file; its folder is created.
        compressed: Whether to trade time for space.
        arrays: Anything that NumPy turns into arrays without objects, by name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as file:
        (np.savez_compressed if compressed else np.savez)(file, **arrays)
    partial.replace(path)


def machine() -> str:
    """Return a description of this machine."""
    cores = loky.cpu_count()
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "streamlit"))
    noun = "core" if cores == 1 else "cores"
    where = f"{_processor()}, {cores} {noun}"
    return ", ".join(filter(None, [_gpu(), where, f"Python {platform.python_version()}", packages]))


def _gpu() -> str:
    """Return the name of the GPU that the networks run on, or ""."""
    if not Path("/dev/nvidiactl").exists():
        return ""  # TensorFlow takes seconds to load, and would not find one either
    os.environ.update(processes.environment())
    device = worker.device()
    return device if device.startswith("GPU") else ""


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
