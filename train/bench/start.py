"""The benchmark of the site's start, and of a page that runs again with everything in its place."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from time import perf_counter

from train.bench.client import Site

VIEWER = "slice_viewer"
"""The component that shows a slice (`ui.viewer.viewer`). It is sent with the slice, and again with its
mask."""

FIRST, OTHER = "SYNT_AA_0003_20260101", "SYNT_AA_0007_20260101"
"""Bundled patients."""

STARTS = 3
"""A start is measured so often, and the median kept."""


def rerun(repeats: int) -> tuple[float, float]:
    """Analyze run again with its slices already analyzed, against the same without networks."""
    with Site() as on, Site(BT_ENGINE="off") as off:
        sessions = on.visit(), off.visit()
        for session in sessions:
            # The first visit analyzes all slices; the second finds everything in its place.
            session.run("analyze")
            session.run("analyze")
        times: tuple[list[float], list[float]] = [], []
        for i in range(repeats):
            for which in (0, 1) if i % 2 else (1, 0):
                times[which].append(sessions[which].run("analyze"))
    return 1000 * median(times[0]), 1000 * median(times[1])


def first_page(repeats: int) -> tuple[float, float]:
    """From the server's start to a slice on the Overview, against a second and a half."""
    return _first(1), 1500.0


def first_mask(repeats: int) -> tuple[float, float]:
    """From the server's start to that slice's mask, against two seconds."""
    return _first(2), 2000.0


def next_mask(repeats: int) -> tuple[float, float]:
    """Right after the first mask, a second visitor's slice of another patient: until its mask, against
    fifteen hundredths of a second. The first visitor's other slices are under way meanwhile."""
    times = []
    for _ in range(STARTS):
        with Site() as site:
            _until(2, site.visit().watch("analyze", f"patient={FIRST}"))
            second = site.visit()
            begin = perf_counter()
            _until(2, second.watch("analyze", f"patient={OTHER}&slice=9"))
            times.append(perf_counter() - begin)
    return 1000 * median(times), 150.0


def _first(viewer: int) -> float:
    times = []
    for _ in range(STARTS):
        with Site() as site:
            _until(viewer, site.visit().watch(""))
            times.append(perf_counter() - site.started)
    return 1000 * median(times)


def _until(viewer: int, elements: Iterator[str]) -> None:
    for _ in range(viewer):
        next(each for each in elements if each == VIEWER)
