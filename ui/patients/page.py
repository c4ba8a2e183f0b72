"""The Patients page: choose a patient of a cohort, and see all slices and their totals."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from btmodels import registry
from ui.analyze import slice_picker
from ui.analyze.slice_picker import SliceChoice
from ui.patients import download, figures
from ui.patients.scores import Tally, tally
from ui.patients.table import false_alarms, recorded_dice, table
from ui.session import analysis, samples
from ui.session.stack import Analyzed
from ui.session.view_state import View, write_link
from ui.shared import badges
from ui.shared.text import score_words
from ui.viewer import gallery

PAGE = "patients"
SLICES, SPACE, RECORD = "All slices", "In space and in figures", "The record"
SECTION = "patients.section"
"""Session key of the part shown below the viewer."""

ROUNDING = 0.005
"""Largest difference in Dice between machines for the same weights and slices."""

RANK = {"test": 0, "reference": 0, "synthetic": 1, "validation": 2, "train": 3}
"""Order of patients by provenance; those with evidence come first."""


def choose(text: Mapping[str, str], bar: DeltaGenerator) -> SliceChoice | None:
    """Draw the cohort and the choice of a patient; return None if no slice of the patient can be read.

    Args:
        text: Text of the page, by heading.
        bar: Container of the control bar at the top.
    """
    library = samples.library()
    cohort = dict(sorted(library.samples.items(), key=lambda item: RANK.get(item[1].provenance, 4)))
    cohort |= library.empty
    link = slice_picker.read(PAGE, cohort)
    if cohort:
        st.session_state.setdefault(_key(), next(iter(cohort)))
        # The label names the patient, so that the expander collapses when another one is chosen.
        label = f"Choose from all {len(cohort)} patients (now {st.session_state[_key()]})"
        with st.expander(label, icon=":material/table_rows:"):
            st.markdown(text.get("Sentence", ""))
            table(cohort, _key())
    choice = slice_picker.from_samples(PAGE, link, cohort, library.problems, bar)
    if choice is None:
        slice_picker.write({}, PAGE)
    return choice


def offer(text: Mapping[str, str]) -> None:
    """Offer to download the real patients if there are none."""
    if not samples.library().has_data:
        download.offer(text)


def beside(choice: SliceChoice, analyzed: Analyzed, view: View) -> None:
    """Draw the patient's totals, and update the address to match the viewer."""
    stack = analyzed.stack
    counted = tally(analyzed, view.threshold)
    st.subheader(stack.id, anchor=False)
    provenance = stack.provenance[view.slice]
    with st.container(horizontal=True, vertical_alignment="center"):
        badges.draw(provenance)
        st.markdown(f"{len(stack.slices)} slices")
    _progress(analyzed, counted)
    _score(analyzed, counted, provenance, view)
    number = stack.slices[view.slice].number
    query = write_link(stack.id, number, choice.model, view)
    slice_picker.write(query, PAGE)
    st.page_link(
        "pages/analyze.py",
        label="Open this slice in Analyze",
        icon=":material/biotech:",
        query_params=query,
    )


def under(
    analyzed: Analyzed, view: View, start: View, text: Mapping[str, str], own: bool = False
) -> None:
    """Draw all slices, the tumor in 3-D, or the record, as the visitor chooses.

    Args:
        analyzed: The patient.
        view: The viewer's state.
        start: The viewer's initial state.
        text: Text of the page, by heading.
        own: Whether these are the visitor's own files, which have no record.
    """
    # Only the chosen section is computed.
    section = st.segmented_control(
        "View of this patient",
        [SLICES, SPACE] if own else [SLICES, SPACE, RECORD],
        default=SLICES,
        required=True,
        key=f"{SECTION}.own" if own else SECTION,
        label_visibility="collapsed",
    )
    counted = tally(analyzed, view.threshold)
    if section == SLICES:
        st.caption(text.get("All slices", ""))
        gallery.gallery(analyzed, start)
        st.subheader("Area in each slice", anchor=False)
        st.caption(text.get("Area", ""))
        figures.area(analyzed, view, counted)
    elif section == SPACE:
        figures.in_space(analyzed, counted)
    else:
        figures.record(samples.library().samples[analyzed.stack.id], text)


def _key() -> str:
    return f"{PAGE}.{slice_picker.PATIENT}"


def _progress(analyzed: Analyzed, counted: Tally) -> None:
    done = sum(each is not None for each in analyzed.analyses)
    if analyzed.pending:
        words = f"Segmenting the patient: {done} of {len(counted.masks)} slices"
        st.progress(done / len(counted.masks), words)
        if not done:
            st.caption(analyzed.message)
    elif analyzed.message:
        st.warning(analyzed.message, icon=":material/do_not_disturb_on:")


def _score(analyzed: Analyzed, counted: Tally, provenance: str, view: View) -> None:
    if analyzed.pending and not counted.complete:
        st.skeleton(150)
    elif counted.scored:
        _dice(analyzed, counted, view)
        meaning = badges.badge_of(provenance).meaning
        if provenance == "train":
            st.warning(meaning, icon=":material/model_training:")
        else:
            st.caption(meaning)
    left, right = st.columns(2)
    left.metric("Predicted, all slices", _pixels(counted.predicted))
    right.metric("True, all slices", _pixels(counted.true))
    left.caption(_marked(counted.predicted))
    right.caption(_marked(counted.true))


def _dice(analyzed: Analyzed, counted: Tally, view: View) -> None:
    if not any(counted.true):
        st.metric("Dice of this patient", "no tumor", help="Without a tumor there is no overlap.")
        alarms = sum(bool(pixels) for pixels in counted.predicted)
        st.caption(f"The true masks are empty. {false_alarms(alarms).capitalize()}.")
        return
    recorded = None
    if view.threshold == analyzed.threshold:
        if analyzed.model == registry.get(analysis.SEGMENTER).name:
            recorded = recorded_dice().get(analyzed.stack.id)
    # Machines round differently: within `ROUNDING`, show the recorded figure, as the table does.
    same = recorded is not None and counted.dice is not None
    same = same and abs(recorded - counted.dice) < ROUNDING
    dice = recorded if same else counted.dice
    st.metric(
        "Dice of this patient",
        score_words(dice),
        help="Overlap of prediction and truth over all slices together: 1 means identical, 0 none.",
    )
    words = []
    if counted.scored < len(counted.masks):
        words.append(f"Scored on {counted.scored} of {len(counted.masks)} slices with a true mask.")
    if view.threshold != analyzed.threshold:
        words.append(f"At threshold {view.threshold:.2f}, set manually.")
    elif recorded is not None and not same:
        words.append(f"The record of these weights says {recorded:.3f}.")
    if words:
        st.caption(" ".join(words))


def _pixels(values: tuple[int | None, ...]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known):,} px" if known else "–"


def _marked(values: tuple[int | None, ...]) -> str:
    known = [value for value in values if value is not None]
    return f"in {sum(value > 0 for value in known)} of {len(known)} slices" if known else ""
