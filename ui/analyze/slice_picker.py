"""Choose a page's slices: a sample or the visitor's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from btmodels import registry
from btmodels.errors import CohortError
from btmodels.measurement.verdict import TOP_PIXELS
from btmodels.slices import VerdictSource
from btmodels.words import counted
from ui.analyze import drop_zone, sequence_and_orientation, uploader
from ui.analyze.upload_batch import UploadBatch, UploadOverrides
from ui.results.headline import segmenter_decides
from ui.session import analysis, samples
from ui.session.cache import upload_key
from ui.session.samples import Sample
from ui.session.stack import Stack
from ui.session.view_state import SOURCES, Link, View, read_link

SAMPLES, FILES = "Samples", "Your files"

ANALYZE = "analyze"
SOURCE, CHOSEN, LAST_SOURCE = "analyze.source", upload_key("analyze.masks"), "analyze.last_source"
"""Session keys: a widget, manually chosen masks, and the widget's last value, for a return to the page."""

PATIENT, MODEL, VERDICT, LINK, WRITTEN = "patient", "model", "verdict", "link", "written"
"""Session keys, prefixed with a page's name: three widgets, the last link read and the last one written."""

FEW_PROBLEMS = 3
"""Most problems shown directly; more are collapsed to leave room for the slices."""


@dataclass(frozen=True, eq=False)
class SliceChoice:
    """The slices to analyze.

    Attributes:
        stack: The slices.
        start: The initial view.
        model: Segmenter.
        verdict: Who gives the verdict.
        linkable: Whether a link can lead back to the slices.
        follow: Whether the view follows the largest mask, because no slice was requested.
    """

    stack: Stack
    start: View
    model: str | None
    verdict: VerdictSource
    linkable: bool
    follow: bool


def choose(bar: DeltaGenerator) -> SliceChoice | None:
    """Draw the choice of slices on Analyze; return None if there is nothing to analyze yet.

    Args:
        bar: Container of the control bar at the top.
    """
    library = samples.library()
    link = Link()
    query = st.query_params.to_dict()
    if query.get("source") == "files":
        # An address written by this page requests nothing, unless the visitor returns to it.
        written = query == st.session_state.get(f"{ANALYZE}.{WRITTEN}")
        if not written or SOURCE not in st.session_state:
            st.session_state[SOURCE] = FILES
    elif query:
        link = read(ANALYZE, library.samples)
    elif SOURCE not in st.session_state and uploader.stack():
        st.session_state[SOURCE] = st.session_state.get(
            LAST_SOURCE, SAMPLES
        )  # back from another page
    st.session_state.setdefault(SOURCE, SAMPLES)
    source = bar.segmented_control(
        "Slices from",
        [SAMPLES, FILES],
        required=True,
        key=SOURCE,
        label_visibility="collapsed",
    )
    st.session_state[LAST_SOURCE] = source
    if source == FILES:
        return _from_files(bar)
    return from_samples(ANALYZE, link, library.samples, library.problems, bar)


def files_query(view: View) -> dict[str, str]:
    """Return the query of the visitor's own files; it gives their number, never their names."""
    count = uploader.count()
    query = {"source": "files"} | ({"files": str(count)} if count else {})
    return query | ({"planes": "1"} if view.planes else {})


def write(query: dict[str, str], page: str = ANALYZE) -> None:
    """Update the address to match the screen."""
    st.session_state[f"{page}.{WRITTEN}"] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def read(page: str, patients: Mapping[str, Sample]) -> Link:
    """Read the address of a page; if the page itself wrote it, return the last link read.

    Args:
        page: Name of the page, the prefix of its session keys.
        patients: Patients that a link may name.
    """
    query = st.query_params.to_dict()
    if query and query != st.session_state.get(f"{page}.{WRITTEN}"):
        link, problems = read_link(query, patients, analysis.segmenters())
        st.session_state[f"{page}.{LINK}"] = link, problems
        named = {PATIENT: link.patient, MODEL: link.model, VERDICT: link.verdict}
        if link.patient and not link.verdict:
            named[VERDICT] = SOURCES[0]  # a link leaves it out
        for key, value in named.items():
            if value:
                st.session_state[f"{page}.{key}"] = value
    return st.session_state.get(f"{page}.{LINK}", (Link(), []))[0]


def from_samples(
    page: str,
    link: Link,
    patients: Mapping[str, Sample],
    problems: Sequence[str],
    bar: DeltaGenerator | None = None,
) -> SliceChoice | None:
    """Draw the choice of a patient and a segmenter; return None if no slice of the patient can be read.

    Args:
        page: As for `read`.
        link: The link that opened the page.
        patients: Patients to choose from.
        problems: Problems of the data folders, one sentence each.
        bar: Container of the control bar; None makes a new one.
    """
    bar = bar or st.container(horizontal=True, vertical_alignment="center")
    for problem in (*problems, *st.session_state.get(f"{page}.{LINK}", (None, []))[1]):
        st.warning(problem, icon=":material/link_off:")
    if not patients:
        st.info("There are no samples in this copy of the project. Choose your own files instead.")
        return None
    with bar:
        folder = st.selectbox(
            "Patient",
            list(patients),
            format_func=lambda name: patients[name].title,
            key=f"{page}.{PATIENT}",
            persist_state="session",
            label_visibility="collapsed",
        )
        networks = _networks(page)
    sample = patients[folder]
    try:
        stack = samples.stack_of(sample, folder)
    except CohortError as error:
        st.error(str(error))
        return None
    tell(f"problems with the folder {folder}", stack.problems)
    index = None
    if link.patient in (folder, None) and link.number is not None:
        index = stack.index_of(link.number)
        if index is None:
            st.warning(f"{folder} has no slice {link.number}; another one is shown instead.")
    linked = link if link.patient in (folder, None) else Link()
    start = stack.largest_lesion_slice() if index is None else index
    return _choice(stack, start, linked, networks, True, index is None)


def tell(what: str, problems: Sequence[str], show=st.warning, few: int = FEW_PROBLEMS) -> None:
    """Show sentences one by one, more than ``few`` of them as a collapsed list of ``what``."""
    icon = ":material/info:" if show is st.info else ":material/warning:"
    if len(problems) <= few:
        for problem in problems:
            show(problem, icon=icon)
        return
    with st.expander(f"{len(problems)} {what}", icon=icon):
        st.markdown("\n".join(f"- {problem}" for problem in problems))


def _tell_in_a_line(problems: Sequence[str], notes: Sequence[str]) -> None:
    """Draw what reading files said as one line that unfolds, so that the answer stays in view."""
    if not problems and not notes:
        return
    counts = ((len(problems), "problem"), (len(notes), "note"))
    many = ", ".join(counted(number, noun) for number, noun in counts if number)
    first = (*problems, *notes)[0]
    icon = ":material/warning:" if problems else ":material/info:"
    with st.container(key="remarks"), st.expander(f"**{many}:** {first}", icon=icon):
        for problem in problems:
            st.error(problem, icon=":material/warning:")
        for note in notes:
            st.info(note, icon=":material/info:")


def _from_files(bar: DeltaGenerator) -> SliceChoice | None:
    chosen = st.session_state.setdefault(CHOSEN, {})
    by_hand = (
        st.session_state.get(key, {})
        for key in (sequence_and_orientation.SEQUENCES, sequence_and_orientation.TURNS)
    )
    overrides = UploadOverrides(chosen, *by_hand)
    with bar:  # whose line has room for the spinner, so that nothing moves
        batch = uploader.read(overrides)
    if not uploader.count() and st.query_params.to_dict() == st.session_state.get(
        f"{ANALYZE}.{WRITTEN}"
    ):
        write({"source": "files"})  # removed by the visitor, so not missing after a reload
    if batch.stack is None:
        drop_zone.draw()
        tell("problems with your files", batch.errors, st.error)
        _tell_in_a_line((), batch.notes)
        if batch.errors:
            st.button("Forget my files", on_click=uploader.forget, icon=":material/delete:")
        drop_zone.draw_samples()
        return None
    many = counted(len(batch.stack.slices), "slice")
    # With another key the popover closes: it would cover the answer to the files just added.
    key = f"{ANALYZE}.files.{uploader.times_added()}"
    with bar.popover(f"Your files: {many}", icon=":material/folder_open:", key=key):
        uploader.draw()
        _pair_by_hand(batch, chosen)
        sequence_and_orientation.draw(batch)
        st.button("Forget my files", on_click=uploader.forget, icon=":material/delete:")
    _tell_in_a_line(batch.errors, batch.notes)
    if sequence_and_orientation.ask(batch):
        return None
    with bar:
        networks = _networks(ANALYZE)
    link = Link(display={"planes": 1} if st.query_params.get("planes") == "1" else {})
    return _choice(batch.stack, batch.stack.largest_lesion_slice(), link, networks, False, True)


def _choice(
    stack: Stack,
    index: int,
    link: Link,
    networks: tuple[str | None, VerdictSource],
    linkable: bool,
    follow: bool,
) -> SliceChoice:
    stored = analysis.stored_threshold(networks[0])
    start = link.view(index, 0.5 if stored is None else stored)
    return SliceChoice(stack, start, *networks, linkable, follow)


def _networks(page: str) -> tuple[str | None, VerdictSource]:
    """Draw the choice of a segmenter and, on Analyze, of who gives the verdict."""
    names = analysis.segmenters()
    if not names:
        return None, SOURCES[0]
    if page != ANALYZE:
        return _segmenter(page, names, "collapsed"), SOURCES[0]
    model = st.session_state.get(f"{page}.{MODEL}", names[0])
    source = st.session_state.get(f"{page}.{VERDICT}", SOURCES[0])
    with st.popover(_title(model, source), icon=":material/tune:"):
        model = _segmenter(page, names, "visible")
        return model, _verdict_source(page, model)


def _segmenter(page: str, names: list[str], label: str) -> str:
    key = f"{page}.{MODEL}"
    if st.session_state.get(key, names[0]) not in names:
        del st.session_state[key]
    return st.selectbox(
        "Segmenter",
        names,
        key=key,
        format_func=lambda name: registry.get(name).title,
        persist_state="session",
        label_visibility=label,
        width=230,
    )


def _verdict_source(page: str, model: str) -> VerdictSource:
    classifier = registry.get(analysis.CLASSIFIER).title
    segmenter = registry.get(model).title
    if not segmenter_decides(model):
        st.caption(f"With the {segmenter}, the {classifier} says whether there is a tumor.")
        return SOURCES[0]
    titles = dict(zip(SOURCES, (segmenter, classifier), strict=True))
    looks_at = (f"Its {TOP_PIXELS} most confident pixels.", "The whole slice.")
    return st.radio(
        "Who says whether there is a tumor?",
        SOURCES,
        key=f"{page}.{VERDICT}",
        format_func=titles.get,
        captions=looks_at,
        persist_state="session",
    )


def _title(model: str, source: VerdictSource) -> str:
    title = registry.get(model).title
    if source == SOURCES[0] or not segmenter_decides(model):
        return title
    return f"{title} + {registry.get(analysis.CLASSIFIER).title}"


def _pair_by_hand(batch: UploadBatch, chosen: dict[str, str]) -> None:
    without = [
        each.name
        for each in batch.stack.slices
        if each.position is None and (each.truth is None or each.name in chosen)
    ]
    if len(batch.names) < 2 or not without:
        return
    with st.expander("Match masks to slices", icon=":material/join_inner:"):
        left, right = st.columns(2)
        name = left.selectbox("Slice", without, key="analyze.pair.slice")
        others = [other for other in batch.names if other != name]
        mask = right.selectbox(
            "Its mask",
            others,
            index=others.index(chosen[name]) if chosen.get(name) in others else None,
            placeholder="None",
            key=f"analyze.pair.mask.{name}",
        )
        if mask != chosen.get(name):
            chosen.pop(name, None)
            if mask:
                chosen[name] = mask
            st.rerun()
