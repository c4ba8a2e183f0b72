"""The Scoreboard's frame: the scores in two sentences, then one tab per topic."""

from __future__ import annotations

import streamlit as st

from btmodels import registry
from ui.results import headline, published, scores
from ui.results.scores import Network
from ui.scoreboard import (
    classifier,
    experiments,
    patients,
    provenance,
    publications,
    segmenter,
    strip_plot,
    verdict,
)
from ui.scoreboard.choice import MODEL, PROBLEMS, SUBSET, choose, forget_problems
from ui.scoreboard.comparison import chart
from ui.shared.content import sections

TAB, WRITTEN = "scoreboard.tab", "scoreboard.written"
"""Session keys: the open tab, and the address last written."""

TABS = {
    "where": "Where",
    "detection": "Is there one?",
    "patients": "Patients and worst cases",
    "published": "Published",
    "experiments": "Experiments",
    "provenance": "Provenance",
}
"""Titles of the tabs by their name in an address."""

Text = dict[str, str]


def draw_headline() -> None:
    """Draw two sentences, and a dot for each patient with the band of two experts."""
    rows = headline.patient_rows()
    words, picture = st.columns([1, 1.15], gap="large", vertical_alignment="center")
    with words, st.container(key="headline", gap="xsmall"):
        st.markdown(headline.segmentation_sentence(headline.segmentation_scores()))
        st.markdown(headline.detection_sentence(headline.detection_score()))
    if rows:
        with picture:
            alt = "Dice of each patient with mean and median, and the band in which two experts agree."
            figure = strip_plot.patient_dots(rows, (), published.experts_band(), row_height=52)
            chart(figure, "headline", alt)


def draw_tabs(text: Text) -> None:
    """Draw the tabs, and the content of the open one."""
    networks = scores.networks()
    if not networks:
        st.info("There are no trained networks in this copy of the project, so there is no score.")
        return
    # The test subset is always offered, since visitors should know if its scores are missing.
    subsets = [
        key
        for key in scores.SUBSETS
        if key == "test" or any(key in network.scored for network in networks)
    ]
    _read_address([network.spec.name for network in networks], subsets)
    opened = st.tabs(list(TABS.values()), key=TAB, on_change=forget_problems)
    for problem in st.session_state.get(PROBLEMS, []):
        st.warning(problem, icon=":material/link_off:")
    for word, tab in zip(TABS, opened, strict=True):
        if tab.open:  # a closed tab is neither read nor drawn
            with tab:
                _draw_tab(word, networks, subsets, text)
            _write_address(word)


def _draw_tab(tab: str, networks: list[Network], subsets: list[str], text: Text) -> None:
    """Draw the content of one of `TABS`."""
    match tab:
        case "where":
            segmenter.draw_segmenter(choose(networks, subsets, text, "segment"), text)
        case "detection":
            verdict.draw_verdict(text)
            choice = choose(networks, subsets, text, "classify")
            verdict.draw_on_patients(choice, text)
            classifier.draw_classifier(choice, text)
        case "patients":
            patients.draw_patients(choose(networks, subsets, text), text)
        case "published":
            publications.draw_publications(text)
        case "experiments":
            experiments.draw_experiments(sections("cards/experiments.md"))
        case "provenance":
            choice = choose(networks, subsets, text)
            provenance.draw_provenance(choice.network, choice.scored, text)


def _read_address(names: list[str], subsets: list[str]) -> None:
    # Only an address that the page itself did not write is read.
    query = st.query_params.to_dict()
    state = st.session_state
    for key, known in ((MODEL, names), (SUBSET, subsets), (TAB, list(TABS.values()))):
        if state.get(key) not in known:
            state[key] = known[0]
    if query == state.get(WRITTEN):
        return
    problems = []
    for key, parameter, known in (
        (MODEL, "model", {name: name for name in names}),
        (SUBSET, "subset", {subset: subset for subset in subsets}),
        (TAB, "tab", TABS),
    ):
        value = query.get(parameter)
        if value in known:
            state[key] = known[value]
        elif value is not None:
            # Anyone can write an address, so its text is not repeated.
            problems.append(
                f"The address asks for a {parameter} that does not exist here. Available: "
                f"{', '.join(known)}."
            )
    if "tab" not in query and query.get("model") in names:
        task = registry.get(query["model"]).task
        state[TAB] = TABS["where" if task == "segment" else "detection"]
    state[PROBLEMS] = problems


def _write_address(tab: str) -> None:
    query = {"tab": tab, "model": st.session_state[MODEL], "subset": st.session_state[SUBSET]}
    st.session_state[WRITTEN] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
