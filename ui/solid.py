"""A patient's tumor in space, to be turned by hand: predicted surface, true surface, the head around."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from btmodels import overlay, volume

HEIGHT = 560

_GRAY = "#808895"  # reads on light and dark alike, as the figure's background is the page's
_HEAD, _TRUTH, _PREDICTION = 0.14, 0.4, 0.75
_LIGHT = {"ambient": 0.55, "diffuse": 0.7, "specular": 0.1, "roughness": 0.9}

ORDER = (
    "The first slice is drawn at the bottom. In the LGG data and in the synthetic patients it is the "
    "lowest one; the files themselves do not say."
)
SIDES = (
    "Left and right are the patient's, if the slices follow the radiological convention, in which the "
    "patient's left is at the picture's right and the front is up."
)
SMOOTHED = (
    "Surfaces are smoothed and thinned for drawing; all figures come from the masks themselves."
)


def figure(
    predicted: np.ndarray | None,
    truth: np.ndarray | None,
    heads: np.ndarray | None,
    spacing: tuple[float, ...] | None = None,
) -> tuple[go.Figure, list[str]]:
    """Draw the surfaces of a stack's masks.

    Args:
        predicted, truth, heads: bool, (slices, rows, cols), of one shape; None leaves a surface out.
        spacing: Millimeters from slice to slice, row to row, column to column, or the latter two alone;
            None where the files do not say.

    Returns:
        The figure, and the sentences that belong below it.

    Raises:
        ValueError: All three are None, or their shapes differ.
    """
    shapes = {np.shape(each) for each in (predicted, truth, heads) if each is not None}
    if len(shapes) != 1:
        raise ValueError(f"Volumes must be there and of one shape. Received: {shapes}")
    shape = shapes.pop()
    measure = volume.measure_of(shape, heads, spacing)
    drawn = go.Figure()
    captions = []
    for name, mask, color, opacity in (
        ("Predicted", predicted, overlay.PREDICTION_COLOR, _PREDICTION),
        ("Truth", truth, overlay.TRUTH_COLOR, _TRUTH),
    ):
        mesh = None if mask is None else volume.surface(mask, measure.steps)
        if mesh:
            drawn.add_trace(_solid(mesh, name, "rgb({},{},{})".format(*color), opacity))
        elif mask is not None:
            captions.append(f"{name}: nothing is marked in this stack, so there is no surface.")
    if heads is not None:
        mesh = volume.surface(heads, measure.steps, volume.HEAD_TRIANGLES)
        if mesh:
            drawn.add_trace(_solid(mesh, "Head", _GRAY, _HEAD))
    _lay_out(drawn, shape, measure)
    return drawn, [*captions, *measure.captions, ORDER, SIDES, SMOOTHED]


def _solid(mesh: volume.Mesh, name: str, color: str, opacity: float) -> go.Mesh3d:
    x, y, z = mesh.vertices.T
    i, j, k = mesh.triangles.T
    return go.Mesh3d(
        x=x,
        y=y,
        z=z,
        i=i,
        j=j,
        k=k,
        name=name,
        color=color,
        opacity=opacity,
        flatshading=False,
        lighting=_LIGHT,
        showlegend=True,
        hoverinfo="name",
    )


def _lay_out(drawn: go.Figure, shape: tuple[int, ...], measure: volume.Measure) -> None:
    ends = [count * step for count, step in zip(shape[::-1], measure.steps[::-1], strict=True)]
    words = (("right", "left"), ("front", "back"), ("first slice", "last slice"))
    axes = {
        f"{axis}axis": {
            "range": [0, end],
            "tickvals": [0.04 * end, 0.96 * end],
            "ticktext": texts,
            "title": {"text": ""},
            "showgrid": False,
            "zeroline": False,
            "showbackground": False,
            "showspikes": False,
            "linecolor": _GRAY,
            "showline": True,
            "tickfont": {"color": _GRAY, "size": 13},
        }
        for axis, end, texts in zip("xyz", ends, words, strict=True)
    }
    drawn.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "y": 1, "itemsizing": "constant"},
        scene={
            **axes,
            "aspectmode": "data",
            "bgcolor": "rgba(0,0,0,0)",
            # From the front, a little from the patient's left and from above.
            "camera": {"eye": {"x": 0.8, "y": -1.5, "z": 0.6}},
        },
    )
