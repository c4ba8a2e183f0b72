"""The Scoreboard's tab *Where*: overlap of masks, all segmenters, small tumors, calibration."""

from __future__ import annotations

from typing import Any

import streamlit as st

from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from ui.results.scores import cascade_of, shown_of
from ui.scoreboard import charts, curves
from ui.scoreboard.choice import Choice
from ui.scoreboard.comparison import (
    SEGMENTER,
    UNDEFINED,
    MetricFormat,
    chart,
    draw_costs,
    draw_networks,
    draw_terms,
    help_of,
    interval_words,
)
from ui.shared import tables
from ui.shared.text import DASH

Text = dict[str, str]

_SHOWN = (
    "mean_dice",
    "median_dice",
    "tumor_slice_dice",
    "false_alarm_rate",
    "detection_rate",
    "hausdorff95",
)

_COMPARED = ("mean_dice", "median_dice", "tumor_slice_dice", "false_alarm_rate")


def draw_segmenter(choice: Choice, text: Text) -> None:
    """Draw all measurements of a segmenter on the chosen patients."""
    scored = choice.scored
    if scored:
        with st.grid("auto", min_column_width=160, gap="small"):
            for key in _SHOWN:
                draw_metric(scored, key, SEGMENTER[key], text)
        draw_terms([*(SEGMENTER[key].term for key in _SHOWN), "Interval"], text)
    segmenters = choice.of_task("segment")
    draw_networks(segmenters, "segment", choice.subset, text)
    draw_costs(segmenters, "segment", text)
    if not scored:
        return
    draw_sizes(scored, text)
    left, right = st.columns(2, gap="small")
    with left.expander("Calibration of pixels", icon=":material/tune:"):
        draw_calibration(scored, text)
    with right.expander("Pixel accuracy, and why not to trust it", icon=":material/grid_on:"):
        draw_pixel_accuracy(scored, text)
    with st.expander("The classifier or a clean-up after the segmenter", icon=":material/rule:"):
        draw_cascade(scored, text)


def draw_metric(scored: dict[str, Any], key: str, kind: MetricFormat, text: Text) -> None:
    """Draw one score with its interval; a dash with the reason if there is none."""
    value = scored.get(key)
    if value is not None:
        note = interval_words(scored, key, kind)
    elif key in scored:
        note = UNDEFINED.get(key, "undefined on these patients")
    else:
        note = "not measured"
    st.metric(
        kind.column,
        DASH if value is None else kind.form % kind.of(value),
        note,
        delta_color="off",
        delta_arrow="off",
        help=help_of(text, kind.term),
        border=True,
        height="stretch",
    )


def slices_of(scored: dict[str, Any]) -> dict[tuple[str, str], Counts]:
    """Return the counts of each slice by patient and number, in file order."""
    return {
        (folder, number): Counts(*counts)
        for folder, slices in (scored.get("per_slice") or {}).items()
        for number, counts in slices.items()
    }


def draw_sizes(scored: dict[str, Any], text: Text) -> None:
    """Draw Dice against tumor size: one mark per slice, and by size group."""
    slices = slices_of(scored)
    tumor = {each: counts for each, counts in slices.items() if counts.tp + counts.fn}
    if not tumor:
        return
    st.header("Dice against tumor size", anchor=False)
    st.markdown(text.get("Tumor size", ""))
    groups = overlap.score_by_size(slices.values())
    left, right = st.columns(2, gap="medium")
    with left:
        chart(
            charts.dice_by_pixels(
                [counts.tp + counts.fn for counts in tumor.values()],
                [overlap.dice(counts) for counts in tumor.values()],
                [f"{folder}, slice {number}" for folder, number in tumor],
            ),
            "sizes",
            "Dice of each slice with tumor against the pixels of tumor in it.",
        )
    with right:
        filled = [each for each in groups if each["slices"]]
        chart(
            charts.size_bars(filled),
            "groups",
            "Mean Dice, and share of slices in which anything was found, by size of the tumor.",
        )
    columns = (
        tables.text("Pixels of tumor", charts.range_of, pinned=True),
        tables.number("Slices", "slices"),
        tables.number("Dice", "dice", "%.3f", help=help_of(text, "Dice")),
        tables.number("Found at all", "found", "%.1f%%", 100),
    )
    alt = "Dice and share of slices found, by size of the tumor."
    with st.expander("The same in numbers", icon=":material/table:"):
        tables.draw(groups, columns, "sizes", alt)


def draw_calibration(scored: dict[str, Any], text: Text) -> None:
    """Draw the reliability diagram of pixel probabilities."""
    found = scored.get("calibration")
    if not found:
        st.info("The calibration of pixels was not measured for these weights on these patients.")
        return
    st.markdown(text.get("Pixel calibration", ""))
    rows = list(zip(found["probability"], found["tumor"], found["pixels"], strict=True))
    filled = [row for row in rows if row[2] and None not in row]
    chart(
        curves.reliability(filled, "pixels"),
        "calibration",
        "Share of tumor among pixels of a probability, against that probability.",
    )
    if found.get("error") is not None:
        st.caption(
            f"Calibration error, without air and without pixels that are clearly not tumor: "
            f"{shown_of(found, 'error')}. {help_of(text, 'Calibration error') or ''}"
        )


def draw_cascade(scored: dict[str, Any], text: Text) -> None:
    """Draw the scores of the segmenter alone, after the classifier, and with the whole-patient clean-up."""
    st.markdown(text.get("Beside the segmenter", ""))
    followed = {
        "Masks only where the classifier says tumor": cascade_of(scored),
        "Clean-up over the whole patient": scored.get("whole_patient"),
    }
    ways = {"The segmenter alone": scored} | {way: each for way, each in followed.items() if each}
    kinds = {key: SEGMENTER[key] for key in _COMPARED}
    columns = (
        tables.text("Method", "method", width=290),
        *(
            tables.number(kind.column, key, kind.form, kind.factor, help=help_of(text, kind.term))
            for key, kind in kinds.items()
        ),
    )
    alt = "The segmenter alone and with what could follow it."
    entries = [{**each, "method": way} for way, each in ways.items()]
    tables.draw(entries, columns, "cascade", alt)
    for way, each in followed.items():
        if not each:
            st.caption(f"{way}: {DASH}, not measured with the present weights.")
        elif each.get("rule"):
            st.caption(f"{way}: {each['rule']}")


def draw_pixel_accuracy(scored: dict[str, Any], text: Text) -> None:
    """Draw pixel accuracy next to that of an empty mask, never alone."""
    ours, empty = scored.get("pixel_accuracy"), scored.get("empty_mask_accuracy")
    if ours is None or empty is None:
        st.info("Pixel accuracy was not measured on these patients.")
        return
    st.markdown(text.get("Pixel accuracy", ""))
    with st.grid("auto", min_column_width=190, gap="small"):
        st.metric("This network", f"{100 * ours:.2f}%", border=True)
        st.metric("An empty mask", f"{100 * empty:.2f}%", border=True)
