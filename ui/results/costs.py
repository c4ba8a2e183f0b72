"""The cost of a network: its size, multiply-adds and time, measured by `python -m train bench`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from btmodels import registry
from btmodels.registry import Record
from ui.results.metrics_file import read_metrics


@dataclass(frozen=True)
class Cost:
    """The cost of one network; None where it was not measured.

    Attributes:
        parameters: Number of parameters.
        multiply_adds: Multiply-adds of one forward pass for one slice.
        milliseconds: Time for one slice as the site runs it.
        megabytes: Size of the weights files, in millions of bytes.
    """

    parameters: int | None
    multiply_adds: int | None
    milliseconds: float | None
    megabytes: float | None


def cost_of(name: str, record: Record | None) -> Cost:
    """Return the recorded costs of the network ``name``."""
    measured = {row.get("name"): row.get("value") for row in _bench().get("rows", [])}
    counted = record.extra.get("parameters") if record else None
    return Cost(
        counted or measured.get(f"network/{name}/parameters"),
        measured.get(f"network/{name}/multiply_adds"),
        measured.get(f"network/{name}/slice_ms"),
        _megabytes(name),
    )


def _megabytes(name: str) -> float | None:
    try:
        return registry.weights_size(name) / 1e6
    except FileNotFoundError:
        return None


def machine() -> str:
    """Return the machine of the measured times; empty if none were measured."""
    return _bench().get("machine", "")


def _bench() -> dict[str, Any]:
    return read_metrics("bench") or {}
