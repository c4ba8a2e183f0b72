"""A patient's tumor in rotatable 3-D: predicted surface, true surface, and the head around them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from btmodels.measurement import surface
from btmodels.visualize import overlay

HEIGHT = 560

_GRAY = "#808895"  # legible on light and dark, since the figure has the page's background
_HEAD, _TRUTH, _PREDICTION = 0.16, 0.35, 1.0
_LIGHT = {"ambient": 0.7, "diffuse": 0.7, "specular": 0.1, "roughness": 0.9}

ORDER = (
    "The first slice is drawn at the bottom. In the LGG data and in the synthetic patients it is the "
    "lowest one; the files themselves do not say."
)
SIDES = (
    "Left and right are the patient's, if the slices follow the radiological convention, in which the "
    "patient's left is at the picture's right and the front is up."
)
SMOOTHED = (
    "Surfaces are smoothed and thinned for drawing, and the head is drawn as a solid; all "
    "figures come from the masks themselves."
)
TURN = "Drag to rotate, scroll to zoom, and click a name above to hide its surface."


def figure(
    predicted: np.ndarray | None,
    truth: np.ndarray | None,
    heads: np.ndarray | None,
    spacing: tuple[float, ...] | None = None,
) -> tuple[go.Figure, list[str]]:
    """Draw the surfaces of a stack's masks.

    Args:
        predicted, truth, heads: bool, (slices, rows, cols), of one shape; None leaves a surface out.
        spacing: Millimeters between slices, rows and columns, or between rows and columns alone;
            None if the files do not say.

    Returns:
        The figure, and the captions below it.

    Raises:
        ValueError: All three are None, or their shapes differ.
    """
    shapes = {np.shape(each) for each in (predicted, truth, heads) if each is not None}
    if len(shapes) != 1:
        raise ValueError(f"Volumes must be there and of one shape. Received: {shapes}")
    shape = shapes.pop()
    measure = surface.proportions_of(shape, heads, spacing)
    drawn = go.Figure()
    captions = []
    for name, mask, color, opacity in (
        ("Predicted", predicted, overlay.PREDICTION_COLOR, _PREDICTION),
        ("Truth", truth, overlay.TRUTH_COLOR, _TRUTH),
    ):
        mesh = None if mask is None else surface.surface(mask, measure.steps)
        if mesh:
            drawn.add_trace(_solid(mesh, name, "rgb({},{},{})".format(*color), opacity))
        elif mask is not None:
            captions.append(f"{name}: nothing is marked in this stack, so there is no surface.")
    if heads is not None:
        mesh = surface.surface(heads, measure.steps, surface.HEAD_TRIANGLES, surface.HEAD_SMOOTHING)
        if mesh:
            drawn.add_trace(_solid(mesh, "Head", _GRAY, _HEAD))
    _label(drawn, shape, measure)
    _lay_out(drawn)
    return drawn, [TURN, *captions, *measure.captions, ORDER, SIDES, SMOOTHED]


def _solid(mesh: surface.Mesh, name: str, color: str, opacity: float) -> go.Mesh3d:
    return go.Mesh3d(
        **dict(zip("xyzijk", (*mesh.vertices.T, *mesh.triangles.T), strict=True)),
        name=name,
        color=color,
        opacity=opacity,
        flatshading=False,
        lighting=_LIGHT,
        showlegend=True,
        hoverinfo="name",
    )


def _label(drawn: go.Figure, shape: tuple[int, ...], measure: surface.Proportions) -> None:
    """Label the directions around the surfaces so that they stay in view at every angle."""
    points = [np.column_stack([trace.x, trace.y, trace.z]) for trace in drawn.data]
    ends = np.array([count * step for count, step in zip(shape, measure.steps, strict=True)])[::-1]
    low = np.min([each.min(axis=0) for each in points], axis=0) if points else 0 * ends
    high = np.max([each.max(axis=0) for each in points], axis=0) if points else ends
    middle, beyond = (low + high) / 2, 0.12 * (high - low).max()
    places = np.tile(middle, (6, 1))
    for axis in range(3):
        places[2 * axis, axis] = low[axis] - beyond
        places[2 * axis + 1, axis] = high[axis] + beyond
    drawn.add_trace(
        go.Scatter3d(
            **dict(zip("xyz", places.T, strict=True)),
            mode="text",
            text=("right", "left", "front", "back", "first slice", "last slice"),
            textfont={"color": _GRAY, "size": 14},
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _lay_out(drawn: go.Figure) -> None:
    drawn.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "y": 1, "itemsizing": "constant"},
        scene={
            **{f"{axis}axis": {"visible": False} for axis in "xyz"},
            "aspectmode": "data",
            "bgcolor": "rgba(0,0,0,0)",
            # From the front, slightly from the patient's left and above.
            "camera": {"eye": {"x": 0.65, "y": -1.3, "z": 0.4}},
        },
    )
