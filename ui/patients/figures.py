"""A patient below the viewer: area in each slice, the tumor in 3-D, its shape, the record in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from btmodels.dataset import clinical_columns, cohort
from btmodels.errors import CohortError
from btmodels.measurement import shape, surface
from btmodels.measurement.shape_table import ShapeFigures
from ui.patients import surface3d
from ui.patients.scores import Tally
from ui.session.cache import SessionCache
from ui.session.samples import Sample
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import View
from ui.shared.badges import badge_of
from ui.shared.chart_style import BLUE, GRAY, VERMILION, add_line, draw_chart, outline
from ui.shared.text import DASH
from ui.viewer.gallery import turn

AREA = "patients.area"
"""Session key of the chart."""

AREA_HEIGHT = 260
_SNAPSHOT = {
    "displayModeBar": True,
    "displaylogo": False,
    "modeBarButtons": [["toImage", "resetCameraDefault3d"]],
    "toImageButtonOptions": {"filename": "tumor", "scale": 2},
}
"""Buttons of the 3-D figure: download a picture, and reset the view."""

_shapes_cache: SessionCache[tuple] = SessionCache("patients.shapes", 1)
"""The last computed surfaces and figures, by key of their tally."""


def area(analyzed: Analyzed, view: View, tally: Tally) -> None:
    """Draw the marked pixels of each slice; a click on a point turns the viewer there."""
    stack = analyzed.stack

    def jump() -> None:
        points = st.session_state[AREA]["selection"]["points"]
        if points:
            turn(stack.id, int(points[0]["point_index"]))

    alt = "Marked pixels of each slice, predicted and true; the gallery has the same slices."
    figure = area_figure(stack, tally, view.slice)
    draw_chart(figure, AREA, alt, on_select=jump, selection_mode="points")


def area_figure(stack: Stack, tally: Tally, current: int) -> go.Figure:
    """Return the curve of the marked area over the slices, in mm² if the files give the spacing.

    Args:
        stack: The patient's slices.
        tally: Their masks and pixel counts.
        current: Index of the slice in the viewer.
    """
    places = [i if s.number is None else s.number for i, s in enumerate(stack.slices, 1)]
    spacing = surface.spacing_of(stack.slices)
    unit, each_pixel = ("mm²", math.prod(spacing[-2:])) if spacing else ("px", 1)
    figure = go.Figure()
    figure.add_vline(x=places[current], line={"color": GRAY, "width": 1, "dash": "dot"})
    truth = badge_of(stack.provenance[current]).truth
    for name, values, style in (
        (truth, tally.true, (BLUE, "dash", "circle-open")),
        ("Predicted", tally.predicted, (VERMILION, "solid", "circle")),
    ):
        if any(value is not None for value in values):
            shown = [value and value * each_pixel for value in values]
            hover = f"Slice %{{x}}<br>{name}: %{{y:,.0f}} {unit}<extra></extra>"
            # Selecting a point must not fade the others.
            more = {"marker_line": outline(style[0]), "unselected": {"marker": {"opacity": 1}}}
            add_line(figure, places, shown, name, style, hover, 6, **more)
    figure.update_layout(
        height=AREA_HEIGHT,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hovermode="closest",
        clickmode="event+select",
        dragmode=False,
    )
    figure.update_xaxes(title="Slice", showgrid=False)
    figure.update_yaxes(title=unit, rangemode="tozero")
    return figure


def in_space(analyzed: Analyzed, tally: Tally) -> None:
    """Draw the tumor in 3-D and, beside it, its shape in figures, predicted and true."""
    if len({each.pixels.shape for each in analyzed.stack.slices}) > 1:
        st.info("The slices of this patient differ in size, so they cannot be stacked in space.")
        return
    if not tally.complete and analyzed.pending:
        st.info(
            "The predicted tumor follows once all slices are segmented.",
            icon=":material/hourglass_top:",
        )
    without = sum(each.truth is None for each in analyzed.stack.slices)
    if 0 < without < len(analyzed.stack.slices):
        # Drawn with gaps it would look like a different tumor.
        st.info(f"The true tumor is left out: {without} of the slices have no true mask.")
    with st.spinner("Computing the tumor's surface…"):
        drawn, captions, rows = _shapes(analyzed, tally)
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        st.plotly_chart(
            drawn,
            key="patients.solid",
            config=_SNAPSHOT,
            alt="Surfaces of the predicted and the true tumor within the outline of the head.",
        )
        st.caption(" ".join(captions))
    with right:
        st.table(rows)
        with st.expander("What these figures mean", icon=":material/help:"):
            for label, row in ShapeFigures(0, 0).rows().items():
                st.markdown(f"**{label}.** {row.explanation}")
            st.caption(
                "The ratio, the fluctuation and the angular deviation follow Buda, Saha, Mazurowski "
                "2019, who related them to genomic subtypes. All figures describe a mask and say "
                "nothing about a patient."
            )


def _shapes(
    analyzed: Analyzed, tally: Tally
) -> tuple[go.Figure, Sequence[str], list[dict[str, str]]]:
    if (kept := _shapes_cache.get(tally.key)) is not None:
        return kept
    slices = analyzed.stack.slices
    truths = [each.truth for each in slices]
    predicted = surface.stack_masks(tally.masks) if tally.complete else None
    truth = None if any(each is None for each in truths) else surface.stack_masks(truths)
    heads = surface.head_volume([each.pixels for each in slices])
    drawn, captions = surface3d.figure(predicted, truth, heads, surface.spacing_of(slices))
    pixels = np.stack([each.pixels for each in slices])
    rows = shape_rows(
        None if predicted is None else shape.describe(predicted, pixels),
        None if truth is None else shape.describe(truth, pixels),
        surface.spacing_of(slices),
    )
    return _shapes_cache.put(tally.key, (drawn, captions, rows))


def shape_rows(
    predicted: ShapeFigures | None,
    truth: ShapeFigures | None,
    spacing: tuple[float, ...] | None = None,
) -> list[dict[str, str]]:
    """Return the shape's figures as a table, predicted and true side by side.

    Args:
        predicted, truth: None where there is no mask to describe.
        spacing: As from `btmodels.measurement.surface.spacing_of`.
    """
    columns = {
        name: {} if figures is None else figures.rows(spacing)
        for name, figures in (("Predicted", predicted), ("Truth", truth))
    }
    made = []
    for label, row in ShapeFigures(0, 0).rows(spacing).items():
        # Avoid labels such as "Parts, parts".
        unit = f", {row.unit}" if row.unit and row.unit not in label.lower() else ""
        cells = {name: rows[label].value if rows else DASH for name, rows in columns.items()}
        made.append({"Figure": f"{label}{unit}"} | cells)
    return made


def record(sample: Sample, text: Mapping[str, str]) -> None:
    """Draw the patient's row of data.csv in words.

    Args:
        sample: The patient.
        text: Text of the page, by heading.
    """
    try:
        table = cohort.read_patient_data(sample.patient.files[0].image.parent.parent)
    except CohortError as error:
        st.warning(str(error), icon=":material/warning:")
        return
    row = table.get(sample.patient.folder[: cohort.PATIENT_KEY])
    if not row:
        st.info(text.get("No record", ""), icon=":material/info:")
        return
    st.markdown(text.get("Record, synthetic" if sample.bundled else "Record", ""))
    entries = clinical_columns.describe_row(row)
    recorded = [each for each in entries if each.known]
    st.table(
        [
            {"Recorded": each.label, "For this patient": each.value, "Meaning": each.known}
            for each in recorded
        ]
    )
    missing = [each.label for each in entries if not each.known]
    if missing:
        st.caption(f"Not recorded for this patient: {', '.join(missing)}.")
    labels: dict[str, list[str]] = {}
    for each in recorded:
        labels.setdefault(each.note, []).append(each.label)
    with st.expander("How each meaning is known", icon=":material/help:"):
        for note, named in labels.items():
            st.markdown(f"**{', '.join(named)}.** {note}")
