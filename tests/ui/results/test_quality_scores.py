"""The input check's table repeats the file."""

from __future__ import annotations

from btmodels import paths
from ui.results import quality_scores

FOUND = {
    "slices": [{"subset": "test", "slices": 200, "passed": 195, "stopped": 1, "findings": {}}],
    "negatives": [
        {"kind": "text", "pictures": 16, "masks": 1, "caught": 15},
        {"kind": "CT", "pictures": 16, "masks": 0, "caught": 16},
    ],
    "corrupted": [{"kind": "inverted", "what": "white", "pictures": 40, "caught": 38}],
}


def test_shares_and_sums():
    assert quality_scores.clean_slices(FOUND)[0]["Pass untouched"] == "97.5%"
    assert quality_scores.clean_slices(FOUND)[0]["Wrongly stopped"] == 1
    every = quality_scores.other_pictures(FOUND)[-1]
    assert every == {"Kind": "all", "Pictures": 32, "Stopped": 31, "Would get a mask": 1}
    assert quality_scores.corrupted_slices(FOUND)[0]["Caught"] == "95.0%"


def test_nothing_measured_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "ASSETS", tmp_path)
    assert quality_scores.read_metrics("quality") is None
