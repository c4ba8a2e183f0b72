"""Precision and batch size of inference for this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

CPU_FLAGS = Path("/proc/cpuinfo")
"""Lists the features of the processor on Linux; elsewhere none are assumed."""

AMPERE = (8, 0)
"""First compute capability of NVIDIA GPUs with bfloat16 units."""

CPU_BATCH, GPU_BATCH = 8, 32


def fastest_policy() -> str:
    """Return "mixed_bfloat16" if the processor or GPU supports bfloat16, else "float32".

    The logits of our networks are float32 under both policies.
    """
    gpu = _gpu()
    if gpu is not None:
        return "mixed_bfloat16" if gpu >= AMPERE else "float32"
    try:
        flags = CPU_FLAGS.read_text(encoding="utf-8")
    except OSError:
        return "float32"
    return "mixed_bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"


def gpu_name() -> str:
    """Return the name of the first GPU of Keras's backend; empty without one."""
    if keras.backend.backend() == "jax":
        import jax

        gpus = [each for each in jax.devices() if each.platform == "gpu"]
        return gpus[0].device_kind if gpus else ""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        return details.get("device_name", "unnamed")
    return ""


def largest_batch() -> int:
    """Return the maximum number of slices in a compiled call on this machine.

    On a CPU, larger batches gain nothing and cost memory; a GPU needs them to be busy.
    """
    return CPU_BATCH if _gpu() is None else GPU_BATCH


@contextmanager
def using(policy: str) -> Iterator[None]:
    """Build layers with a dtype policy inside the context; restore this thread's policy afterwards."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _gpu() -> tuple[int, int] | None:
    # Compute capability of the first GPU; without one, None.
    if keras.backend.backend() == "jax":
        import jax

        gpus = [each for each in jax.devices() if each.platform == "gpu"]
        words = [getattr(each, "compute_capability", "0.0") for each in gpus]
        return tuple(int(part) for part in words[0].split(".")[:2]) if words else None
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        return details.get("compute_capability", (0, 0))
    return None
