"""A route of views to step through while presenting, and its short form in an address.

Stops are joined by ``~``. A stop is the patient's first twelve characters, the slice's number and the
view's changes from the default, joined by dots; its caption follows two dots. A stop may also be one of
`SLIDES` instead of a patient::

    SYNT_AA_0001.13.q1~SYNT_AA_0004.6.cpost.t0-35..The rim takes up contrast~scoreboard..How good is it?
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from btmodels.dataset.cohort import PATIENT_KEY
from ui.session.view_state import read_link
from ui.shared.text import quoted

MOST_STOPS = 12
MOST_CHARACTERS = 120
"""Most characters of a caption; longer ones are cut."""

SLIDES = {
    "scoreboard": "How good it is",
    "limits": "What it cannot do",
    "transfer": "Does pretraining help?",
}
"""Stops without a patient, by their name in a route."""

SHOWS = {"3d": "the tumor in 3-D", "area": "area in each slice"}
"""Views of a whole patient instead of a slice, by their name in a route."""

_LETTERS = {
    "q": "ask",
    "z": "zoom",
    "x": "x",
    "y": "y",
    "b": "brightness",
    "k": "contrast",
    "o": "opacity",
    "d": "divider",
    "t": "threshold",
    "c": "channel",
    "l": "layers",
    "m": "model",
    "n": "verdict",
    "s": "style",
    "w": "wipe",
    "v": "show",
}
_DASHES = {"threshold": ".", "layers": ","}
"""Characters represented by a dash: a dot would end the field, and a comma would be escaped."""


@dataclass(frozen=True)
class Stop:
    """One view of a route.

    Attributes:
        query: Query of the view's address, as written by `ui.session.view_state.write_link`; missing
            keys take the page's defaults. ``ask`` is ``1`` if masks and verdict follow on a second
            key press. ``show`` is one of `SHOWS`. ``slide``, alone, is one of `SLIDES`.
        caption: The presenter's caption, plain text.
    """

    query: Mapping[str, str]
    caption: str = ""

    @property
    def patient(self) -> str | None:
        """Folder name of the patient; None for a slide."""
        return self.query.get("patient")

    @property
    def slide(self) -> str | None:
        """One of `SLIDES`; None for a view of a patient."""
        return self.query.get("slide")

    @property
    def shows(self) -> str | None:
        """One of `SHOWS`; None for a slice."""
        return self.query.get("show")

    @property
    def asks(self) -> bool:
        """Whether masks and verdict follow on a second key press."""
        return self.query.get("ask") == "1"


@dataclass(frozen=True)
class Step:
    """The view after one key press.

    Attributes:
        stop: Number of the stop, from 1.
        hidden: Whether masks and verdict are hidden: the stop asks, and the next step answers.
    """

    stop: int
    hidden: bool = False


def steps_of(stops: Sequence[Stop]) -> list[Step]:
    """Return the steps of a route, in order; a stop that asks has two."""
    return [
        Step(number, hidden)
        for number, stop in enumerate(stops, start=1)
        for hidden in ((True, False) if stop.asks else (False,))
    ]


def stop_of(query: Mapping[str, str], usual: Mapping[str, str], caption: str = "") -> Stop:
    """Make a stop from the query of a view, without ``usual`` values and keys unrelated to views."""
    known = ("patient", "slice", *_LETTERS.values())
    kept = {key: query[key] for key in known if key in query and query[key] != usual.get(key)}
    return Stop(kept, shorten(caption))


def shorten(caption: str) -> str:
    """Return a caption as one line of at most `MOST_CHARACTERS`."""
    return " ".join(caption.split())[:MOST_CHARACTERS]


def format_route(stops: Sequence[Stop], patients: Collection[str]) -> str:
    """Return a route as text for `parse_route`.

    Args:
        stops: At least one stop.
        patients: Available folder names: a patient is abbreviated if that is unambiguous.
    """
    return "~".join(_format(stop, patients) for stop in stops)


def parse_route(
    text: str, patients: Collection[str], models: Collection[str]
) -> tuple[tuple[Stop, ...], list[str]]:
    """Read a route; a stop that this site cannot show is left out and reported in a sentence.

    Args:
        text: Route from an address, so untrusted.
        patients: Available folder names.
        models: Available segmenters.

    Returns:
        The stops, possibly none, and one sentence for each invalid part.
    """
    stops: list[Stop] = []
    problems: list[str] = []
    parts = [part for part in text.split("~") if part]
    for number, part in enumerate(parts[:MOST_STOPS], start=1):
        stop, sentences = _parse(part, patients, models)
        problems += [f"Stop {number} of the route: {sentence}" for sentence in sentences]
        if stop:
            stops.append(stop)
    if len(parts) > MOST_STOPS:
        problems.append(f"A route has at most {MOST_STOPS} stops; the others are left out.")
    return tuple(stops), problems


def moved(stops: Sequence[Stop], index: int, step: int) -> tuple[Stop, ...]:
    """Return the route with one stop moved by ``step`` places, at most to the ends."""
    order = list(stops)
    target = max(0, min(len(order) - 1, index + step))
    order.insert(target, order.pop(index))
    return tuple(order)


def _format(stop: Stop, patients: Collection[str]) -> str:
    caption = f"..{_escape(stop.caption, '~')}" if stop.caption else ""
    if stop.slide:
        return stop.slide + caption
    short = stop.patient[:PATIENT_KEY]
    alone = sum(name.startswith(short) for name in patients) == 1
    fields = [_escape(short if alone else stop.patient, ".~"), stop.query.get("slice", "")]
    for letter, key in _LETTERS.items():
        if key in stop.query:
            value = stop.query[key].replace(_DASHES.get(key, "-"), "-")
            fields.append(letter + _escape(value, ".~"))
    return ".".join(fields).rstrip(".") + caption


def _parse(
    text: str, patients: Collection[str], models: Collection[str]
) -> tuple[Stop | None, list[str]]:
    view, _, caption = text.partition("..")
    short, *fields = (unquote(field) for field in view.split("."))
    if short in SLIDES:
        return Stop({"slide": short}, shorten(unquote(caption))), []
    alike = [name for name in patients if name[:PATIENT_KEY] == short]
    named = [short] if short in patients else alike
    if len(named) != 1:
        return None, [f"This site has no patient {quoted(short)}; the stop is left out."]
    query = {"patient": named[0]}
    if fields and fields[0]:
        query["slice"] = fields[0]
    problems = []
    for field in fields[1:]:
        key = _LETTERS.get(field[:1])
        if key:
            query[key] = field[1:].replace("-", _DASHES.get(key, "-"))
        else:
            problems.append(f"{quoted(field)} is not known here; it is ignored.")
    link, sentences = read_link(query, patients, models)
    if link.number is None:
        query.pop("slice", None)
    if query.get("ask", "1") != "1":
        query.pop("ask")
        problems.append("“q” must be 1 or left out.")
    if query.get("show", "3d") not in SHOWS:
        problems.append(f"A stop cannot show {quoted(query.pop('show'))}; it shows the slice.")
    return Stop(query, shorten(unquote(caption))), problems + sentences


def _escape(text: str, signs: str) -> str:
    for sign in "%" + signs:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text
