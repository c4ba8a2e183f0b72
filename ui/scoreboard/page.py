"""The Scoreboard's frame: which network, which patients, and the order of what is shown of them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ui.results import scores
from ui.results.scores import Network
from ui.scoreboard import classifier, comparison, experiments, provenance, segmenter
from ui.shared import badges
from ui.shared.content import sections

MODEL, SUBSET = "scoreboard.model", "scoreboard.subset"
PROBLEMS, WRITTEN = "scoreboard.problems", "scoreboard.written"
"""Session keys: two widgets, what the last address got wrong, and the address last written."""

Text = dict[str, str]


@dataclass(frozen=True)
class Choice:
    """What the page speaks of: all networks, the chosen one, and a key of `scores.SUBSETS`."""

    networks: list[Network]
    network: Network
    subset: str


def choose(text: Text) -> Choice | None:
    """Draw the two pickers and keep the address in step; None where no network has a record."""
    networks = {network.spec.name: network for network in scores.networks()}
    if not networks:
        st.info("There are no trained networks in this copy of the project, so there is no score.")
        return None
    # Evidence is offered even where it is missing: that it is missing is worth knowing.
    subsets = [
        key
        for key in scores.SUBSETS
        if key == "test" or any(key in network.scored for network in networks.values())
    ]
    _read_address(list(networks), subsets)
    left, right = st.columns([1, 2], vertical_alignment="bottom", gap="medium")
    with left:
        name = st.selectbox(
            "Network",
            list(networks),
            format_func=lambda each: networks[each].spec.title,
            key=MODEL,
            persist_state="session",
            on_change=_forget_problems,
        )
    with right:
        subset = st.segmented_control(
            "Patients",
            subsets,
            format_func=_label,
            required=True,
            key=SUBSET,
            persist_state="session",
            on_change=_forget_problems,
        )
    _write_address({"model": name, "subset": subset})
    for problem in st.session_state.get(PROBLEMS, []):
        st.warning(problem, icon=":material/link_off:")
    with st.container(horizontal=True, vertical_alignment="center"):
        badges.draw(provenance_of(subset))
        st.markdown(text.get(f"Subset: {subset}", ""))
    return Choice(list(networks.values()), networks[name], subset)


def draw_scoreboard(choice: Choice, text: Text) -> None:
    """Draw all sections, those of the chosen network's task."""
    network, subset = choice.network, choice.subset
    for problem in dict.fromkeys(each.problem for each in choice.networks if each.problem):
        st.warning(problem, icon=":material/gpp_bad:")
    scored = network.scored.get(subset)
    section = segmenter if network.spec.task == "segment" else classifier
    if scored:
        section.headline(scored, text)
    else:
        st.info(
            f"{network.spec.title} has no scores on these patients.",
            icon=":material/do_not_disturb_on:",
        )
    comparison.table(choice.networks, network.spec.task, subset, text)
    if network.spec.task == "segment":
        comparison.patients(choice.networks, network, subset, text)
    comparison.others(network.spec.task, subset, text)
    if scored:
        section.draw_details(network, subset, text)
    experiments.draw_experiments(sections("cards/experiments.md"))
    provenance.draw_provenance(network, scored, text)


def provenance_of(subset: str) -> str:
    """Return the provenance, as badges know it, of a subset's patients."""
    return "synthetic" if subset == "samples" else subset


def _label(subset: str) -> str:
    label = badges.badge_of(provenance_of(subset)).label.capitalize()
    return f"{label} ({subset})" if subset in ("test", "reference") else label


def _forget_problems() -> None:
    # Of an address that the hand has left behind.
    st.session_state[PROBLEMS] = []


def _read_address(names: list[str], subsets: list[str]) -> None:
    # The page itself writes the address; only one that it did not write is read.
    query = st.query_params.to_dict()
    st.session_state.setdefault(MODEL, names[0])
    st.session_state.setdefault(SUBSET, subsets[0])
    if st.session_state[MODEL] not in names:
        st.session_state[MODEL] = names[0]
    if st.session_state[SUBSET] not in subsets:
        st.session_state[SUBSET] = subsets[0]
    if query == st.session_state.get(WRITTEN):
        return
    problems = []
    for key, parameter, known in ((MODEL, "model", names), (SUBSET, "subset", subsets)):
        value = query.get(parameter)
        if value in known:
            st.session_state[key] = value
        elif value is not None:
            # An address is written by anyone, so its own words are not repeated.
            problems.append(
                f"The address asks for a {parameter} that is not here; there are {', '.join(known)}."
            )
    st.session_state[PROBLEMS] = problems


def _write_address(query: dict[str, str]) -> None:
    st.session_state[WRITTEN] = query
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
