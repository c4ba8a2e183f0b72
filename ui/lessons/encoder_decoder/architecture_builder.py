"""The architecture builder of *Encoder and decoder*: plan a network, see its receptive field and cost."""

from __future__ import annotations

import json
import zlib
from functools import lru_cache

import streamlit as st

from btmodels.teaching.receptive_field import FLOAT_BYTES, Architecture, mirrored
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES, slice_message
from ui.session.stack import Analyzed
from ui.shared.component_files import component, view_of
from ui.viewer.message import message

SIZE = 128
"""Rows and columns of the networks' input, as for the U-Net and the sequential network."""

KINDS = {"u": "Down and up (U)", "chain": "All at full resolution"}
LEVELS = range(1, 7)
FILTERS = (4, 8, 16, 32)
KERNELS = (3, 5, 7)
CONVS = (1, 2, 3)
USUAL = {"kind": "u", "levels": 3, "filters": 16, "kernel": 3, "convs": 2}
"""The initial network: two levels fewer than the site's U-Net, so that a pixel does not see everything."""

_bench = component("lesson_bench", "lessons/encoder_decoder/architecture_builder", *SHARED_STYLES)


@lru_cache(maxsize=1)
def designs() -> bytes:
    """Return every network of the builder as deflated JSON: stages by design, such as ``u-5-16-3-2``.

    A stage is a list: name, size, channels, pixels seen, parameters, multiply-adds, values.
    """
    found = {}
    for kind in KINDS:
        for levels in LEVELS:
            for filters in FILTERS:
                widths = tuple(filters * 2**level for level in range(levels))
                widths = widths if kind == "u" else mirrored(filters, levels)
                for kernel in KERNELS:
                    for convs in CONVS:
                        architecture = Architecture(kind, widths, convs, kernel, SIZE)
                        name = f"{kind}-{levels}-{filters}-{kernel}-{convs}"
                        found[name] = [list(vars(stage).values()) for stage in architecture.stages]
    return zlib.compress(json.dumps(found, separators=(",", ":")).encode())


@st.fragment
def draw(lesson: Lesson, analyzed: Analyzed) -> None:
    """Draw the builder; all of its figures come from `btmodels.teaching.receptive_field`."""
    start = {
        "kind": lesson.choice("kind", list(KINDS), USUAL["kind"]),
        "levels": _one_of(lesson, "levels", LEVELS),
        "filters": _one_of(lesson, "filters", FILTERS),
        "kernel": _one_of(lesson, "kernel", KERNELS),
        "convs": _one_of(lesson, "convs", CONVS),
    }
    sent = view_of(_bench, lesson.key("bench"), _message(analyzed, start))
    if f"{sent.get('kind')}-" + "-".join(str(sent.get(k)) for k in list(USUAL)[1:]) in _names():
        lesson.write(**{key: None if sent[key] == USUAL[key] else sent[key] for key in USUAL})


def _message(analyzed: Analyzed, start: dict) -> bytes:
    options = {"levels": list(LEVELS), "filters": FILTERS, "kernel": KERNELS, "convs": CONVS}
    head = {"start": start, "options": options, "kinds": KINDS, "bytes": FLOAT_BYTES, "size": SIZE}
    packed = slice_message(analyzed, **head)
    return message({}, {"slice": packed, "designs": designs()})


def _one_of(lesson: Lesson, key: str, values) -> int:
    return int(lesson.choice(key, [str(value) for value in values], str(USUAL[key])))


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(json.loads(zlib.decompress(designs())))
