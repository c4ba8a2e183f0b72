"""Lesson *Who is in the test set?*: two ways to split slices, and the first one's effect on scores."""

from __future__ import annotations

from collections import Counter
from typing import Any

import cv2
import numpy as np
import streamlit as st

from btmodels.errors import CohortError
from btmodels.metrics.bootstrap import paired_difference
from btmodels.slices import FLAIR, Slice
from btmodels.teaching import slice_similarity
from btmodels.visualize import overlay
from btmodels.visualize.window import windows_of
from ui.lessons.lesson import WIDTH, Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.results import experiments, published
from ui.results.published import PatientRow
from ui.scoreboard.strip_plot import patient_dots
from ui.session import samples
from ui.shared.chart_style import draw_chart
from ui.shared.component_files import component, view_of
from ui.shared.text import score_words
from ui.viewer.message import message
from ui.viewer.packing import pack

WAYS = ("slices", "patients", "quiz")
"""Names in the address: the unit of the split, or the quiz."""

SEEDS = 999
SIDE = 160
"""Rows and columns of the pictures of synthetic patients."""

PAIR_SIDE = 512
"""Minimum rows and columns of a real pair's pictures, so that outlines are fine lines."""

ARMS = {"slices": "Slices split at random", "patients": "Patients split"}

_splits = component("lesson_splits", "lessons/test_set/splits", *SHARED_STYLES)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    lesson.prose("Screen: before you start", title=False)
    packed = _packed()
    if packed is None:
        st.info("There are no samples in this copy of the project; restore assets/samples.")
    else:
        _two_ways(lesson, *packed)
        with st.container(width=WIDTH):
            st.caption(lesson.text.get("Screen: synthetic patients", ""))
        lesson.tasks("splits")
    lesson.prose("In words")
    lesson.prose("What the leak is worth")
    _measured(lesson)
    lesson.prose("How others split")
    _others()


@st.fragment
def _two_ways(lesson: Lesson, head: dict[str, Any], parts: dict[str, bytes]) -> None:
    start = {
        "by": lesson.choice("by", WAYS, WAYS[0]),
        "seed": round(lesson.number("seed", 1, SEEDS, 1)),
    }
    sent = view_of(_splits, lesson.key("splits"), message(head | {"start": start}, parts))
    by, seed = sent.get("by"), sent.get("seed")
    if by in WAYS and isinstance(seed, int | float) and 1 <= seed <= SEEDS:
        lesson.write(by=by, seed=int(seed))


@st.cache_resource(show_spinner="Comparing the slices…", max_entries=2)
def _packed() -> tuple[dict[str, Any], dict[str, bytes]] | None:
    every: list[Slice] = []
    for folder, sample in samples.library().samples.items():
        if not sample.bundled:
            continue
        try:
            every += samples.stack_of(sample, folder).slices
        except CohortError:
            continue
    if not every:
        return None
    small = [
        cv2.resize(each.pixels[..., FLAIR], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        for each in every
    ]
    truths = [
        cv2.resize(_truth(each), (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0.5 for each in every
    ]
    points = slice_similarity.vectors(each.pixels for each in every)
    apart = slice_similarity.distances(points, points)
    head = {
        "version": f"{len(every)} slices",
        "side": SIDE,
        "slices": [[each.patient, each.number] for each in every],
        "windows": [windows[FLAIR] for windows in windows_of(every)],
    }
    return head, {
        "pictures": pack(np.stack(small)),
        "truths": pack(np.stack(truths).astype(np.uint8)),
        "distances": apart.astype("<f4").tobytes(),
    }


def _truth(each: Slice) -> np.ndarray:
    shape = each.pixels.shape[:2]
    return (np.zeros(shape) if each.truth is None else each.truth).astype(np.float32)


def _measured(lesson: Lesson) -> None:
    shown = False
    for name, kind in (("leak", "the LGG data set"), ("leak_synthetic", "the synthetic patients")):
        found = experiments.read(name)
        if found is None:
            continue
        shown = True
        st.subheader(f"Measured on {kind}", anchor=False)
        _scores(found, lesson.key(name))
        with st.container(width=WIDTH):
            experiments.say_budget(found)
        if name == "leak":
            _real_pairs(lesson, found)
    if not shown:
        experiments.say_missing("leak")


def _scores(found: dict[str, Any], key: str) -> None:
    arms = {arm["key"]: arm for arm in found["arms"]}
    for column, (arm, title) in zip(st.columns(2, gap="large"), ARMS.items(), strict=True):
        with column, st.container(border=True):
            _arm(arms[arm], title)
    with st.container(width=WIDTH):
        st.markdown(difference(arms["slices"]["score"], arms["patients"]["score"]))
    figure = patient_dots(
        [
            PatientRow(
                title,
                arms[arm]["score"]["patients"],
                arms[arm]["score"]["mean_dice"],
                arms[arm]["score"]["median_dice"],
                arms[arm]["score"]["mean_dice_interval"],
                chosen=arm == "patients",
            )
            for arm, title in ARMS.items()
        ]
    )
    draw_chart(figure, key, "Dice of each test patient with both splits.")


def difference(leaking: dict[str, Any], honest: dict[str, Any]) -> str:
    """Say how much better slices split at random made the network seem, patient by patient.

    Args:
        leaking, honest: Scores of the two arms on the same test slices.
    """
    found = paired_difference(leaking["patients"], honest["patients"])
    if found is None:
        return "Too few patients have both scores, so they cannot be compared."
    mean, (low, high) = found
    words = (
        f"Patient by patient, a split of slices scores **{mean:+.3f}** ({low:+.3f} to {high:+.3f}) "
        "against a split of patients, on the very same slices. "
    )
    if low > 0:
        return (
            words + "The interval lies above 0: the leak makes the network seem better than it is."
        )
    if high < 0:
        return words + "The interval lies below 0: here the leak did not help."
    return words + "The interval contains 0: the score does not show the leak here."


def _arm(arm: dict[str, Any], title: str) -> None:
    score, near, draws = arm["score"], arm["nearest"], arm["draws"]
    low, high = score["mean_dice_interval"] or (None, None)
    learned = [draw["sizes"]["train"] for draw in draws]
    st.markdown(f"**{title}**")
    st.metric("Mean Dice over patients", score_words(score["mean_dice"]))
    if low is not None:
        st.caption(f"95% interval {low:.3f} to {high:.3f}, resampling patients")
    st.markdown(
        f"- {len(draws)} draws: {', '.join(score_words(draw['mean_dice']) for draw in draws)}\n"
        f"- {min(learned):,} to {max(learned):,} slices to learn from; "
        f"{sum(draw['sizes']['test'] for draw in draws):,} to test, of {arm['test_patients']} patients\n"
        f"- {len(arm['shared_patients'])} of {arm['test_patients']} test patients are in training, too\n"
        f"- nearest training slice is of the same head: {100 * near['same_patient']:.0f}% of test slices\n"
        f"- median distance to it: {near['median_distance']:.2f}"
        + (
            f" (neighbors in one head: {near['neighbor_distance']:.2f})"
            if near["neighbor_distance"] is not None
            else ""
        )
    )


@st.fragment
def _real_pairs(lesson: Lesson, found: dict[str, Any]) -> None:
    # Pictures of patients come only from the local data folder, never from the repository.
    library = samples.library().samples
    arm = next(each for each in found["arms"] if each["key"] == "slices")
    rows = [
        row
        for row in arm["nearest"]["slices"]
        if row["patient"] in library and row["nearest_patient"] in library
    ]
    if not rows:
        with st.container(width=WIDTH):
            st.caption(lesson.text.get("Screen: no pictures", ""))
        return
    label = "Test slice, from the nearest pair to the farthest"
    last = len(rows)
    key = lesson.key("pair")
    if not 1 <= st.session_state.get(key, 0) <= last:
        st.session_state[key] = round(lesson.number("pair", 1, last, 1))
    chosen = st.slider(label, 1, last, key=key) if last > 1 else 1
    lesson.write(pair=None if chosen == 1 else chosen)
    row = rows[chosen - 1]
    left, right, words = st.columns([2, 2, 3])
    for column, kind in ((left, ""), (right, "nearest_")):
        folder, number = row[f"{kind}patient"], row[f"{kind}number"]
        stack = samples.stack_of(library[folder], folder)
        index = stack.index_of(number)
        if index is not None:
            title = "Nearest training slice" if kind else "Test slice"
            column.image(
                overlay.slice_picture(stack.slices[index], side=PAIR_SIDE),
                f"{title}: {folder}, slice {number}",
                width="stretch",
                output_format="PNG",
                alt=f"{title}, {_outlined(stack.slices[index])}",
            )
    words.markdown(pair_words(row))


def _outlined(each: Slice) -> str:
    there = each.truth is not None and each.truth.any()
    return "its tumor outlined with dashes" if there else "no tumor in it"


def pair_words(row: dict[str, Any]) -> str:
    """Describe a test slice and its nearest training slice."""
    same = row["patient"] == row["nearest_patient"]
    dice = row["dice"]
    return (
        f"Distance **{row['distance']:.2f}**, {'the same head' if same else 'another head'}. "
        + (
            "There is no tumor in the test slice and none was marked, so it has no Dice."
            if dice is None
            else f"The network that had learned from the second slice scores a Dice of **{dice:.3f}** "
            "on the first one."
        )
    )


def _others() -> None:
    systems = published.load()["systems"]
    if not systems:
        return
    counted = Counter(system["split"] for system in systems)
    st.markdown(
        "\n".join(
            f"- **{split}**: {number} of {len(systems)}" for split, number in counted.most_common()
        )
    )
    st.page_link(
        "pages/scoreboard.py",
        label="Each of them, with its protocol",
        icon=":material/leaderboard:",
    )
