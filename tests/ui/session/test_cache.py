"""Session caches: the least recently used value leaves first, and every cache forgets uploads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ui.session import cache
from ui.session.cache import SessionCache, forget_uploads, upload_key


@pytest.fixture(autouse=True)
def state(monkeypatch):
    session = SimpleNamespace(session_state={})
    monkeypatch.setattr(cache, "st", session)
    monkeypatch.setattr(cache, "_caches", [])
    monkeypatch.setattr(cache, "_upload_keys", [])
    return session.session_state


def test_the_least_recently_used_leaves_first():
    kept = SessionCache("k", 2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert ("a" in kept, "b" in kept, "c" in kept) == (True, False, True)
    assert kept.values() == [1, 3]
    assert kept.get("b", 0) == 0


def test_what_comes_from_uploads_is_forgotten_and_nothing_else(state):
    derived = SessionCache("derived", 9)
    mixed = SessionCache("mixed", 9, upload_derived=lambda value: value == "own")
    other = SessionCache("other", 9, upload_derived=False)
    for each in (derived, mixed, other):
        each.put(1, "own")
        each.put(2, "sample")
    state[upload_key("files")] = [b"bytes"]
    forget_uploads()
    assert state == {"mixed": {2: "sample"}, "other": {1: "own", 2: "sample"}}
