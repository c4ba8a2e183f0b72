"""How five losses weight errors: curves, and the resulting masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from btmodels.slices import FLAIR
from btmodels.training.losses import LOSSES
from btmodels.visualize.window import auto_windows
from ui.lessons.lesson import WIDTH, Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.results import experiments
from ui.shared.chart_style import draw_chart, finished
from ui.shared.component_files import component, view_of
from ui.viewer.message import message
from ui.viewer.packing import pack

TITLES = {
    "bce": "Cross-entropy",
    "dice": "Dice",
    "bce_dice": "their sum",
    "tversky": "Tversky",
    "focal": "Focal",
}
STYLES = {
    "bce": ("#D55E00", "solid"),
    "dice": ("#2B83C6", "solid"),
    "bce_dice": ("#7F7F7F", "dash"),
    "tversky": ("#A65394", "dashdot"),
    "focal": ("#0B8A62", "dot"),
}
"""Color and dash of each loss; dashes differ, too, except for the first two."""

PIXELS = 256 * 256
TYPICAL = 1000
"""Pixels of a slice, and of the reference tumor."""

SURE, ELSEWHERE = 0.95, 0.0005
"""Probability of tumor where a network marks it, rightly or wrongly (of no tumor where it misses it),
and in the rest of the slice."""

_masks = component("lesson_losses", "lessons/measuring/loss_masks", *SHARED_STYLES)


def draw(lesson: Lesson) -> None:
    """Draw the curves, and the masks if the experiment has been run."""
    _curves(lesson)
    lesson.tasks("losses")
    lesson.prose("Five losses, five networks")
    found = experiments.read("losses")
    if found is None:
        experiments.say_missing("losses")
        return
    _networks(lesson, found)
    with st.container(width=WIDTH):
        experiments.say_budget(found)


def size_costs(sizes: Sequence[int]) -> dict[str, list[float]]:
    """Return the cost of missing a whole tumor, relative to a tumor of `TYPICAL` pixels.

    Args:
        sizes: Sizes of the tumors in pixels.
    """

    def cost(loss: Callable, size: int) -> float:
        weights = np.array([size, PIXELS - size])
        missed = loss([1, 0], _logits(1 - SURE, ELSEWHERE), weights)
        return missed - loss([1, 0], _logits(SURE, ELSEWHERE), weights)

    return {
        key: [cost(loss, size) / cost(loss, TYPICAL) for size in sizes]
        for key, loss in LOSSES.items()
    }


def pixel_costs(probabilities: Sequence[float]) -> dict[str, list[float]]:
    """Return the cost of tumor pixels by their probability, as a share of the cost at the lowest one.

    Args:
        probabilities: Probabilities of a tumor of `TYPICAL` pixels, ascending, between 0 and 1, exclusive.
    """
    weights = np.array([TYPICAL, PIXELS - TYPICAL])

    def made(loss: Callable) -> list[float]:
        values = [loss([1, 0], _logits(each, ELSEWHERE), weights) for each in probabilities]
        return [(value - values[-1]) / (values[0] - values[-1]) for value in values]

    return {key: made(loss) for key, loss in LOSSES.items()}


def miss_against_alarm(pixels: int = 100) -> dict[str, float]:
    """Return the cost of missing pixels over the cost of marking as many wrongly.

    Args:
        pixels: Pixels missed, or marked wrongly, for a tumor of `TYPICAL` pixels.
    """
    truth, weights = [1, 1, 0, 0], [TYPICAL - pixels, pixels, pixels, PIXELS - TYPICAL - pixels]

    def ratio(loss: Callable) -> float:
        right = loss(truth, _logits(SURE, SURE, ELSEWHERE, ELSEWHERE), weights)
        missed = loss(truth, _logits(SURE, 1 - SURE, ELSEWHERE, ELSEWHERE), weights)
        alarm = loss(truth, _logits(SURE, SURE, SURE, ELSEWHERE), weights)
        return (missed - right) / (alarm - right)

    return {key: ratio(loss) for key, loss in LOSSES.items()}


def _logits(*probabilities: float) -> np.ndarray:
    values = np.array(probabilities)
    return np.log(values / (1 - values))


def _curves(lesson: Lesson) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**Missing a whole tumor**: its cost, where {TYPICAL:,} pixels cost 1")
        alt = "Cost of missing a tumor by its size, five losses."
        draw_chart(_size_figure(), lesson.key("sizes"), alt)
    with right:
        st.markdown("**Being unsure of tumor pixels**: cost by the probability they get")
        alt = "Cost of tumor pixels by probability, five losses."
        draw_chart(_pixel_figure(), lesson.key("pixels"), alt)
    with st.container(width=WIDTH):
        _missing(miss_against_alarm())


def _missing(costs: dict[str, float]) -> None:
    st.markdown(
        f"**What missing 100 pixels of a tumor of {TYPICAL:,} costs**, compared with marking 100 pixels "
        "wrongly (above 1, missing costs more): "
        + " · ".join(f"{TITLES[key]} **{costs[key]:.2f}**" for key in TITLES)
    )
    st.caption(
        "Computed on a slice of 256 × 256 pixels; the network is sure to "
        f"{100 * SURE:.0f}% of what it marks and of what it misses, and gives the rest of the "
        f"slice {100 * ELSEWHERE:.2f}%."
    )


# Both are the same for every visitor and never modified, so they are made once.


@lru_cache(maxsize=1)
def _size_figure() -> go.Figure:
    sizes = [round(size) for size in np.geomspace(10, 5000, 40)]
    figure = _figure(sizes, size_costs(sizes), "Pixels of the tumor", "Cost")
    figure.update_xaxes(type="log", dtick=1)
    return figure.update_yaxes(rangemode="tozero")


@lru_cache(maxsize=1)
def _pixel_figure() -> go.Figure:
    ps = [float(p) for p in np.linspace(0.01, 0.99, 50)]
    title = "Probability that tumor pixels get"
    return _figure(ps, pixel_costs(ps), title, "Share of the cost")


def _figure(x: Sequence, curves: dict[str, list[float]], title: str, y: str) -> go.Figure:
    figure = go.Figure()
    for key, name in TITLES.items():
        color, dash = STYLES[key]
        figure.add_scatter(
            x=list(x),
            y=curves[key],
            mode="lines",
            name=name,
            line={"color": color, "dash": dash, "width": 3},
            hovertemplate="%{x}: %{y:.3f}<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title=title)
    figure.update_yaxes(title=y)
    return finished(figure, height=360)


@st.fragment
def _networks(lesson: Lesson, found: dict[str, Any]) -> None:
    last = len(found["slices"])
    shown, at = round(lesson.number("shown", 1, last, 1)) - 1, lesson.number("at", 0, 1, 0.5)
    sent = view_of(_masks, lesson.key("masks"), _message(found, shown, at))
    shown, at = sent.get("shown"), sent.get("at")
    if (
        isinstance(shown, int)
        and 0 <= shown < last
        and isinstance(at, int | float)
        and 0 <= at <= 1
    ):
        lesson.write(shown=shown + 1, at=round(at, 2))


def _message(found: dict[str, Any], shown: int, at: float) -> bytes:
    # Sent as raw bytes, since a browser may change the colors of a PNG.
    parts, slices = {}, []
    for index, each in enumerate(found["slices"]):
        image = experiments.picture(each["image_png"])
        truth = experiments.picture(each["truth_png"]) // 255
        maps = [experiments.picture(arm["shown"][index]["levels_png"]) for arm in found["arms"]]
        parts[str(index)] = pack(np.stack([image, truth, *maps]))
        rows, cols = image.shape
        slices.append(
            {
                "title": f"{each['patient']}, slice {each['number']}",
                "rows": rows,
                "cols": cols,
                "window": auto_windows([np.stack([image] * 3, -1)])[FLAIR],
                "tumor": each["truth_pixels"],
            }
        )
    arms = [
        {
            "key": arm["key"],
            "title": arm["title"],
            "best": arm["best_threshold"],
            "score": arm["score"]["mean_dice"],
        }
        for arm in found["arms"]
    ]
    head = {"version": found["command"], "slices": slices, "arms": arms, "shown": shown, "at": at}
    return message(head, parts)
