"""A row of the history leads back to its slice, its segmenter and the network that gave the verdict."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.ui import stacks
from ui.analyze import history, uploader


class Address(dict):
    def from_dict(self, query):
        self.clear()
        self.update(query)


@pytest.mark.parametrize("shared", [True, False])
def test_a_row_brings_back_the_networks(monkeypatch, shared):
    stack = stacks.analyzed([stacks.slice_of(1, 8, 8), stacks.slice_of(2, 8, 8)]).stack
    row = history.Row(
        stack.id, "P/1", "2.tif", 2, shared, "unet", "classifier", 0.3, "resnet50", 0.9, 16, None
    )
    state = {history._TABLE: {"selection": {"rows": [0]}}, uploader.OWN: stack}
    page = SimpleNamespace(session_state=state, query_params=Address())
    turned = []
    monkeypatch.setattr(history, "st", page)
    monkeypatch.setattr(history, "turn", lambda *place: turned.append(place))
    history._back([row], stack)
    assert turned[-1] == ("P", 1)
    if shared:
        assert page.query_params == {
            "patient": "P",
            "slice": "2",
            "model": "unet",
            "verdict": "classifier",
            "threshold": "0.3",
        }
    else:
        assert page.query_params == {"source": "files"}
        assert (state["analyze.model"], state["analyze.verdict"]) == ("unet", "classifier")
