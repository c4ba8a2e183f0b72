"""Uncertainty of one slice: agreement of views and networks, and two networks side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from btmodels import registry
from btmodels.errors import BrainTumorError
from btmodels.inference import engine, uncertainty
from btmodels.inference.uncertainty import Predictions, TimedPrediction
from btmodels.metrics import overlap
from btmodels.slices import Analysis
from btmodels.transforms.proportions import in_proportion
from btmodels.visualize import overlay
from btmodels.words import counted
from ui.session import analysis as networks
from ui.session import gradcam
from ui.session.cache import SessionCache
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared.content import sections

_answers: SessionCache[Any] = SessionCache("uncertainty.answers", 60)
"""Results by question, slice, network and hash of the weights."""

_sentences: SessionCache[str] = SessionCache("uncertainty.sentences", 60)
"""Last sentence on agreement, for the report, by (key of the slice, segmenter)."""


def draw(analyzed: Analyzed, view: View) -> None:
    """Draw both comparisons below the viewer; each is computed on demand."""
    analysis = analyzed.analyses[view.slice]
    if analysis is None:
        return
    analysis = networks.at_threshold(analysis, view.threshold)
    key = analyzed.stack.keys[view.slice]
    text = sections("cards/trust.md")
    st.subheader("How far to trust this slice", anchor=False)
    if view.gradcam:
        st.caption(text.get("Grad-CAM", ""))
        if why := gradcam.failure(analyzed.stack, view.slice):
            st.warning(why, icon=":material/do_not_disturb_on:")
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.markdown("**Do they agree?**")
        st.markdown(text.get("Agreement", ""))
        _agreement(analysis, key)
    with right, st.container(border=True):
        st.markdown("**Two networks side by side**")
        st.markdown(text.get("Side by side", ""))
        _side_by_side(analysis, key)


def agreement_sentences(analyzed: Analyzed, index: int) -> tuple[str, ...]:
    """Return the sentence on agreement for a slice, if this visitor has requested it."""
    found = _sentences.get((analyzed.stack.keys[index], analyzed.model))
    return (found,) if found else ()


def _agreement(analysis: Analysis, key: str) -> None:
    names = networks.segmenters()
    if not st.toggle("Check with the mirror image and all networks", key="uncertainty.agreement"):
        return
    try:
        with st.spinner("Running each network in turn…"):
            views = _once(("flips", key, analysis.model), uncertainty.mirrored_views, analysis)
            found = {name: _timed(name, analysis, key) for name in names}
    except BrainTumorError as error:
        st.warning(str(error), icon=":material/do_not_disturb_on:")
        return
    records = [registry.load_record(name) for name in names]
    probability_maps = np.stack([each.prediction.probability_map for each in found.values()])
    every = uncertainty.apply_thresholds(
        [registry.get(n).title for n in names], probability_maps, records
    )
    which = st.segmented_control(
        "Map",
        ["All networks", "Mirror image"],
        default="All networks",
        required=True,
        key="uncertainty.map",
        label_visibility="collapsed",
    )
    chosen = every if which == "All networks" else views
    picture = uncertainty.votes_png(_image(analysis), chosen.votes, len(chosen.names))
    st.image(picture, width="stretch", alt=f"{which}: how many mark each pixel, over FLAIR.")
    st.caption("Orange: all of them mark it. Violet: only some do; the deeper the color, the more.")
    words = _agreed(chosen, which)
    _sentences.put((key, analysis.model), words.replace("**", ""))
    st.markdown(words)


def _agreed(answers: Predictions, which: str) -> str:
    count = len(answers.names)
    if which == "All networks":
        those = f"The {count} networks ({', '.join(answers.names)})"
    else:
        those = "The slice and its mirror image"
    if answers.agreed is None:
        return f"{those} agree: nothing is marked."
    disputed = int((answers.votes > 0).sum() - (answers.votes == count).sum())
    are = "is" if disputed == 1 else "are"
    spread = float(answers.spread[answers.votes > 0].mean())
    return (
        f"{those} all mark **{100 * answers.agreed:.0f}%** of the pixels that any of them marks; "
        f"{counted(disputed, 'pixel')} {are} in dispute. Where any of them marks tumor, their "
        f"probabilities differ by {100 * spread:.0f} points (standard deviation, on average)."
    )


def _side_by_side(analysis: Analysis, key: str) -> None:
    others = [name for name in networks.segmenters() if name != analysis.model]
    if not others:
        st.info("There is only one segmenter in this copy of the project.")
        return
    second = st.selectbox(
        "Second network",
        others,
        index=None,
        placeholder="Choose one",
        format_func=lambda name: registry.get(name).title,
        key="uncertainty.second",
    )
    if second is None:
        return
    try:
        with st.spinner("Running both networks…"):
            timed = [_timed(name, analysis, key) for name in (analysis.model, second)]
    except BrainTumorError as error:
        st.warning(str(error), icon=":material/do_not_disturb_on:")
        return
    first, other = (
        networks.measured(analysis.slice, each.prediction, name)
        for name, each in zip((analysis.model, second), timed, strict=True)
    )
    for column, drawn, each in zip(st.columns(2), (first, other), timed, strict=True):
        with column:
            _one(drawn, each)
    score = overlap.dice(overlap.count(other.mask, first.mask))
    st.markdown(
        "Neither marks anything." if score is None else f"Dice between the two: **{score:.3f}**"
    )


def _one(analysis: Analysis, timed: TimedPrediction) -> None:
    title = registry.get(analysis.model).title
    st.image(
        overlay.overlay_png(analysis), width="stretch", alt=f"What the {title} marks, over FLAIR."
    )
    score = "" if analysis.dice is None else f" · Dice {analysis.dice:.3f}"
    st.markdown(
        f"**{title}** at its threshold {analysis.threshold:.2f}: {analysis.marked_pixels:,} px{score}"
        f"  \n{timed.milliseconds:,.0f} ms for this slice, {timed.parameters / 1e6:.1f} million "
        "parameters"
    )


def _timed(name: str, analysis: Analysis, key: str) -> TimedPrediction:
    verdict = analysis.prediction.tumor_probability
    return _once(("timed", key, name), uncertainty.timed_prediction, analysis, name, verdict)


def _image(analysis: Analysis) -> np.ndarray:
    return in_proportion(analysis.slice.pixels, analysis.slice.spacing)


def _once(question: tuple, function, analysis: Analysis, *args):
    """Ask the engine, unless this session has the result of exactly these weights."""
    name = question[-1]
    question = (*question, registry.load_record(name).sha256)
    if question not in _answers:
        words = args or (name,)
        _answers.put(question, engine.get_engine().ask(function, _image(analysis), *words))
    return _answers.get(question)
