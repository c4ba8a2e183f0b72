"""Results for one slice: the two networks' answers as two steps, with downloads."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import streamlit as st

from btmodels import registry
from btmodels.export import files
from btmodels.measurement import study
from btmodels.measurement.measure import square_millimeters
from btmodels.measurement.study import percent
from btmodels.slices import FLAIR, Analysis
from btmodels.visualize import overlay
from ui.analyze import history, uncertainty
from ui.analyze.downloads import exports
from ui.analyze.slice_picker import tell
from ui.session import analysis as networks
from ui.session import quality
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared import badges
from ui.shared.text import plain
from ui.viewer.gallery import turn

TABLE_HEIGHT = 300
TABLE = "results.table"
"""Session key of the table of slices."""

NO_ANSWER = "No answer: the networks are not running."

SHOWN = 0.001, 0.999
"""Lowest and highest probability in the table, which cannot say < 0.1% beside its bars."""

SHORT = 7
"""Rows that fill the table; with fewer, that height would leave empty rows."""
IS_THERE, WHERE = "**1 · Is there a tumor?**", "**2 · Where?**"


def answer(analyzed: Analyzed, view: View) -> None:
    """Draw the sentence about the whole study at the threshold in the viewer."""
    admitted = set(analyzed.stack.keys) - set(analyzed.stopped)
    with st.container(key="answer"):
        if admitted and not analyzed.pending and not any(analyzed.analyses):
            found = NO_ANSWER
        else:
            found = study.answer(analyzed.at_threshold(view.threshold).summaries())
        st.title(plain(found), anchor=False)


def results(analyzed: Analyzed, view: View) -> None:
    """Draw the verdict, mask figures, warnings and downloads for the slice in the viewer."""
    each, key = analyzed.stack.slices[view.slice], analyzed.stack.keys[view.slice]
    rejected = key in analyzed.stopped
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(each.label)}**")
        badges.draw(analyzed.stack.provenance[view.slice])
    if rejected:
        quality.draw(analyzed.stack, view.slice)
    if analysis := steps(analyzed, view):
        quality.draw(analyzed.stack, view.slice)
        _downloads(analyzed, view, analysis)
        exports(analyzed, view, analysis)
        history.note(analyzed, view, analysis)
    history.draw(analyzed.stack)


def steps(analyzed: Analyzed, view: View) -> Analysis | None:
    """Draw the verdict, mask figures and warnings for the slice in the viewer.

    Args:
        analyzed: The stack in the viewer.
        view: The viewer's state.

    Returns:
        The analysis drawn, at the viewer's threshold; None if a message explains why there is none yet.
    """
    each = analyzed.stack.slices[view.slice]
    analysis = analyzed.analyses[view.slice]
    if analysis is None:
        stopped = analyzed.stack.keys[view.slice] in analyzed.stopped
        if analyzed.pending and not stopped:
            _wait(analyzed.message)
        elif not stopped:  # otherwise the input check has given the reason above
            st.warning(analyzed.message, icon=":material/do_not_disturb_on:")
        tell("notes on this file", each.notes, st.info, few=1)
        return None
    analysis = networks.at_threshold(analysis, view.threshold)
    with st.container(key="steps"):
        _verdict(analysis)
        _measure(analysis, analyzed.stack.provenance[view.slice])
    for warning in analysis.warnings:
        if warning not in each.notes:
            st.warning(warning, icon=":material/warning:")
    tell("notes on this file", each.notes, st.info, few=1)
    return analysis


def table(analyzed: Analyzed) -> None:
    """Draw one row for each slice of the stack, if there is more than one.

    The table follows the last analysis: drawing it takes a browser longer than the rest of the page, and
    while slices are analyzed it would be drawn again with each of them.
    """
    if len(analyzed.stack.slices) < 2:
        return
    if analyzed.pending:
        st.caption("A table of all slices follows.")
        return
    rows = [
        {
            "Slice": each.label,
            "Tumor": None
            if analysis is None
            else 100 * np.clip(analysis.verdict.probability, *SHOWN),
            "Marked pixels": None if analysis is None else analysis.marked_pixels,
            "Of the slice": None if analysis is None else 100 * analysis.slice_share,
            "Dice": None if analysis is None else analysis.dice,
        }
        for each, analysis in zip(analyzed.stack.slices, analyzed.analyses, strict=True)
    ]
    column = st.column_config
    names = [each.name for each in analyzed.stack.slices]
    st.dataframe(
        rows,
        key=TABLE,
        on_select=lambda: _turn(analyzed.stack.id, len(names)),
        selection_mode="single-row",
        hide_index=True,
        height=TABLE_HEIGHT if len(rows) > SHORT else "content",
        placeholder="–",
        alt="All slices: probability of a tumor, marked pixels, share of the slice, Dice.",
        column_config={
            "Tumor": column.ProgressColumn(
                "Tumor, probability",
                help="Less than 0.1% is shown as 0.1%, more than 99.9% as 99.9%: no network is certain.",
                min_value=0.0,
                max_value=100.0,
                format="%.1f%%",
            ),
            "Of the slice": column.NumberColumn(format="%.2f%%"),
            "Dice": column.NumberColumn(format="%.3f", help="Empty where there is no true mask."),
        },
    )


def _turn(stack_id: str, slices: int) -> None:
    chosen = st.session_state[TABLE]["selection"]["rows"]
    if chosen and chosen[0] < slices:
        turn(stack_id, chosen[0])


def _wait(message: str) -> None:
    # The same elements as in the results, so that none of another slice's results stay on screen.
    with st.container(key="steps"):
        with st.container(border=True, key="verdict", gap="xsmall"):
            st.markdown(IS_THERE)
            st.metric("Calibrated probability", "…")
            st.markdown(f":material/hourglass_top: {message}")
        with st.container(border=True, key="measure", gap="xsmall"):
            st.markdown(WHERE)
            st.metric("Marked", "…")
            for _ in range(4):
                st.empty()


def _verdict(analysis: Analysis) -> None:
    with st.container(border=True, key="verdict", gap="xsmall"):
        st.markdown(IS_THERE)
        verdict, second = analysis.verdict, analysis.second_opinion
        st.metric("Calibrated probability", percent(verdict.probability))
        none = "finds none in this slice" if verdict.neighbors else "finds none"
        answer = "says yes: at or above" if verdict.tumor else f"{none}: below"
        title = registry.get(verdict.network).title
        words = f"{verdict.basis.capitalize()}, the {title} {answer} its threshold of "
        words += f"{100 * verdict.threshold:.1f}%."
        if second:
            agrees = "agrees" if second.tumor == verdict.tumor else "disagrees"
            title = registry.get(second.network).title
            words += f" The {title} {agrees}: {percent(second.probability)}."
        st.markdown(words)


def _measure(analysis: Analysis, provenance: str | None) -> None:
    with st.container(border=True, key="measure", gap="xsmall"):
        st.markdown(WHERE)
        pixels = f"{analysis.marked_pixels:,} px"
        area = square_millimeters(analysis)
        st.metric("Marked", pixels if area is None else f"{area:,.0f} mm²")
        title = registry.get(analysis.model).title
        shares = f"{100 * analysis.slice_share:.2f}% of the slice"
        if analysis.head_share is not None:
            shares += f" and {100 * analysis.head_share:.2f}% of the head"
        marked = f"{pixels}: {shares}" if area is not None else shares
        st.markdown(f"The {title} marks {marked}.")
        if analysis.slice.truth is not None:
            if analysis.dice is None:
                st.markdown(
                    "Neither the truth nor the network marks anything here, so there is no Dice score."
                )
            else:
                st.markdown(f"Dice against the true mask: **{analysis.dice:.3f}**")
            if provenance:
                st.caption(badges.badge_of(provenance).meaning)


def _downloads(analyzed: Analyzed, view: View, analysis: Analysis) -> None:
    name = analysis.slice.name
    window = analyzed.stack.windows[view.slice][FLAIR]
    with st.container(horizontal=True):
        st.download_button(
            "Overlay",
            lambda: overlay.overlay_png(analysis, window),
            f"{files.safe_stem(name)}_overlay.png",
            "image/png",
            icon=":material/image:",
            on_click="ignore",
            help="The slice with the mask drawn on it, as PNG for a slide.",
        )
        st.download_button(
            "Mask",
            lambda: files.mask_tiff(files.own_mask(analysis)),
            files.mask_name(name),
            "image/tiff",
            icon=":material/download:",
            on_click="ignore",
            help="0 and 255 in the slice's own rows and columns, as TIFF.",
        )
        many = len(analyzed.stack.slices) > 1
        st.download_button(
            "Report (PDF)",
            lambda: _report(analyzed, view, analysis),
            f"{files.safe_stem(name)}_report.pdf",
            "application/pdf",
            icon=":material/picture_as_pdf:",
            on_click="ignore",
            disabled=analyzed.pending,
            help=f"{'The whole study, this slice and all marked ones' if many else 'One page'}: pictures, "
            "figures, warnings, networks and file hashes. Nothing is stored on the server.",
        )
    which = "the network's own" if analysis.threshold == analyzed.threshold else "set manually"
    st.caption(f"All masks use threshold {analysis.threshold:.2f}, {which}.")


def _report(analyzed: Analyzed, view: View, analysis: Analysis) -> bytes:
    # Imported on demand: fonts and libraries take a while to load.
    from btmodels.export import pdf_report

    badge = badges.badge_of(analyzed.stack.provenance[view.slice])
    context = pdf_report.ReportContext(
        quality.report(analyzed.stack, view.slice),
        badge.label,
        badge.meaning,
        datetime.now(UTC).date(),
        uncertainty.agreement_sentences(analyzed, view.slice),
    )
    shown = analyzed.at_threshold(view.threshold)
    slices = analyzed.stack.slices
    groups = study.groups_of(slices)
    group = next(place for place, each in enumerate(groups) if view.slice in each)
    own = [shown.analyses[index] for index in groups[group] if shown.analyses[index] is not None]
    return pdf_report.report_pdf(analysis, context, shown.summaries()[group], own)
