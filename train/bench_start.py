"""The benchmark of the site's start, and of a page that runs again with everything in its place."""

from __future__ import annotations

from statistics import median
from time import perf_counter

from train.visitor import Site

VIEWER = "bidi_component"
"""What Streamlit calls the element that shows a slice."""

OTHER = "SYNT_AA_0007_20260101"
"""A bundled patient whom the Overview does not show."""


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
    """From the server's start to that slice's mask, against five seconds."""
    return _first(2), 5000.0


def next_mask(repeats: int) -> tuple[float, float]:
    """After the first mask, another patient's slice: until all is said of it, against three tenths of a
    second."""
    with Site() as site:
        session = site.visit()
        session.run("")
        return 1000 * session.run("analyze", f"patient={OTHER}&slice=9"), 300.0


def _first(viewer: int) -> float:
    # The viewer is sent at once with the slice, and again when the networks have come to it.
    with Site() as site:
        kinds = site.visit().watch("")
        for _ in range(viewer):
            next(kind for kind in kinds if kind == VIEWER)
        return 1000 * (perf_counter() - site.started)
