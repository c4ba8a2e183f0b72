"""The Scoreboard of one segmenter: small tumors, calibration, worst cases, what could follow it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from ui.results.scores import Network, cascade_of, interval_of, shown_of
from ui.scoreboard import charts, worst_cases
from ui.scoreboard.comparison import SEGMENTER, UNDEFINED, MetricFormat, chart, help_of
from ui.shared.tables import table
from ui.shared.text import DASH

Text = dict[str, str]
Column = st.column_config

_HEADLINE = (
    "mean_dice",
    "median_dice",
    "tumor_slice_dice",
    "false_alarm_rate",
    "detection_rate",
    "hausdorff95",
)

_BESIDE = ("mean_dice", "median_dice", "tumor_slice_dice", "false_alarm_rate")


def headline(scored: dict[str, Any], text: Text) -> None:
    """Draw the figures that sum a segmenter up."""
    with st.grid("auto", min_column_width=160, gap="small"):
        for key in _HEADLINE:
            figure(scored, key, SEGMENTER[key], text)
    interval_note(text)


def interval_note(text: Text) -> None:
    """Say what stands in gray below a figure."""
    st.caption(f"In gray, the 95 % interval. {help_of(text, 'Interval') or ''}")


def figure(scored: dict[str, Any], key: str, kind: MetricFormat, text: Text) -> None:
    """Draw one figure with its interval; a dash with the reason where there is none."""
    value, interval = scored.get(key), interval_of(scored, key)
    note = None
    if value is None:
        note = (
            UNDEFINED.get(key, "undefined on these patients") if key in scored else "not measured"
        )
    elif interval:
        low, high = (f"{kind.of(end):.{kind.digits}f}" for end in interval)
        note = f"{low} to {high}"
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


def draw_details(network: Network, subset: str, text: Text) -> None:
    """Draw all that was measured of the segmenter on a subset."""
    scored = network.scored[subset]
    sizes(scored, text)
    calibration(scored, text)
    worst_cases.segmenter(network, subset, text)
    beside(scored, text)
    pixel_accuracy(scored, text)


def slices_of(scored: dict[str, Any]) -> dict[tuple[str, str], Counts]:
    """Return the counts of each slice by patient and number, in the file's order."""
    return {
        (folder, number): Counts(*counts)
        for folder, slices in (scored.get("per_slice") or {}).items()
        for number, counts in slices.items()
    }


def sizes(scored: dict[str, Any], text: Text) -> None:
    """Draw Dice against the size of the tumor: a mark a slice, and by groups of size."""
    slices = slices_of(scored)
    tumor = {each: counts for each, counts in slices.items() if counts.tp + counts.fn}
    if not tumor:
        return
    st.header("Dice against tumor size")
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
    rows = [
        {
            "Pixels of tumor": charts.range_of(each),
            "Slices": each["slices"],
            "Dice": each["dice"],
            "Found at all": None if each["found"] is None else 100 * each["found"],
        }
        for each in groups
    ]
    columns = {
        "Pixels of tumor": Column.TextColumn(pinned=True),
        "Slices": Column.NumberColumn(),
        "Dice": Column.NumberColumn(format="%.3f", help=help_of(text, "Dice")),
        "Found at all": Column.NumberColumn(format="%.1f %%"),
    }
    table(rows, columns, "sizes", "Dice and share of slices found, by size of the tumor.")


def calibration(scored: dict[str, Any], text: Text) -> None:
    """Draw what share of the pixels of each probability is tumor."""
    st.header("Calibration of pixels")
    found = scored.get("calibration")
    if not found:
        st.info("The calibration of pixels was not measured of these weights on these patients.")
        return
    st.markdown(text.get("Pixel calibration", ""))
    rows = list(zip(found["probability"], found["tumor"], found["pixels"], strict=True))
    filled = [row for row in rows if row[2] and None not in row]
    chart(
        charts.reliability(filled, "pixels"),
        "calibration",
        "Share of tumor among pixels of a probability, against that probability.",
    )
    if found.get("error") is not None:
        st.caption(
            f"Calibration error, air and clear brain left out: {shown_of(found, 'error')}. "
            f"{help_of(text, 'Calibration error') or ''}"
        )


def beside(scored: dict[str, Any], text: Text) -> None:
    """Draw the cascade and the whole-patient clean-up beside the segmenter alone."""
    st.header("What could follow the segmenter")
    st.markdown(text.get("Beside the segmenter", ""))
    followed = {
        "Masks only where the classifier says tumor": cascade_of(scored),
        "Clean-up over the whole patient": scored.get("whole_patient"),
    }
    ways = {"The segmenter alone": scored} | {way: each for way, each in followed.items() if each}
    table(
        [
            {"Way": way}
            | {SEGMENTER[key].column: SEGMENTER[key].of(each.get(key)) for key in _BESIDE}
            for way, each in ways.items()
        ],
        {"Way": Column.TextColumn(pinned=True)}
        | {
            SEGMENTER[key].column: Column.NumberColumn(
                format=SEGMENTER[key].form, help=help_of(text, SEGMENTER[key].term)
            )
            for key in _BESIDE
        },
        "beside",
        "The segmenter alone and with what could follow it.",
    )
    for way, each in followed.items():
        if not each:
            st.caption(f"{way}: {DASH}, not measured with the weights that are here.")
        elif each.get("rule"):
            st.caption(f"{way}: {each['rule']}")


def pixel_accuracy(scored: dict[str, Any], text: Text) -> None:
    """Draw pixel accuracy beside that of the empty mask, never alone."""
    ours, empty = scored.get("pixel_accuracy"), scored.get("empty_mask_accuracy")
    if ours is None or empty is None:
        return
    st.header("Pixel accuracy, and why not to trust it")
    st.markdown(text.get("Pixel accuracy", ""))
    with st.grid("auto", min_column_width=190, gap="small"):
        st.metric("This network", f"{100 * ours:.2f} %", border=True)
        st.metric("A mask with nothing in it", f"{100 * empty:.2f} %", border=True)
