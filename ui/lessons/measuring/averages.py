"""One set of masks, three averages: over slices, over patients, over all pixels at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from ui.lessons.lesson import WIDTH, Lesson
from ui.results import scores
from ui.session import analysis
from ui.shared.chart_style import BLUE, GRAY, VERMILION, draw_chart, finished
from ui.shared.text import score_words

GROUPS = {"samples": "synthetic patients", "test": "patients never seen"}
EMPTY = {"out": None, "one": 1.0, "zero": 0.0}
"""Score of a slice whose true and predicted masks are both empty, by its name in the address."""

EMPTY_WORDS = {"out": "left out", "one": "counted as 1", "zero": "counted as 0"}

Group = Mapping[str, Mapping[int, Counts]]


@dataclass(frozen=True)
class Averages:
    """Mean Dice of slices, of patients, and the Dice of all pixels pooled; None where undefined."""

    slices: float | None
    patients: float | None
    pooled: float | None


def average(group: Group, empty: float | None) -> Averages:
    """Average one set of masks in three ways.

    Args:
        group: Counts by patient and slice number.
        empty: Score of a slice whose true and predicted masks are both empty; None leaves it out.
    """
    every = [counts for slices in group.values() for counts in slices.values()]
    return Averages(
        overlap.mean_of(slice_dice(counts, empty) for counts in every),
        overlap.mean_of(overlap.dice(overlap.total(slices.values())) for slices in group.values()),
        overlap.dice(overlap.total(every)),
    )


def slice_dice(counts: Counts, empty: float | None) -> float | None:
    """Return the Dice of a slice, or ``empty`` if both masks are empty."""
    found = overlap.dice(counts)
    return empty if found is None else found


@st.fragment
def draw(lesson: Lesson) -> None:
    """Draw the choice of patients and of a convention, the averages, and one patient's slices."""
    found, problem = scores.read(analysis.SEGMENTER)
    there = {key: GROUPS[key] for key in GROUPS if found.get(key, {}).get("per_slice")}
    if not there:
        st.info(problem or "The network has no scores slice by slice.", icon=":material/science:")
        return
    left, middle, right = st.columns(3)
    with left:
        subset = lesson.select("group", "Masks of", there)
    with middle:
        label = "Slices with no tumor and no mark are"
        empty = lesson.select("empty", label, EMPTY_WORDS)
    group = _counts(found[subset]["per_slice"])
    usual = _most_spread(group)
    with right:
        folders = {folder: folder for folder in group}
        folder = lesson.select("of", "Below, slice by slice", folders, usual)
    made = average(group, EMPTY[empty])
    _numbers(group, made)
    _told(found[subset])
    alt = f"Dice and tumor pixels of each slice of {folder}."
    draw_chart(slices_of(group[folder], EMPTY[empty]), lesson.key("slices"), alt)
    one = average({folder: group[folder]}, EMPTY[empty])
    with st.container(width=WIDTH):
        st.markdown(
            f"**{folder}**: the mean over its slices is {score_words(one.slices)}; all of its pixels "
            f"together make {score_words(one.pooled)}. Large slices weigh more in the second one."
        )


def slices_of(slices: Mapping[int, Counts], empty: float | None) -> go.Figure:
    """Draw one patient: the Dice of each slice and, below, its tumor pixels."""
    numbers = sorted(slices)
    values = [slice_dice(slices[number], empty) for number in numbers]
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.08
    )
    for name, color, symbol, wanted in (
        ("slice with tumor", BLUE, "circle", True),
        ("slice without", VERMILION, "diamond-open", False),
    ):
        picked = [
            (number, value)
            for number, value in zip(numbers, values, strict=True)
            if value is not None and bool(slices[number].tp + slices[number].fn) is wanted
        ]
        if picked:
            x, y = zip(*picked, strict=True)
            marker = {"size": 9, "color": color, "symbol": symbol, "line": {"width": 2}}
            figure.add_scatter(
                x=x,
                y=y,
                mode="markers",
                name=name,
                marker=marker,
                hovertemplate="slice %{x}: Dice %{y:.3f}<extra></extra>",
                cliponaxis=False,
                row=1,
                col=1,
            )
    figure.add_bar(
        x=numbers,
        y=[slices[number].tp + slices[number].fn for number in numbers],
        marker={"color": GRAY},
        showlegend=False,
        hovertemplate="slice %{x}: %{y:,} px of tumor<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_yaxes(title="Dice", range=[-0.04, 1.04], row=1, col=1)
    figure.update_yaxes(title="Tumor, px", row=2, col=1)
    figure.update_xaxes(title="Slice", row=2, col=1)
    return finished(figure, height=340)


def _counts(per_slice: Mapping[str, Mapping[str, Sequence[int]]]) -> dict[str, dict[int, Counts]]:
    return {
        folder: {int(number): Counts(*counts) for number, counts in slices.items()}
        for folder, slices in per_slice.items()
    }


def _most_spread(group: Group) -> str:
    # The patient whose two averages differ most shows the point best.
    def spread(folder: str) -> float:
        made = average({folder: group[folder]}, None)
        if made.slices is None or made.pooled is None:
            return -1.0
        return abs(made.slices - made.pooled)

    return max(group, key=spread)


def _numbers(group: Group, made: Averages) -> None:
    slices = sum(len(each) for each in group.values())
    for column, label, value, words in zip(
        st.columns(3),
        ("Mean over slices", "Mean over patients", "All pixels pooled"),
        (made.slices, made.patients, made.pooled),
        (
            f"{slices:,} slices, each one vote, empty ones as chosen above",
            f"{len(group)} patients, each one vote; one without any tumor has no score",
            "one score; large tumors decide",
        ),
        strict=True,
    ):
        column.metric(label, score_words(value))
        column.caption(words)


def _told(subset: Mapping) -> None:
    empty, ours = subset.get("empty_mask_accuracy"), subset.get("pixel_accuracy")
    if empty is None or ours is None:
        return
    with st.container(width=WIDTH):
        st.markdown(
            f"And accuracy, over the same slices: the network is right on {100 * ours:.2f}% of the "
            f"pixels, a mask with **nothing** in it on {100 * empty:.2f}%."
        )
