"""Switches for the skip connections: networks with skips switched off, and one trained without skips."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from btmodels import paths, registry
from btmodels.inference import engine, introspect_tasks
from btmodels.metrics.bootstrap import paired_difference
from btmodels.teaching import skip_ablation, skip_ablation_tasks
from btmodels.transforms.postprocess import cut, smallest_part
from ui.lessons.lesson import WIDTH, Lesson
from ui.lessons.shared import panels
from ui.lessons.shared.panels import Panel
from ui.session.engine_queries import ask
from ui.session.stack import Stack

MODEL = "unet"
LABELS = ("1, full resolution", "2, half", "3, a quarter", "4, an eighth")
"""Labels of the switches, from the finest skip to the coarsest."""

ALL_ON = "1" * len(LABELS)
_MISSING = (
    "The network that was trained without skips is missing in this copy of the project: "
    "`python -m train skips` trains it."
)


def draw(lesson: Lesson, stack: Stack) -> None:
    """Draw the switches and the mask of the slice of ``stack`` at each setting."""
    each = stack.slices[0]
    there = skip_ablation.read_twins(paths.ASSETS)
    choices = [setting_word(setting) for setting in panels.settings(len(LABELS))]
    start = lesson.choice("skips", choices, ALL_ON)

    def job() -> bytes:
        ask_ = engine.get_engine().ask
        own = ask_(introspect_tasks.ablate_skips, each.pixels, MODEL)
        other = ask_(skip_ablation_tasks.twins, each.pixels) if there else {}
        shown = [_own(own), *(_twin(there[key], found) for key, found in other.items())]
        return panels.pack_panels(
            each,
            shown,
            version=f"{stack.keys[0]} {[twin.sha256 for twin in there.values()]}",
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
        cut(
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


def _twin(twin: skip_ablation.Twin, found: dict[tuple[bool, ...], Any]) -> Panel:
    if twin.key == "absent":
        note = "It never had a skip, so the switches do nothing to it."
        masks = [cut(found[()], skip_ablation.THRESHOLD)]
        return Panel("A small U-Net trained without skips", note, masks)
    masks = [
        cut(found[setting], skip_ablation.THRESHOLD) for setting in panels.settings(len(LABELS))
    ]
    note = "Trained like the one beside it, but with skips, so the switches disturb it too."
    return Panel("A small U-Net trained with skips, disturbed", note, masks)


def comparison(joined: dict[str, Any], absent: dict[str, Any]) -> str:
    """Return a sentence that compares the two small networks patient by patient.

    Args:
        joined, absent: Scores of the networks with and without skips, including ``patients``.
    """
    found = paired_difference(joined["patients"], absent["patients"])
    if found is None:
        return ""
    mean, (low, high) = found
    ahead = "with skips" if mean > 0 else "without skips"
    open_ = low <= 0 <= high
    words = (
        f"**With skips or without?** Patient by patient the network with skips differs by {mean:+.2f} "
        f"({low:+.2f} to {high:+.2f}) from the one without. "
    )
    if not open_:
        return words + f"The one {ahead} is ahead. Each was trained once."
    return words + (
        "The interval holds 0, so after so short a training this does not tell which is better. That "
        "the one with skips fails when they are switched off shows what it relies on, not what skips "
        "are worth."
    )


def _scores(results: dict[str, Any]) -> None:
    budget = results.get("budget", {})
    arms = {arm["key"]: arm for arm in results.get("arms", [])}
    lines = []
    for arm in arms.values():
        low, high = arm["score"]["mean_dice_interval"]
        lines.append(f"{arm['title']}: {arm['score']['mean_dice']:.2f} ({low:.2f} to {high:.2f})")
    with st.container(width=WIDTH):
        if {"joined", "absent"} <= set(arms):
            st.markdown(comparison(arms["joined"]["score"], arms["absent"]["score"]))
        # No caption: code in its gray has too little contrast.
        st.markdown(
            "Mean Dice of the small networks over all slices of the validation patients, with its 95% "
            f"interval: {'; '.join(lines)}. Each was trained on {budget.get('slices', 0):,} slices, far "
            "fewer than the site's networks. The masks above are computed now, for every setting at "
            f"once; these means were computed beforehand by `{results.get('command', '')}`."
        )
