"""The slice for a lesson: one of the samples, or the visitor's own."""

from __future__ import annotations

import streamlit as st

from btmodels.errors import CohortError
from ui.analyze import uploader
from ui.lessons.lesson import Lesson
from ui.session import analysis, samples
from ui.session.stack import Analyzed, Stack
from ui.shared import badges
from ui.shared.deferred import later

OWN = "your own slice"
"""An option of the choice; no patient's folder has this name."""


def choose(
    lesson: Lesson,
    usual: str | None = None,
    parameter: str = "patient",
    model: str | None = None,
) -> Stack | None:
    """Draw the choice of a slice; each patient is represented by the slice with the largest lesion.

    Visitors who have opened their own slice on Analyze may choose it; then the address
    names no patient, since a link never carries an upload.

    Args:
        lesson: The lesson being drawn.
        usual: Folder of the initial patient if there is no real patient unseen by the networks; by
            default the first patient.
        parameter: Query parameter; each choice in a lesson needs its own.
        model: Segmenter of which the initial real patient is the median one, the better one of two; None
            begins with the patient of Overview.

    Returns:
        A stack of a single slice; None if there is nothing to show, with a message on the page.
    """
    there = samples.library()
    library = there.samples
    own = st.session_state.get(uploader.OWN)
    options = [*([OWN] if own else []), *library]
    if not options:
        st.info("There are no samples in this copy of the project; restore assets/samples.")
        return None
    featured, chosen_as = there.featured(model, upper=True) if model else there.featured()
    if featured and chosen_as != "bundled":  # a real patient unseen by the networks
        first = featured.patient.folder
    else:
        first = usual if usual in library else next(iter(library), OWN)
    key = lesson.key(parameter)
    asked = lesson.choice(parameter, list(library), first)
    if st.session_state.get(key) not in options:
        st.session_state[key] = asked
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        chosen = st.selectbox(
            "Slice of",
            options,
            format_func=lambda name: "Your own slice" if name == OWN else library[name].title,
            key=key,
            help="Choose your own files on Analyze first, and they are offered here, too. They "
            "stay in your session: a link does not carry them.",
        )
        if own and chosen != OWN:
            st.button(
                "Use your own slice",
                icon=":material/upload_file:",
                key=f"{key}.own",
                on_click=_take_own,
                args=(key,),
            )
    lesson.write(**{parameter: None if chosen in (OWN, first) else chosen})
    try:
        stack = own if chosen == OWN else samples.stack_of(library[chosen], chosen)
    except CohortError as error:
        st.error(str(error))
        return None
    with right:
        badges.draw(stack.provenance[0])
    return one_of(stack, stack.largest_lesion_slice())


def _take_own(key: str) -> None:
    st.session_state[key] = OWN


def one_of(stack: Stack, index: int) -> Stack:
    """Return a stack of one slice, with the same cache key."""
    return Stack(
        f"{stack.id}-{index}",
        (stack.slices[index],),
        (stack.keys[index],),
        (stack.provenance[index],),
        stack.shared,
    )


def analyze(stack: Stack, model: str | None = None) -> Analyzed:
    """Return the networks' results for a stack. If they take a while, the page is drawn without them and
    drawn again with those of the first slice.

    Args:
        stack: A stack of one or more slices.
        model: Segmenter; None is the site's own.
    """
    analysis.run_promptly(stack, 0, model)
    analyzed = analysis.cached(stack, model)
    if analyzed.pending:
        later(lambda: analysis.run_next(stack, 0, model))
    return analyzed
