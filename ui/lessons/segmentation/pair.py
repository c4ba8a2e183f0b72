"""Two networks on one slice, with their costs and scores."""

from __future__ import annotations

import streamlit as st

from btmodels import registry
from btmodels.errors import WeightsError
from btmodels.inference import engine, introspect_tasks
from btmodels.transforms.postprocess import binarize, smallest_part
from ui.lessons.lesson import Lesson
from ui.lessons.shared import panels
from ui.lessons.shared.panels import Panel
from ui.results import costs, scores
from ui.session.engine_queries import ask
from ui.session.stack import Stack


def draw(lesson: Lesson, stack: Stack, names: tuple[str, str]) -> None:
    """Draw the masks of two networks on the slice of ``stack``.

    Args:
        lesson: The lesson being drawn.
        stack: A stack of one slice.
        names: Names of the networks, from left to right.
    """
    each = stack.slices[0]

    def job() -> bytes:
        found = engine.get_engine().ask(introspect_tasks.segment, each.pixels, names)
        return panels.pack_panels(
            each,
            [
                _panel(name, probability_map)
                for name, probability_map in zip(names, found, strict=True)
            ],
            version=f"{stack.keys[0]} {names}",
        )

    answer = ask(("pair", *names, stack.keys[0]), job)
    if answer.found is None:
        st.info(answer.message, icon=":material/hourglass_top:")
        return
    panels.draw(lesson.key(f"pair.{names[1]}"), answer.found)


def _panel(name: str, probability_map) -> Panel:
    record = registry.load_record(name)
    smallest = smallest_part(record.min_component_pixels, *probability_map.shape)
    mask = binarize(probability_map, record.threshold, smallest)
    return Panel(registry.get(name).title, _note(name), [mask])


def _note(name: str) -> str:
    try:
        record = registry.load_record(name)
    except WeightsError:
        record = None
    cost = costs.cost_of(name, record)
    parts = []
    if cost.parameters:
        parts.append(f"{cost.parameters:,} parameters")
    if cost.multiply_adds:
        parts.append(f"{cost.multiply_adds / 1e6:,.0f} million multiply-adds a slice")
    found, _ = scores.read(name)
    mean = found.get("test", {}).get("mean_dice")
    if mean is not None:
        parts.append(f"mean Dice of {mean:.2f} over the test patients")
    return "; ".join(parts) + "." if parts else ""
