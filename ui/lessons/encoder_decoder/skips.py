"""Switches for the skip connections: networks with skips switched off, and one trained without skips."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from btmodels import paths, registry
from btmodels.inference import engine, introspect_tasks
from btmodels.metrics.bootstrap import paired_difference
from btmodels.teaching import skip_ablation, skip_ablation_tasks
from btmodels.transforms.postprocess import binarize, smallest_part
from ui.lessons.lesson import WIDTH, Lesson
from ui.lessons.shared import panels
from ui.lessons.shared.panels import Panel
from ui.results import experiments
from ui.session.engine_queries import ask
from ui.session.stack import Stack

MODEL = "unet"
LABELS = ("1, full resolution", "2, half", "3, a quarter", "4, an eighth")
"""Labels of the switches, from the finest skip to the coarsest."""

RULERS = {
    "patients": ("Dice", "", 2, 1),
    "borders": ("Border, 95% Hausdorff distance", " px", 1, -1),
}
"""Of a pair's scores by patient: title, unit, digits, and 1 where more is better, else -1."""

Pair = Mapping[str, Any]

ALL_ON = "1" * len(LABELS)
_MISSING = (
    "The network that was trained without skips is missing in this copy of the project: "
    "`python -m train skips` trains it."
)


@st.fragment
def draw(lesson: Lesson, stack: Stack) -> None:
    """Draw the switches and the mask of the slice of ``stack`` at each setting."""
    each = stack.slices[0]
    there = skip_ablation.read_networks(paths.ASSETS)
    choices = [setting_word(setting) for setting in panels.settings(len(LABELS))]
    start = lesson.choice("skips", choices, ALL_ON)

    def job() -> bytes:
        ask_ = engine.get_engine().ask
        own = ask_(introspect_tasks.ablate_skips, each.pixels, MODEL)
        other = ask_(skip_ablation_tasks.predictions, each.pixels) if there else {}
        shown = [_own(own), *(_small(there[key], found) for key, found in other.items())]
        return panels.pack_panels(
            each,
            shown,
            version=f"{stack.keys[0]} {[network.sha256 for network in there.values()]}",
            switches=LABELS,
            start=start,
        )

    answer = ask(("skips", stack.keys[0]), job)
    if answer.found is None:
        st.info(answer.message, icon=":material/hourglass_top:")
        return
    if not there:
        st.info(_MISSING, icon=":material/pending:")
    sent = panels.draw(lesson.key("skips"), answer.found).get("on")
    if isinstance(sent, str) and re.fullmatch(f"[01]{{{len(LABELS)}}}", sent):
        lesson.write(skips=None if sent == ALL_ON else sent)
    lesson.tasks("skips")
    lesson.prose("What switching off does not show")
    if there:
        _scores(skip_ablation.read_results(paths.ASSETS))


def setting_word(setting: tuple[bool, ...]) -> str:
    """Return a setting as written in the address, such as ``1101``, the finest skip first."""
    return "".join("01"[on] for on in setting)


def _own(found: dict[tuple[bool, ...], Any]) -> Panel:
    record = registry.load_record(MODEL)
    masks = [
        binarize(
            found[setting],
            record.threshold,
            smallest_part(record.min_component_pixels, *found[setting].shape),
        )
        for setting in panels.settings(len(LABELS))
    ]
    title = f"The site's {registry.get(MODEL).title}, disturbed by the switches"
    return Panel(
        title,
        "It was trained with all its skips; a skip that is switched off delivers zeros.",
        masks,
    )


def _small(network: skip_ablation.AblationNetwork, found: dict[tuple[bool, ...], Any]) -> Panel:
    if network.key == "absent":
        note = "It never had a skip, so the switches do nothing to it."
        masks = [binarize(found[()], skip_ablation.THRESHOLD)]
        return Panel("A small U-Net trained without skips", note, masks)
    masks = [
        binarize(found[setting], skip_ablation.THRESHOLD)
        for setting in panels.settings(len(LABELS))
    ]
    note = "Trained like the one beside it, but with skips, so the switches disturb it too."
    return Panel("A small U-Net trained with skips, disturbed", note, masks)


def over_pairs(pairs: Sequence[Pair], key: str, name: str) -> dict[str, float]:
    """Return the mean over the pairs of a patient's score.

    Args:
        pairs: Of the experiment's file.
        key: ``joined`` or ``absent``.
        name: ``patients`` (Dice) or ``borders`` (95% Hausdorff distance, pixels).

    Returns:
        By folder; patients without a score in some pair are left out.
    """
    each = [pair[key]["score"][name] for pair in pairs]
    return {
        folder: float(np.mean([scores[folder] for scores in each]))
        for folder in each[0]
        if all(scores.get(folder) is not None for scores in each)
    }


def comparison(pairs: Sequence[Pair]) -> str:
    """Say how networks with and without skips compare, patient by patient, by Dice and at the border."""
    sentences = []
    for name, (title, unit, digits, sign) in RULERS.items():
        joined, absent = (over_pairs(pairs, key, name) for key in ("joined", "absent"))
        found = paired_difference(joined, absent)
        if found is None:
            continue
        mean, (low, high) = found
        shared = joined.keys() & absent.keys()
        ours, theirs = (np.mean([scores[each] for each in shared]) for scores in (joined, absent))
        ahead = "with" if sign * mean > 0 else "without"
        verdict = (
            "The interval contains 0: which one is better by this measure stays open."
            if low <= 0 <= high
            else f"The networks {ahead} skips are ahead."
        )
        sentences.append(
            f"**{title}:** {ours:.{digits}f}{unit} with skips, {theirs:.{digits}f}{unit} without. "
            f"Patient by patient the difference is {mean:+.{digits}f}{unit} ({low:+.{digits}f} to "
            f"{high:+.{digits}f}). {verdict}"
        )
    return "\n\n".join(sentences)


def rows(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return a row a pair: both networks by both measures."""
    return [
        {"Pair": number}
        | {
            f"{short}, {word} skips": pair[key]["score"][name]
            for short, name in (("Dice", "mean_dice"), ("Border", "hausdorff95"))
            for word, key in (("with", "joined"), ("without", "absent"))
        }
        for number, pair in enumerate(pairs, 1)
    ]


def _scores(results: dict[str, Any]) -> None:
    pairs, budget = results.get("pairs", []), results.get("budget", {})
    if not pairs:
        return
    size = budget["size"]
    with st.container(width=WIDTH):
        st.markdown(comparison(pairs))
    st.dataframe(
        rows(pairs),
        hide_index=True,
        width="content",
        column_config={
            title: st.column_config.NumberColumn(format="%.1f px" if px else "%.3f")
            for title in rows(pairs)[0]
            if title != "Pair"
            for px in [title.startswith("Border")]
        },
    )
    with st.container(width=WIDTH):
        # No caption: code in its gray has too little contrast.
        st.markdown(
            f"{len(pairs)} pairs, each from a random start of its own, both networks of a pair on the same "
            f"{experiments.trained_slices(budget):,} slices of {size} × {size} pixels. Border: the 95% "
            "Hausdorff distance of a patient's slices on which both masks mark something, in pixels of "
            "these small slices. Intervals: 95%, over the validation patients. The masks above are those "
            f"of the first pair, computed now; the figures were computed beforehand by "
            f"`{results.get('command', '').split(' --')[0]}`."
        )
