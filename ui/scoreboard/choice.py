"""The Scoreboard's selection of a network and a group of patients."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from btmodels import registry
from ui.results.scores import Network
from ui.shared import badges

MODEL, SUBSET = "scoreboard.model", "scoreboard.subset"
PROBLEMS = "scoreboard.problems"
"""Session keys: two widgets, and the errors of the last address."""

Text = dict[str, str]


@dataclass(frozen=True)
class Choice:
    """The selection: all networks, the chosen one, and a key of `scores.SUBSETS`."""

    networks: list[Network]
    network: Network
    subset: str

    @property
    def scored(self) -> dict | None:
        """Scores of the chosen network on the chosen patients; None if there are none."""
        return self.network.scored.get(self.subset)

    @property
    def trained_on(self) -> bool:
        """Whether the chosen network was trained on the chosen patients."""
        record = self.network.record
        return bool(record) and self.subset in record.training_subsets

    def of_task(self, task: str) -> list[Network]:
        """Return the networks of a task, in the order of all lists."""
        return [network for network in self.networks if network.spec.task == task]


def choose(
    networks: list[Network], subsets: list[str], text: Text, task: str | None = None
) -> Choice:
    """Draw the choice of patients and, if there are several networks, of a network.

    Args:
        networks: All networks.
        subsets: Keys of `scores.SUBSETS` to choose from.
        text: Text of the page.
        task: Offer only networks of this task; None offers all.
    """
    offered = {n.spec.name: n for n in networks if task in (None, n.spec.task)}
    name = st.session_state[MODEL]
    if name not in offered:
        name = next(iter(offered))
    left, right = st.columns([1, 2.4], gap="medium")
    if len(offered) > 1:
        # A tab without a choice of networks does not change the choice of the other tabs.
        st.session_state[MODEL] = name
        with left:
            name = st.selectbox(
                "Network",
                list(offered),
                format_func=lambda each: offered[each].spec.title,
                key=MODEL,
                persist_state="session",
                on_change=forget_problems,
            )
    with right if len(offered) > 1 else left:
        subset = st.segmented_control(
            "Patients",
            subsets,
            format_func=_label,
            required=True,
            key=SUBSET,
            persist_state="session",
            on_change=forget_problems,
        )
    choice = Choice(networks, offered[name], subset)
    kind = "train" if choice.trained_on else subset
    # The verdict of a slice is the site's own segmenter's, the classifier's the second opinion.
    own = registry.get("default").name if task == "classify" else name
    shown = [each for each in networks if each.spec.name in (own, name)]
    st.markdown(f"{text.get(f'Subset: {kind}', '')} {_looks(shown, subset)}")
    for problem in dict.fromkeys(each.problem for each in networks if each.problem):
        st.warning(problem, icon=":material/gpp_bad:")
    if not choice.scored:
        why = "was trained" if choice.trained_on else "has no scores"
        st.info(
            f"{choice.network.spec.title} {why} on these patients.",
            icon=":material/do_not_disturb_on:",
        )
    return choice


def _label(subset: str) -> str:
    label = badges.badge_of("synthetic" if subset == "samples" else subset).label.capitalize()
    return f"{label} ({subset})" if subset in ("test", "reference") else label


def _looks(networks: list[Network], subset: str) -> str:
    """Return how often networks were scored on the test patients: repeated scoring makes a test less
    blind."""
    told = []
    for network in networks:
        times = network.record.extra.get("test_evaluations") if network.record else None
        if subset == "test" and times:
            often = {1: "once", 2: "twice"}.get(times, f"{times} times")
            verb = "" if told else "was scored on them "
            told.append(f"the {network.spec.title} {verb}{often}")
    if not told:
        return ""
    return f"T{', '.join(told)[1:]}; no setting was changed because of a score."


def forget_problems() -> None:
    # They belong to an address that the visitor has left.
    st.session_state[PROBLEMS] = []
