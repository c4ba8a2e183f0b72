"""Where Analyze gets its slices: a sample, or files of the visitor."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from btmodels.errors import CohortError
from ui import badges, networks, samples, uploads, viewer
from ui.stack import Stack
from ui.state import Link, View, read_link

SAMPLES, FILES = "Samples", "Your files"

SOURCE, PATIENT, CHOSEN = "analyze.source", "analyze.patient", "analyze.masks"
LINK, WRITTEN = "analyze.link", "analyze.written"
"""Session keys: two widgets, masks chosen by hand, the last link read and the last one written."""


@dataclass(frozen=True)
class Choice:
    """What is to be analyzed: the stack, the view to start with, the segmenter, and whether a link
    can lead back to it."""

    stack: Stack
    start: View
    model: str | None
    linkable: bool


def choose() -> Choice | None:
    """Draw the choice of slices; None where there is nothing to analyze yet."""
    link = _link()
    st.session_state.setdefault(SOURCE, SAMPLES)
    source = st.segmented_control(
        "Slices from",
        [SAMPLES, FILES],
        required=True,
        key=SOURCE,
        label_visibility="collapsed",
    )
    if source == FILES:
        return _from_files()
    return _from_samples(link)


def write(query: dict[str, str]) -> None:
    """Bring the address in step with what is on screen."""
    st.session_state[WRITTEN] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def _link() -> Link:
    # The page itself writes the address; only one that it did not write is read.
    query = st.query_params.to_dict()
    if query.get("source") == "files":
        st.session_state[SOURCE] = FILES
        return Link()
    if query and query != st.session_state.get(WRITTEN):
        patients = samples.library().samples
        link, problems = read_link(query, patients, networks.segmenters())
        st.session_state[LINK] = link, problems
        if link.patient:
            st.session_state[PATIENT] = link.patient
    return st.session_state.get(LINK, (Link(), []))[0]


def _from_samples(link: Link) -> Choice | None:
    library = samples.library()
    for problem in (*library.problems, *st.session_state.get(LINK, (None, []))[1]):
        st.warning(problem, icon=":material/link_off:")
    if not library.samples:
        st.info("There are no samples in this copy of the project. Choose your own files instead.")
        return None
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        folder = st.selectbox(
            "Patient",
            list(library.samples),
            format_func=lambda name: library.samples[name].title,
            key=PATIENT,
            persist_state="session",
        )
    with right:
        model = _model(link)
    sample = library.samples[folder]
    try:
        stack = samples.stack_of(sample, folder)
    except CohortError as error:
        st.error(str(error))
        return None
    for problem in stack.problems:
        st.warning(problem, icon=":material/warning:")
    index = None
    if link.patient in (folder, None) and link.number is not None:
        index = stack.index_of(link.number)
        if index is None:
            st.warning(f"{folder} has no slice {link.number}; another one is shown instead.")
    linked = link if link.patient in (folder, None) else Link()
    return _choice(stack, stack.most_telling() if index is None else index, linked, model, True)


def _from_files() -> Choice | None:
    chosen = st.session_state.setdefault(CHOSEN, {})
    batch = uploads.uploaded(chosen)
    if batch.names:
        st.button("Forget my files", on_click=_forget, icon=":material/delete:", type="tertiary")
    for error in batch.errors:
        st.error(error, icon=":material/error:")
    if batch.stack is None:
        _sample_to_try()
        return None
    _pair_by_hand(batch, chosen)
    return _choice(batch.stack, 0, Link(), _model(Link()), False)


def _choice(stack: Stack, index: int, link: Link, model: str | None, linkable: bool) -> Choice:
    stored = networks.stored_threshold(model)
    return Choice(stack, link.view(index, 0.5 if stored is None else stored), model, linkable)


def _model(link: Link) -> str | None:
    names = networks.segmenters()
    if len(names) < 2:
        return names[0] if names else None
    index = names.index(link.model) if link.model in names else 0
    return st.selectbox("Segmenter", names, index=index, key="analyze.model")


def _pair_by_hand(batch: uploads.Batch, chosen: dict[str, str]) -> None:
    without = [
        each.name for each in batch.stack.slices if each.truth is None or each.name in chosen
    ]
    if len(batch.names) < 2 or not without:
        return
    with st.expander("Say which file is the mask of which slice", icon=":material/join_inner:"):
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


def _forget() -> None:
    uploads.forget()
    st.session_state.pop(CHOSEN, None)
    for key in (networks.KEPT, viewer.PACKED):
        st.session_state.pop(key, None)


def _sample_to_try() -> None:
    sample = next((s for s in samples.library().samples.values() if s.bundled), None)
    if sample is None:
        return
    stack = samples.stack_of(sample, sample.patient.folder)
    each = stack.slices[stack.most_telling()]
    file = next((f for f in sample.patient.files if f.number == each.number), None)
    if file is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("No slice at hand?")
        for label, path in (("Download a sample to try", file.image), ("Its mask", file.mask)):
            if path:
                st.download_button(
                    label, path.read_bytes(), path.name, "image/tiff", on_click="ignore"
                )
        badges.draw(sample.provenance)
