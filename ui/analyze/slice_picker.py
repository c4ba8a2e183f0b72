"""Where pages get their slices: a sample, or files of the visitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from btmodels.errors import CohortError
from ui.analyze import sequence_and_orientation, uploader
from ui.analyze.upload_batch import Batch, Overrides
from ui.session import analysis, samples
from ui.session.cache import upload_key
from ui.session.samples import Sample
from ui.session.stack import Stack
from ui.session.view_state import Link, View, read_link
from ui.shared import badges

SAMPLES, FILES = "Samples", "Your files"

ANALYZE = "analyze"
SOURCE, CHOSEN = "analyze.source", upload_key("analyze.masks")
"""Session keys: a widget, and masks chosen by hand."""

PATIENT, MODEL, LINK, WRITTEN = "patient", "model", "link", "written"
"""Session keys behind a page's name: two widgets, the last link read and the last one written."""

FEW_PROBLEMS = 3
"""More than so many are folded away, so that they leave room for the slices."""


@dataclass(frozen=True, eq=False)
class Choice:
    """What is to be analyzed: the stack, the view to start with, the segmenter, and whether a link
    can lead back to it."""

    stack: Stack
    start: View
    model: str | None
    linkable: bool


def choose() -> Choice | None:
    """Draw the choice of slices on Analyze; None where there is nothing to analyze yet."""
    library = samples.library()
    link = Link()
    if st.query_params.get("source") == "files":
        st.session_state[SOURCE] = FILES
    else:
        link = read(ANALYZE, library.samples)
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
    return from_samples(ANALYZE, link, library.samples, library.problems)


def write(query: dict[str, str], page: str = ANALYZE) -> None:
    """Bring the address in step with what is on screen."""
    st.session_state[f"{page}.{WRITTEN}"] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def read(page: str, patients: Mapping[str, Sample]) -> Link:
    """Read the address of a page, unless the page itself wrote it; then, what was read last.

    Args:
        page: Name of the page, which is the prefix of its session keys.
        patients: Those that a link may name.
    """
    query = st.query_params.to_dict()
    if query and query != st.session_state.get(f"{page}.{WRITTEN}"):
        link, problems = read_link(query, patients, analysis.segmenters())
        st.session_state[f"{page}.{LINK}"] = link, problems
        if link.patient:
            st.session_state[f"{page}.{PATIENT}"] = link.patient
    return st.session_state.get(f"{page}.{LINK}", (Link(), []))[0]


def from_samples(
    page: str, link: Link, patients: Mapping[str, Sample], problems: Sequence[str]
) -> Choice | None:
    """Draw the choice of a patient and a segmenter; None where no slice of the patient can be read.

    Args:
        page: As for `read`.
        link: That the page was opened with.
        patients: To choose from.
        problems: Of the data folders, one sentence each.
    """
    for problem in (*problems, *st.session_state.get(f"{page}.{LINK}", (None, []))[1]):
        st.warning(problem, icon=":material/link_off:")
    if not patients:
        st.info("There are no samples in this copy of the project. Choose your own files instead.")
        return None
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        folder = st.selectbox(
            "Patient",
            list(patients),
            format_func=lambda name: patients[name].title,
            key=f"{page}.{PATIENT}",
            persist_state="session",
        )
    with right:
        model = _model(page, link)
    sample = patients[folder]
    try:
        stack = samples.stack_of(sample, folder)
    except CohortError as error:
        st.error(str(error))
        return None
    _tell(f"the folder {folder}", stack.problems)
    index = None
    if link.patient in (folder, None) and link.number is not None:
        index = stack.index_of(link.number)
        if index is None:
            st.warning(f"{folder} has no slice {link.number}; another one is shown instead.")
    linked = link if link.patient in (folder, None) else Link()
    return _choice(
        stack, stack.largest_lesion_slice() if index is None else index, linked, model, True
    )


def _tell(what: str, problems: Sequence[str], show=st.warning) -> None:
    if len(problems) <= FEW_PROBLEMS:
        for problem in problems:
            show(problem, icon=":material/warning:")
        return
    label = f"{len(problems)} things are wrong with {what}"
    with st.expander(label, icon=":material/warning:"):
        st.markdown("\n".join(f"- {problem}" for problem in problems))


def _from_files() -> Choice | None:
    chosen = st.session_state.setdefault(CHOSEN, {})
    by_hand = (
        st.session_state.get(key, {})
        for key in (sequence_and_orientation.SEQUENCES, sequence_and_orientation.TURNS)
    )
    batch = uploader.uploaded(Overrides(chosen, *by_hand))
    if batch.names or batch.scans or batch.errors:
        st.button(
            "Forget my files", on_click=uploader.forget, icon=":material/delete:", type="tertiary"
        )
    _tell("your files", batch.errors, st.error)
    for note in batch.notes:
        st.info(note, icon=":material/info:")
    if batch.stack is None:
        _sample_to_try()
        return None
    _pair_by_hand(batch, chosen)
    sequence_and_orientation.draw(batch)
    index = batch.stack.largest_lesion_slice() if batch.stack.slices[0].place else 0
    return _choice(batch.stack, index, Link(), _model(ANALYZE, Link()), False)


def _choice(stack: Stack, index: int, link: Link, model: str | None, linkable: bool) -> Choice:
    stored = analysis.stored_threshold(model)
    return Choice(stack, link.view(index, 0.5 if stored is None else stored), model, linkable)


def _model(page: str, link: Link) -> str | None:
    names = analysis.segmenters()
    if len(names) < 2:
        return names[0] if names else None
    index = names.index(link.model) if link.model in names else 0
    return st.selectbox("Segmenter", names, index=index, key=f"{page}.{MODEL}")


def _pair_by_hand(batch: Batch, chosen: dict[str, str]) -> None:
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


def _sample_to_try() -> None:
    sample = next((s for s in samples.library().samples.values() if s.bundled), None)
    if sample is None:
        return
    stack = samples.stack_of(sample, sample.patient.folder)
    each = stack.slices[stack.largest_lesion_slice()]
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
