"""Rows of the benchmark, and how two or more ways are timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter, sleep
from typing import Any

Row = dict[str, Any]


def row(name: str, value: float, unit: str = "", against: float | None = None) -> Row:
    """Return a row: a value, and one of the same unit that it is compared with."""
    return {"name": name, "value": value, "unit": unit, "against": against}


def milliseconds(name: str, seconds: float, against: float | None = None) -> Row:
    """Return a row of a time, compared with milliseconds."""
    return row(name, 1000 * seconds, "ms", against)


def megabytes(name: str, held: float, against: float = 0) -> Row:
    """Return a row of memory, compared with other bytes."""
    return row(name, held / 1e6, "MB", against / 1e6 or None)


def memory_rows(what: str, after: Mapping[str, int], before: Mapping[str, int]) -> Iterator[Row]:
    """Yield the memory of each process, and of all together, against that before.

    Args:
        what: Prefix of the rows' names.
        after, before: Bytes by process (`train.bench.client.Site.memories`).
    """
    for name in (*after, "all"):
        now, then = (each.get(name, sum(each.values())) for each in (after, before))
        yield megabytes(f"{what}/{name}", now, then)


def interleaved(
    ways: Mapping[str, Callable[[Any], Any]], inputs: Sequence[Any], pause: float = 0.0
) -> dict[str, list[float]]:
    """Return the seconds of each way for each input. The ways take turns, each first equally often.

    Args:
        ways: Functions of an input; each is called once before to warm up.
        inputs: One after the other.
        pause: Seconds before each call.
    """
    names = list(ways)
    for name in names:
        ways[name](inputs[0])
    times: dict[str, list[float]] = {name: [] for name in names}
    for number, each in enumerate(inputs):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            sleep(pause)
            begin = perf_counter()
            ways[name](each)
            times[name].append(perf_counter() - begin)
    return times
