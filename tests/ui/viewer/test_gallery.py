"""The gallery's data for the browser, and Python's requests to show a slice."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from tests.ui.stacks import analyzed, slice_of
from ui.shared import plane_store
from ui.viewer import gallery


@pytest.fixture(autouse=True)
def session(monkeypatch) -> dict:
    """A session of its own for each test."""
    monkeypatch.setattr(st, "session_state", kept := {})
    return kept


def unpacked(message: bytes) -> tuple[dict, list[dict[str, np.ndarray]]]:
    """Fetch and undo the packing as the browser does it."""
    length = int.from_bytes(message[:4], "little")
    head = json.loads(message[4 : 4 + length])
    store = plane_store.store(head["store"])
    found = []
    for entry in head["slices"]:
        parts = {}
        for name, count in (("image", 1), ("maps", 2)):
            planes = store.get([entry[name]])[entry[name]]
            data = np.frombuffer(zlib.decompress(planes), np.uint8)
            shape = (count, entry["rows"], entry["cols"])
            parts[name] = np.cumsum(data.reshape(shape), axis=2, dtype=np.uint8)
        found.append(parts)
    return head, found


def test_every_slice_has_its_picture_and_what_lies_over_it():
    slices = [slice_of(3, 16, 20), slice_of(None, 16, 20, truth=False)]
    head, parts = unpacked(gallery.pack_stack(analyzed(slices, done=1), 0.3))
    assert (head["id"], head["threshold"], head["minPixels"]) == ("P", 0.3, 4)
    assert [entry["short"] for entry in head["slices"]] == [
        "3",
        "2",
    ]  # a place for want of a number
    assert [entry["hasProbabilityMap"] for entry in head["slices"]] == [True, False]
    assert [entry["hasTruth"] for entry in head["slices"]] == [True, False]
    assert (parts[0]["image"] == 30).all() and (parts[1]["image"] == 50).all()
    assert (parts[0]["maps"][0] == 200).all() and not parts[1]["maps"].any()
    np.testing.assert_array_equal(parts[0]["maps"][1], slices[0].truth)


def test_large_slices_are_thinned_and_masks_keep_their_place():
    big = slice_of(1, 256, 300)
    truth = np.zeros((256, 300), bool)
    truth[60:120, 90:180] = True
    head, parts = unpacked(gallery.pack_stack(analyzed([replace(big, truth=truth)]), 0.5))
    entry = head["slices"][0]
    assert (entry["step"], entry["rows"], entry["cols"]) == (3, 86, 100)
    expected = np.zeros((86, 100), bool)
    expected[20:40, 30:60] = True
    np.testing.assert_array_equal(parts[0]["maps"][1] > 0, expected)


def test_what_has_not_changed_is_not_packed_again(monkeypatch):
    slices = [slice_of(1, 16, 16), slice_of(2, 16, 16)]
    gallery.pack_stack(analyzed(slices), 0.5)
    calls = []
    pack = gallery._pack
    monkeypatch.setattr(gallery, "_pack", lambda *given: calls.append(1) or pack(*given))
    before = gallery.pack_stack(analyzed(slices), 0.7)
    assert not calls
    assert (
        unpacked(before)[0]["version"]
        != unpacked(gallery.pack_stack(analyzed(slices, 1), 0.7))[0]["version"]
    )
    assert len(calls) == 1


def test_each_turn_that_is_asked_for_is_a_new_one(session):
    gallery.turn("P", 4)
    first = dict(session[gallery.ASKED])
    gallery.turn("P", 4)
    assert first == {"stamp": 1, "id": "P", "slice": 4}
    assert session[gallery.ASKED]["stamp"] == 2
