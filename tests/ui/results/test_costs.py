"""A network's costs are read from their measurement."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from btmodels import paths, registry
from tests import fakes
from ui.results import costs


@pytest.fixture
def assets(tmp_path, monkeypatch):
    (tmp_path / "metrics").mkdir()
    monkeypatch.setattr(paths, "ASSETS", tmp_path)
    monkeypatch.setattr(registry, "weights_path", lambda name, assets: tmp_path / f"{name}.h5")
    return tmp_path


def test_size_work_and_time_are_those_of_the_network(assets):
    (assets / "unet.h5").write_bytes(bytes(2_500_000))
    rows = {"unet/parameters": 10, "unet/multiply_adds": 2_000, "unet/slice_ms": 30.5}
    rows["resunet/slice_ms"] = 99.0
    content = [{"name": f"network/{name}", "value": value} for name, value in rows.items()]
    (assets / "metrics" / "bench.json").write_text(json.dumps({"machine": "M", "rows": content}))
    assert costs.cost_of("unet", None) == costs.Cost(10, 2_000, 30.5, 2.5)
    assert costs.machine() == "M"


def test_the_records_parameters_come_first(assets):
    record = replace(fakes.record("unet"), extra={"parameters": 7})
    assert costs.cost_of("unet", record).parameters == 7


def test_the_size_of_an_ensemble_is_that_of_its_members(assets):
    (assets / "unet.h5").write_bytes(bytes(2_500_000))
    assert costs.cost_of("ensemble", None).megabytes is None, "one is missing"
    (assets / "efficientnet_unet.h5").write_bytes(bytes(1_500_000))
    assert costs.cost_of("ensemble", None).megabytes == 4.0


@pytest.mark.parametrize("text", [None, "{"])
def test_without_measurements_nothing_is_known(assets, text):
    if text:
        (assets / "metrics" / "bench.json").write_text(text)
    assert costs.cost_of("unet", None) == costs.Cost(None, None, None, None)
    assert costs.machine() == ""
