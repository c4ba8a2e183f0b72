"""What the benchmark measures on, in words: times of two machines are not to be compared."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import loky

from btmodels.inference import worker


def machine() -> str:
    """Describe what is measured on."""
    cores = loky.cpu_count()
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "streamlit"))
    noun = "core" if cores == 1 else "cores"
    where = f"{_processor()}, {cores} {noun}"
    return ", ".join(filter(None, [_gpu(), where, f"Python {platform.python_version()}", packages]))


def _gpu() -> str:
    """Name the GPU that the networks run on, "" without one."""
    if not Path("/dev/nvidiactl").exists():
        return ""  # TensorFlow takes seconds to load, and would not find one either
    os.environ.update(worker.environment())
    device = worker.device()
    return device if device.startswith("GPU") else ""


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
