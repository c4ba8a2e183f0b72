"""The viewer's data for the browser: a list of slices, and planes that are fetched once each."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from tests.ui.node import run
from tests.ui.stacks import analyzed, slice_of
from ui.session.view_state import View
from ui.shared import plane_store
from ui.viewer import viewer

SLICES = [slice_of(number, 16, 20) for number in range(1, 7)]


@pytest.fixture(autouse=True)
def session(monkeypatch) -> dict:
    """A session of its own for each test."""
    monkeypatch.setattr(st, "session_state", kept := {})
    return kept


def told(found) -> dict:
    sent = viewer._message(found, View(), "analyze", False)
    return json.loads(sent[4 : 4 + int.from_bytes(sent[:4], "little")])


def fetch(found: dict) -> None:
    """Request all planes, as a browser does."""
    names = [each[kind] for each in found["slices"] for kind in ("image", "maps")]
    assert set(plane_store.store(found["store"]).get(names)) == set(names)


def test_what_a_browser_requests_is_packed_once_and_masks_that_follow_alone(monkeypatch):
    packed = []
    for name in ("pack_pixels", "pack_maps"):
        made = getattr(viewer, name)
        monkeypatch.setattr(
            viewer, name, lambda *given, n=name, f=made: packed.append(n) or f(*given)
        )
    first = told(analyzed(SLICES, done=2))
    assert not packed, "the page does not wait for it"
    fetch(first)
    fetch(first)
    assert (packed.count("pack_pixels"), packed.count("pack_maps")) == (6, 6)
    packed.clear()
    second = told(analyzed(SLICES, done=4))
    fetch(second)
    assert packed == ["pack_maps"] * 2
    kept = {
        kind: [a[kind] == b[kind] for a, b in zip(first["slices"], second["slices"], strict=True)]
        for kind in ("image", "maps")
    }
    assert kept["image"] == [True] * 6
    assert kept["maps"] == [True, True, False, False, True, True]
    assert first["store"] == second["store"]


def test_the_viewer_leaves_the_reason_of_a_stop_to_the_input_check_next_to_it():
    found = analyzed(SLICES[:2], done=1)
    stopped = {found.stack.keys[1]: "This looks like a mask."}
    first, second = told(replace(found, stopped=stopped, message="Still to come."))["slices"]
    assert (first["message"], second["message"]) == ("", viewer.STOPPED)


def test_no_plane_travels_with_the_message_and_each_can_be_fetched():
    found = analyzed(SLICES, done=6)
    head = told(found)
    assert head["parts"] == {}
    fetch(head)


def test_another_stack_lets_go_of_all_but_the_last_one(session):
    others = [
        [replace(each, pixels=np.full_like(each.pixels, level)) for each in SLICES]
        for level in (7, 8)
    ]
    names = []
    for number, slices in enumerate([SLICES, *others]):
        found = analyzed(slices)
        stack = replace(found.stack, keys=tuple(f"{number} {key}" for key in found.stack.keys))
        names.append([each["image"] for each in told(replace(found, stack=stack))["slices"]])
    store = session[viewer.PACKED].store
    assert set(store.get(names[2])) == set(names[2]) and set(store.get(names[1])) == set(names[1])
    assert store.get(names[0]) == {}


def test_the_browser_fetches_a_plane_once_and_again_after_an_error():
    asked, kept, failed = run(
        ("viewer/planes.js", "viewer/message.js"),
        """(async () => {
            const asked = [];
            let working = true;
            globalThis.document = { baseURI: "http://here/lab/analyze" };
            globalThis.fetch = async (url) => {
                asked.push(String(url));
                if (!working) return { ok: false, status: 404 };
                const names = url.searchParams.get("names").split(",").filter((name) => name !== "old");
                const parts = Object.fromEntries(names.map((name, i) => [name, [i, 1]]));
                const head = new TextEncoder().encode(JSON.stringify({ parts }));
                const body = new Uint8Array(4 + head.length + names.length);
                new DataView(body.buffer).setUint32(0, head.length, true);
                body.set(head, 4);
                names.forEach((name, i) => (body[4 + head.length + i] = name.charCodeAt(0)));
                return { ok: true, arrayBuffer: async () => body.buffer };
            };
            const loader = new PlaneLoader();
            loader.use("s", ["a", "b", "c"]);
            loader.want(["a", "b", null, "a"]);
            const kept = [...(await loader.get("a")), ...(await loader.get("b"))];
            working = false;
            const failed = await loader.get("c").catch((error) => error.message);
            working = true;
            kept.push(...(await loader.get("c")));
            loader.use("t", ["b", "c"]);
            await loader.get("b");
            await loader.get("a");
            // What the server has replaced meanwhile costs nothing that was asked for with it.
            loader.want(["old", "d"]);
            kept.push(...(await loader.get("d")));
            return [asked, kept, failed];
        })()""",
    )
    queries = ("s?names=a,b", *3 * ["s?names=c"], "t?names=a", "t?names=old,d")
    assert asked == [f"http://here/lab/planes/{query}" for query in queries]
    assert bytes(kept) == b"abcd" and "no longer" in failed
