"""Train one now: two small networks that learn side by side while the visitor watches."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from btmodels.inference import engine
from btmodels.teaching.live_training import queue
from btmodels.teaching.live_training.queue import OVER, JobStatus
from btmodels.teaching.live_training.settings import (
    COMPARISONS,
    EPOCHS,
    HELD_OUT,
    SIZE,
    TrainingSetup,
)
from btmodels.transforms.preprocess import fit_to
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.session import samples
from ui.shared.component_files import module, read
from ui.viewer.message import message
from ui.viewer.packing import pack

LOOK_SECONDS = 1.0
"""How often the page looks at its training, which is also the sign that it is still there."""

WORDS = {
    "skips": ("Skips", "with skip connections", "without skip connections"),
    "patients": ("Patients", "learns from six patients", "learns from a single patient"),
    "rate": ("Learning rate", "learning rate 0.005", "learning rate 0.0001"),
    "loss": ("Loss", "cross-entropy and Dice", "cross-entropy alone"),
    "width": ("Width", "8 channels at first", "2 channels at first"),
}
"""What is compared, and the two networks in words, as
`btmodels.teaching.live_training.settings.COMPARISONS` sets them."""

_training = st.components.v2.component(
    "lesson_training",
    html=read("lessons/training/training.html"),
    css=read(*SHARED_STYLES, "lessons/training/training.css"),
    js=module("lessons/training/training.js"),
)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    lesson.prose("Screen: before you start", title=False)
    live = _is_live(lesson)
    st.fragment(_training_runs, run_every=LOOK_SECONDS if live else None)(lesson, live)
    lesson.tasks("training")
    lesson.prose("In words")


def _is_live(lesson: Lesson) -> bool:
    ticket = st.session_state.get(lesson.key("ticket"))
    status = queue.get_training_queue().poll(ticket) if ticket else None
    return status is not None and status.state not in OVER


def _training_runs(lesson: Lesson, was_live: bool) -> None:
    ticket = st.session_state.get(lesson.key("ticket"))
    status = queue.get_training_queue().poll(ticket) if ticket else None
    live = status is not None and status.state not in OVER
    if live != was_live:
        st.rerun()  # the page as a whole: it looks again by itself only while there is something to see
    compared = _choose(lesson, live)
    _buttons(lesson, compared, ticket, status)
    _progress(status)
    shown = st.session_state.get(lesson.key("compared"), compared) if status else compared
    start = status.start if status and status.start else _before()
    if start is None:
        st.info("This copy of the project has no bundled patients: restore assets/samples.")
        return
    _training(key=lesson.key("picture"), data=_message(shown, start, status, ticket))


def _choose(lesson: Lesson, live: bool) -> str:
    usual = next(iter(COMPARISONS))
    key = lesson.key("compare")
    if st.session_state.get(key) not in COMPARISONS:
        st.session_state[key] = lesson.choice("compare", list(COMPARISONS), usual)
    chosen = st.segmented_control(
        "Train two networks that differ in",
        list(COMPARISONS),
        format_func=lambda each: WORDS[each][0],
        key=key,
        disabled=live,
        required=True,
    )
    lesson.write(compare=None if chosen == usual else chosen)
    return chosen


def _buttons(lesson: Lesson, compared: str, ticket: str | None, status: JobStatus | None) -> None:
    live = status is not None and status.state not in OVER
    off = engine.get_engine().status()
    if off.state == "off":
        st.info(off.message, icon=":material/power_settings_new:")
        return
    with st.container(horizontal=True, gap="small"):
        if not live:
            if st.button("Start", icon=":material/play_arrow:"):
                st.session_state[lesson.key("compared")] = compared
                st.session_state[lesson.key("ticket")] = queue.get_training_queue().submit(
                    COMPARISONS[compared]
                )
                st.rerun()
            return
        if status.state == "paused":
            st.button(
                "Go on",
                icon=":material/play_arrow:",
                on_click=queue.get_training_queue().resume,
                args=(ticket,),
            )
        elif status.state == "running":
            st.button(
                "Pause",
                icon=":material/pause:",
                on_click=queue.get_training_queue().pause,
                args=(ticket,),
            )
        st.button(
            "Stop", icon=":material/stop:", on_click=queue.get_training_queue().stop, args=(ticket,)
        )


def _progress(status: JobStatus | None) -> None:
    if status is None:
        st.caption(
            f"Two networks, {EPOCHS} epochs each, on slices of {SIZE} × {SIZE} pixels: about two minutes "
            "on two processor cores, if nobody else is training. It ends when you leave this page."
        )
        return
    total = status.epochs * len(status.settings)
    st.progress(len(status.results) / total, text=status_words(status))


def epochs_done(status: JobStatus) -> int:
    """Return how many epochs all networks of a job have done: those that the pictures show."""
    networks = range(len(status.settings))
    return min(sum(each.network == network for each in status.results) for network in networks)


def status_words(status: JobStatus) -> str:
    """Return one sentence on how a training is."""
    epoch = epochs_done(status)
    if status.state == "waiting":
        ahead = "one training is" if status.place == 1 else f"{status.place} trainings are"
        return f"Somebody else's training is running; {ahead} before yours. Keep this page open."
    if status.state == "starting":
        return "The training process is starting and reads the slices. This takes some seconds."
    if status.state == "done":
        return f"Done: {status.epochs} epochs of each network."
    if status.state in OVER:
        return f"{status.message} What was learned in {epoch} epochs can still be looked at."
    left = "" if status.left_seconds is None else f", about {_left(status.left_seconds)} left"
    if status.state == "paused":
        return f"Paused after epoch {epoch} of {status.epochs}{left}."
    return f"Epoch {epoch} of {status.epochs} is done{left}."


def _left(seconds: float) -> str:
    number, unit = (seconds, "second") if seconds < 90 else (seconds / 60, "minute")
    return f"{number:.0f} {unit}" + "s" * (round(number) != 1)


@st.cache_resource(show_spinner=False, max_entries=1)
def _before() -> TrainingSetup | None:
    # The slice that will be on show, while nothing has been trained.
    library = samples.library().samples
    sample = next((library[name] for name in HELD_OUT if name in library), None)
    if sample is None:
        return None
    stack = samples.stack_of(sample, sample.patient.folder)
    each = stack.slices[stack.largest_lesion_slice()]
    truth = fit_to(each.truth.astype(np.uint8) * 255, (SIZE, SIZE)) > 127
    pixels = fit_to(each.pixels, (SIZE, SIZE))
    return TrainingSetup(0, (), (), 0, (), pixels, truth, (each.patient, each.number))


def _message(
    compared: str, start: TrainingSetup, status: JobStatus | None, ticket: str | None
) -> bytes:
    results = status.results if status else ()
    planes = [start.truth.astype(np.uint8), *(result.levels for result in results)]
    head: dict[str, Any] = {
        "run": ticket,
        "version": f"{ticket} {len(results)} {compared}",
        "size": SIZE,
        "epochs": status.epochs if status else EPOCHS,
        "networks": WORDS[compared][1:],
        "parameters": start.parameters,
        "slices": start.slices,
        "shown": f"slice {start.shown[1]} of {start.shown[0]}",
        "heldOut": start.held_out,
        "results": [
            {
                "network": result.network,
                "epoch": result.epoch,
                "loss": result.loss,
                "dice": result.dice,
                "seconds": result.seconds,
            }
            for result in results
        ],
    }
    parts = {"image": pack(start.pixels.transpose(2, 0, 1)), "planes": pack(np.stack(planes))}
    return message(head, parts)
