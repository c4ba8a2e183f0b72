"""The state of the viewer, and its form in a link."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from btmodels.slices import VerdictSource
from ui.shared.text import quoted

CHANNELS = {"flair": 1, "pre": 0, "post": 2, "composite": "composite"}
"""The viewer's channels by their name in a link."""

LAYERS = ("prediction", "truth", "probability", "head", "gradcam")
"""Names of the overlay layers in a link; each is a field of `View`."""

USUAL_LAYERS = ("prediction", "truth")
STYLES = ("fill", "outline")
WIPES = ("", "plain", "truth", *CHANNELS)
"""Content to the right of the divider: nothing, the plain slice, the truth alone, another channel."""

SOURCES: tuple[VerdictSource, ...] = get_args(VerdictSource)
"""Who gives the verdict, by the word in a link; the first is the default, which a link leaves out."""

RANGES = {
    "zoom": (100, 1200),
    "x": (-1200, 1200),
    "y": (-1200, 1200),
    "brightness": (-100, 100),
    "contrast": (50, 300),
    "opacity": (0, 100),
    "divider": (0, 100),
    "planes": (0, 1),
}
"""Lowest and highest values of integer fields of `View`."""


@dataclass(frozen=True)
class View:
    """The viewer's state that a link can carry.

    Attributes:
        slice: Index in the stack.
        threshold: Threshold on the probability, 0 to 1.
        channel: Index of a channel, or ``composite``.
        prediction, truth, probability, head, gradcam: Whether the layer is shown; ``probability`` is the
            segmenter's probability map, ``gradcam`` the Grad-CAM of the classifier's answer.
        style: Style of the prediction, one of `STYLES`.
        wipe: Content to compare with, one of `WIPES`.
        zoom: Zoom in percent; 100 shows the whole slice.
        x, y: Shift of the slice to the right and down, in percent of the frame's width and height.
        brightness, contrast: Changes to the automatic window, in percent.
        opacity: Opacity of the colors, in percent.
        divider: Position of the divider, in percent from the left; None centers it on the marked area.
        planes: 1 also shows the coronal and sagittal planes, if the files give the geometry.
    """

    slice: int = 0
    threshold: float = 0.5
    channel: int | str = 1
    prediction: bool = True
    truth: bool = True
    probability: bool = False
    head: bool = False
    style: str = STYLES[0]
    wipe: str = WIPES[0]
    gradcam: bool = False
    zoom: int = 100
    x: int = 0
    y: int = 0
    brightness: int = 0
    contrast: int = 100
    opacity: int = 60
    divider: int | None = None
    planes: int = 0


USUAL = {name: getattr(View, name) for name in ("style", "wipe", *RANGES)}
"""Default values, which a link leaves out."""


@dataclass(frozen=True)
class Link:
    """A validated address of Analyze; None leaves the choice to the page.

    Attributes:
        display: Zoom, position, window, opacity, divider and planes, if the address has them.
    """

    patient: str | None = None
    number: int | None = None
    model: str | None = None
    verdict: VerdictSource | None = None
    threshold: float | None = None
    channel: int | str = 1
    layers: tuple[str, ...] = USUAL_LAYERS
    style: str = USUAL["style"]
    wipe: str = USUAL["wipe"]
    display: Mapping[str, int] = field(default_factory=dict)

    def view(self, index: int, threshold: float) -> View:
        """Return the initial view: slice ``index``, and ``threshold`` unless the link has one."""
        chosen = threshold if self.threshold is None else self.threshold
        shown = {layer: layer in self.layers for layer in LAYERS}
        words = {"style": self.style, "wipe": self.wipe}
        return View(index, chosen, self.channel, **shown, **words, **self.display)


def read_link(
    query: Mapping[str, str], patients: Collection[str], models: Collection[str]
) -> tuple[Link, list[str]]:
    """Check an address; unknown values are left out, each with a sentence.

    Args:
        query: Query of the address.
        patients: Available folder names.
        models: Available segmenters.

    Returns:
        The link and one sentence for each invalid value.
    """
    problems: list[str] = []

    def known(key: str, words: Collection[str], problem: str, instead: str | None = None):
        word = query.get(key, instead)
        if word is None or word in words:
            return word
        problems.append(problem.format(quoted(word)))
        return instead

    patient = known("patient", patients, "This site has no patient {}; a sample is shown instead.")
    model = known("model", models, "This site has no segmenter {}; the default is used instead.")
    sources = " or the ".join(SOURCES)
    verdict = known("verdict", SOURCES, f"The verdict comes from the {sources}, not from {{}}.")
    number = _number(query, "slice", int, problems)
    threshold = _number(query, "threshold", float, problems)
    if threshold is not None and not 0 <= threshold <= 1:
        problems.append("A threshold must lie between 0 and 1; this network's own is used instead.")
        threshold = None
    problem = "There is no channel {}; FLAIR is shown instead."
    channel = known("channel", CHANNELS, problem, "flair")
    wanted = [layer for layer in query.get("layers", ",".join(USUAL_LAYERS)).split(",") if layer]
    for layer in wanted:
        if layer not in LAYERS:
            problems.append(f"There is no layer {quoted(layer)}; it is ignored.")
    layers = tuple(layer for layer in LAYERS if layer in wanted)
    if wanted and not layers:
        layers = USUAL_LAYERS  # no layer is valid, which does not mean that none is wanted
    problem = "There is no style {}; the prediction is filled."
    style = known("style", STYLES, problem, USUAL["style"])
    wipe = known("wipe", WIPES, "There is no wipe {}; nothing is compared.", USUAL["wipe"])
    display = {key: value for key in RANGES if (value := _whole(query, key, problems)) is not None}
    link = Link(
        patient,
        number,
        model,
        verdict,
        threshold,
        CHANNELS[channel],
        layers,
        style,
        wipe,
        display,
    )
    return link, problems


def write_link(
    patient: str,
    number: int | None,
    model: str | None,
    view: View,
    verdict: VerdictSource = SOURCES[0],
) -> dict[str, str]:
    """Return the query of an address that opens the current view."""
    layers = ",".join(layer for layer in LAYERS if getattr(view, layer))
    channel = next(word for word, name in CHANNELS.items() if name == view.channel)
    link = {"patient": patient, "slice": number, "model": model}
    link |= {"verdict": verdict} if verdict != SOURCES[0] else {}
    link |= {"threshold": view.threshold, "layers": layers, "channel": channel}
    link |= {key: getattr(view, key) for key in USUAL if getattr(view, key) != USUAL[key]}
    return {key: str(value) for key, value in link.items() if value is not None}


def view_from(sent: Any, start: View, slices: int) -> View:
    """Check the browser's message; anything but a view of this stack becomes ``start``.

    Args:
        sent: The viewer's state value, from the browser, so untrusted.
        start: View to fall back to.
        slices: Number of slices in the stack.
    """
    try:
        view = View(
            int(sent["slice"]),
            float(sent["threshold"]),
            sent["channel"],
            bool(sent["prediction"]),
            bool(sent["truth"]),
            bool(sent.get("probability")),
            bool(sent.get("head")),
            sent.get("style", start.style),
            sent.get("wipe", start.wipe),
            bool(sent.get("gradcam")),
            **{key: _sent_number(sent, key, getattr(start, key)) for key in RANGES},
        )
    except (KeyError, OverflowError, TypeError, ValueError):
        return start
    known = view.channel in CHANNELS.values() and 0 <= view.threshold <= 1
    known = known and view.style in STYLES and view.wipe in WIPES
    known = known and all(_in_range(key, getattr(view, key)) for key in RANGES)
    return view if known and 0 <= view.slice < slices else start


def _number(query: Mapping[str, str], key: str, kind: type, problems: list[str]) -> Any:
    if key not in query:
        return None
    try:
        return kind(query[key])
    except ValueError:
        problems.append(f"The {key} must be a number, not {quoted(query[key])}; it is ignored.")
        return None


def _whole(query: Mapping[str, str], key: str, problems: list[str]) -> int | None:
    value = _number(query, key, int, problems)
    if value is None or _in_range(key, value):
        return value
    low, high = RANGES[key]
    problems.append(f"The {key} must lie between {low} and {high}; it is ignored.")
    return None


def _in_range(key: str, value: int | None) -> bool:
    low, high = RANGES[key]
    return (value is None and USUAL[key] is None) or (value is not None and low <= value <= high)


def _sent_number(sent: Mapping[str, Any], key: str, otherwise: int | None) -> int | None:
    value = sent.get(key, otherwise)
    return None if value is None else int(value)
