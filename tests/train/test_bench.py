"""The benchmark writes what it prints, and meets the site as a browser does."""

from __future__ import annotations

import json

import pytest

from btmodels import registry
from train import __main__ as train
from train import bench
from train.visitor import Site


@pytest.fixture
def made_up_rows(monkeypatch):
    monkeypatch.setattr(registry, "verify_weights", lambda *_: None)
    for name, aim in {"rerun": "<= 1.2", "analyze": "<= 0.4"}.items():
        monkeypatch.setitem(bench.ROWS, name, (lambda repeats: (repeats * 1.5, 60.0), aim))
    for name in set(bench.ROWS) - {"rerun", "analyze"}:
        monkeypatch.delitem(bench.ROWS, name)


def test_rows_are_printed_and_written(made_up_rows, capsys, tmp_path):
    assert train.main(["bench", "--assets", str(tmp_path), "--reruns", "50"]) == 0
    written = json.loads((tmp_path / "metrics" / "bench.json").read_text(encoding="utf-8"))
    assert written["machine"] == bench.machine()
    assert written["rows"] == [
        {"name": name, "value": 75.0, "unit": "ms", "against": 60.0, "ratio": 1.25}
        for name in ("rerun", "analyze")
    ]
    printed = capsys.readouterr().out.splitlines()
    assert printed[2].split() == ["rerun", "75.0", "ms", "60.0", "ms", "1.25", "<=", "1.2"]


def test_one_row_alone_overwrites_nothing(made_up_rows, capsys, tmp_path):
    assert train.main(["bench", "--assets", str(tmp_path), "--only", "rerun"]) == 0
    assert "rerun" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_visit_runs_a_page_to_its_end():
    with Site(BT_ENGINE="off") as site:
        session = site.visit()
        assert "heading" in list(session.watch("about"))
        assert session.run("about") > 0
