"""Warnings quote figures of the file, and nothing if there are none."""

import json

import pytest

from btmodels.quality import fault_costs
from train.experiments.robustness import FAULTS


def written(folder, **changed):
    row = {
        "kind": "swapped",
        "title": "Exchanged",
        "what": "Red and blue.",
        "patients": 20,
        "slices": 160,
        "dice": 0.6,
        "drop": 0.25,
        "drop_interval": [0.1, 0.4],
        "auc_drop": None,
    }
    first = {"kind": "unaltered", "title": "Nothing", "what": "", "dice": 0.85}
    path = fault_costs.path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"model": "ensemble", "rows": [first, row | changed]}))


def test_a_cost_is_read_by_kind(tmp_path):
    written(tmp_path)
    cost = fault_costs.cost_of("swapped", tmp_path)
    assert (cost.dice, cost.drop) == (0.6, 0.25)
    assert cost.sentence() == (
        "Measured on 20 patients never seen, the Dice of the mask falls from 0.85 to 0.60 with this."
    )
    assert fault_costs.cost_of("noise", tmp_path) is None, "not measured"
    assert "unaltered" not in fault_costs.costs(tmp_path)


@pytest.mark.parametrize(
    ("drop", "words"), [(-0.05, "rises from 0.55 to 0.60"), (0.001, "did not change")]
)
def test_a_fault_may_do_no_harm(tmp_path, drop, words):
    written(tmp_path, drop=drop)
    assert words in fault_costs.cost_of("swapped", tmp_path).sentence()


def test_without_a_file_or_with_a_broken_one_nothing_is_quoted(tmp_path):
    assert fault_costs.costs(tmp_path) == {}
    path = fault_costs.path(tmp_path)
    path.parent.mkdir(parents=True)
    for broken in ("{", '{"rows": 3, "model": "a"}', '{"rows": [{"kind": "noise", "drop": 1}]}'):
        path.write_text(broken)
        assert fault_costs.costs(tmp_path) == {}
    with pytest.raises(ValueError, match="A kind is one of"):
        fault_costs.cost_of("rain", tmp_path)


def test_every_kind_is_measured():
    assert {fault.kind for fault in FAULTS} | {"one_slice"} == {"unaltered", *fault_costs.KINDS}
