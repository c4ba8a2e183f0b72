"""Benchmark of the site's start, and of rerunning a page whose results are all cached."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

from train.bench.client import VIEWER, Session, Site
from train.bench.rows import interleaved

FIRST, OTHER = "SYNT_AA_0003_20260101", "SYNT_AA_0007_20260101"
"""Bundled patients."""

PRESENT = "presenter"
"""The component that Analyze draws as soon as it has a patient's slices (`ui.present.page`)."""

WAITING = "…"
"""Value of a metric that is still pending."""

STARTS = 3
"""Measured starts, of which the median counts."""


def rerun(repeats: int) -> tuple[float, float]:
    """Time a rerun of Analyze with its slices already analyzed, against the same without networks."""
    with Site() as on, Site(BT_ENGINE="off") as off:
        sessions = on.visit(), off.visit()
        for session in sessions:
            # The first visit analyzes all slices; the second finds everything cached.
            session.run("analyze")
            session.run("analyze")
        names = ("on", "off")
        ways = {name: each.run for name, each in zip(names, sessions, strict=True)}
        times = interleaved(ways, ["analyze"] * repeats)
    return 1000 * median(times["on"]), 1000 * median(times["off"])


def first_page(repeats: int) -> tuple[float, float]:
    """Time from the server's start to a slice on the Overview, against 1.5 seconds."""
    return _first(lambda visitor: next(e for e in visitor.watch("") if e == VIEWER)), 1500.0


def first_mask(repeats: int) -> tuple[float, float]:
    """Time from the server's start to that slice's mask, against 2 seconds."""
    return _first(lambda visitor: _wait_for_answer(visitor, "")), 2000.0


def next_mask(repeats: int) -> tuple[float, float]:
    """Time to the mask of a second visitor's slice of another patient, right after the first mask,
    against 0.15 seconds. The first visitor's other slices are still being analyzed."""
    times = [next_mask_parts()["answer"] for _ in range(STARTS)]
    return median(times), 150.0


def next_mask_parts() -> dict[str, float]:
    """Return the milliseconds that the second visitor of `next_mask` waits, from the request on, until the
    ``page`` arrives, until the patient's ``slices`` are read, and until the ``answer``."""
    with Site() as site:
        _wait_for_answer(site.visit(), "analyze", f"patient={FIRST}")
        second, parts = site.visit(), {}
        begin = perf_counter()
        for kind in second.watch("analyze", f"patient={OTHER}&slice=9"):
            waited = 1000 * (perf_counter() - begin)
            parts.setdefault("page", waited)
            if kind == PRESENT:
                parts["slices"] = waited
            elif kind == "metric" and second.metric != WAITING:
                return parts | {"answer": waited}
    raise RuntimeError("/analyze never showed an answer.")


def _first(wait: Callable[[Session], None]) -> float:
    times = []
    for _ in range(STARTS):
        with Site() as site:
            wait(site.visit())
            times.append(perf_counter() - site.started)
    return 1000 * median(times)


def _wait_for_answer(visitor: Session, page: str, query: str = "") -> None:
    for kind in visitor.watch(page, query):
        if kind == "metric" and visitor.metric != WAITING:
            return
    raise RuntimeError(f"/{page} never showed an answer.")
