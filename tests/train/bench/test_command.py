"""The benchmark writes what it prints, and meets the site as a browser does."""

from __future__ import annotations

import json

import pytest

from btmodels import paths, registry, weights
from btmodels.dataset import cohort
from btmodels.inference.predict import Predictor
from btmodels.networks.multiply_adds import multiply_adds
from tests.train.tiny import SEGMENTER
from train import __main__ as train
from train.bench import (
    class_training,
    class_uploads,
    command,
    load,
    memory,
    profile,
    runtimes,
    stages,
    throughput,
)
from train.bench import networks as bench_networks
from train.bench.client import Site

NETWORK_ROW = {
    "name": "network/unet/parameters",
    "value": 1234,
    "unit": "",
    "against": None,
    "ratio": None,
}
LOAD_ROW = {"name": "users_7/errors", "value": 0, "unit": "", "against": None, "ratio": None}


@pytest.fixture
def made_up_rows(monkeypatch):
    monkeypatch.setattr(registry, "verify_weights", lambda *_: None)
    for name, aim in {"rerun": "<= 1.2", "analyze": "<= 0.4"}.items():
        monkeypatch.setitem(command.ROWS, name, (lambda repeats: (repeats * 1.5, 60.0), aim))
    for name in set(command.ROWS) - {"rerun", "analyze"}:
        monkeypatch.delitem(command.ROWS, name)
    rows = [{key: value for key, value in NETWORK_ROW.items() if key != "ratio"}]
    monkeypatch.setattr(bench_networks, "network_rows", lambda *_: iter(rows))
    monkeypatch.setattr(load, "load_rows", lambda: iter([LOAD_ROW]))
    monkeypatch.setattr(load, "steady_rows", lambda: iter([]))
    monkeypatch.setattr(load, "patient_rows", lambda: iter([]))
    monkeypatch.setattr(memory, "memory_rows", lambda: iter([]))
    monkeypatch.setattr(class_uploads, "class_upload_rows", lambda: iter([]))
    monkeypatch.setattr(class_training, "class_training_rows", lambda _: iter([]))
    monkeypatch.setattr(profile, "profile_rows", lambda: iter([]))
    monkeypatch.setattr(runtimes, "runtime_rows", lambda *_: iter([]))
    monkeypatch.setattr(stages, "stage_rows", lambda *_: iter([]))
    monkeypatch.setattr(bench_networks, "rate_rows", lambda *_: iter([]))
    monkeypatch.setattr(throughput, "peak_rows", lambda *_: iter([]))
    monkeypatch.setattr(throughput, "training_rows", lambda: iter([]))


def made_up(name: str, value: float) -> dict:
    return {
        "name": name,
        "value": value,
        "unit": "ms",
        "against": 60.0,
        "ratio": round(value / 60, 3),
    }


def read(assets) -> dict:
    return json.loads((assets / "metrics" / "bench.json").read_text(encoding="utf-8"))


def test_rows_are_printed_and_written(made_up_rows, capsys, tmp_path):
    assert train.main(["bench", "--assets", str(tmp_path), "--reruns", "50"]) == 0
    written = read(tmp_path)
    assert written["machine"] == command.machine()
    assert written["rows"] == [
        made_up("rerun", 75.0),
        made_up("analyze", 75.0),
        NETWORK_ROW,
        LOAD_ROW,
    ]
    printed = capsys.readouterr().out.splitlines()
    assert printed[2].split() == ["rerun", "75.0", "ms", "60.0", "ms", "1.25", "<=", "1.2"]
    assert printed[4].split() == ["network/unet/parameters", "1,234"]


def test_some_rows_alone_leave_the_others(made_up_rows, tmp_path):
    words = ["bench", "--assets", str(tmp_path), "--reruns"]
    assert train.main([*words, "50", "--only", "networks"]) == 0
    assert read(tmp_path)["rows"] == [NETWORK_ROW]
    assert train.main([*words, "50"]) == 0
    assert train.main([*words, "20", "--only", "rerun"]) == 0
    assert read(tmp_path)["rows"] == [
        made_up("rerun", 30.0),
        made_up("analyze", 75.0),
        NETWORK_ROW,
        LOAD_ROW,
    ]


def test_as_many_browsers_train_as_asked_for(made_up_rows, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        class_training, "class_training_rows", lambda number: asked.append(number) or []
    )
    words = ["bench", "--out", str(tmp_path / "rows.json"), "--only", "lesson"]
    assert train.main(words) == train.main([*words, "--browsers", "3"]) == 0
    assert asked == [30, 3]


def test_a_network_that_is_no_more_loses_its_rows(made_up_rows, tmp_path):
    old = {
        "machine": command.machine(),
        "rows": [NETWORK_ROW | {"name": "network/gone/parameters"}],
    }
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "bench.json").write_text(json.dumps(old), encoding="utf-8")
    assert train.main(["bench", "--assets", str(tmp_path), "--only", "networks"]) == 0
    assert read(tmp_path)["rows"] == [NETWORK_ROW]


def test_rows_of_two_machines_are_not_mixed(made_up_rows, monkeypatch, capsys, tmp_path):
    words = ["bench", "--assets", str(tmp_path)]
    assert train.main(words) == 0
    before = read(tmp_path)
    monkeypatch.setattr(command, "machine", lambda: "another processor")
    assert train.main([*words, "--only", "networks"]) == 1
    assert "another processor" in capsys.readouterr().err and read(tmp_path) == before
    elsewhere = tmp_path / "elsewhere.json"
    assert train.main([*words, "--only", "networks", "--out", str(elsewhere)]) == 0
    assert json.loads(elsewhere.read_text(encoding="utf-8"))["machine"] == "another processor"
    assert read(tmp_path) == before


def test_size_and_speed_of_a_network(monkeypatch, tmp_path):
    monkeypatch.setitem(registry.SPECS, "unet", SEGMENTER)
    model = weights.build("unet")
    path = registry.weights_path("unet", tmp_path)
    record = {
        "name": "unet",
        "sha256": weights.save_float16(model, path),
        "threshold": 0.5,
        "temperature": 2.0,
        "flips": True,
        "min_component_pixels": 0,
        "split_sha256": "none",
        "complete": True,
        "command": "none",
        "versions": {},
    }
    registry.record_path("unet", tmp_path).write_text(json.dumps(record), encoding="utf-8")
    rows = {row["name"]: row for row in bench_networks.network_rows(["unet"], 3, tmp_path)}
    assert {name: row["value"] for name, row in rows.items() if "ms" not in row["name"]} == {
        "network/unet/parameters": model.count_params(),
        "network/unet/multiply_adds": multiply_adds(model),
        "network/unet/megabytes": path.stat().st_size / 1e6,
    }
    assert rows["network/unet/slice_ms"]["value"] > 0 < rows["network/unet/slice_ms"]["against"]


def test_both_ways_of_asking_a_network_agree():
    networks = bench_networks.Networks()
    # In bfloat16 each rounds in places of its own.
    networks.classifier, networks.segmenter = (
        Predictor(each.record.name, policy="float32")
        for each in (networks.classifier, networks.segmenter)
    )
    first = cohort.read_cohort(cohort.samples_root())[0]
    pixels = cohort.read_slice(first, first.files[len(first.files) // 2]).pixels
    ours, theirs = networks.compiled(pixels), networks.by_predict(pixels)
    networks.close()
    assert ours.tumor_probability == pytest.approx(theirs.tumor_probability, abs=1e-3)
    assert (
        ours.probability_map.max() > 0
        and abs(ours.probability_map.astype(int) - theirs.probability_map).max() <= 1
    )


def test_committed_rows_speak_of_the_committed_weights():
    values = {row["name"]: row["value"] for row in read(paths.ASSETS)["rows"]}
    found = {name.split("/")[1] for name in values if name.startswith("network/")}
    if not found:
        pytest.skip("no network has been measured yet")
    trained = {name for name in registry.SPECS if registry.record_path(name).exists()}
    assert found == trained, "run: python -m train bench --only networks"
    for name in sorted(trained):
        record, size = registry.load_record(name), registry.weights_size(name)
        assert values[f"network/{name}/parameters"] == record.extra["parameters"]
        assert values[f"network/{name}/megabytes"] == round(size / 1e6, 2)


@pytest.mark.slow
def test_a_visit_runs_a_page_to_its_end():
    with Site(BT_ENGINE="off") as site:
        session = site.visit()
        assert "heading" in list(session.watch("about"))
        assert session.run("about") > 0


def test_load_is_measured_on_slices_that_nobody_asked_for_before(monkeypatch):
    with load.made_up_data(3, 2) as data:
        patients = cohort.read_cohort(data)
        slices = [cohort.read_slice(each, file) for each in patients for file in each.files]
    assert [patient.folder[:12] for patient in patients] == [
        "LOAD_AA_0000",
        "LOAD_AA_0001",
        "LOAD_AA_0002",
    ]
    assert len({each.pixels.tobytes() for each in slices}) == 6 and not data.exists()

    monkeypatch.setattr("train.bench.client.REST_SECONDS", 0.1)
    monkeypatch.setattr(load, "USERS", (2,))
    monkeypatch.setattr(load, "ROUNDS", 1)
    rows = {row["name"]: row for row in load.load_rows()}
    assert rows["users_2/errors"]["value"] == 0
    assert 0 < rows["users_2/p50"]["value"] <= rows["users_2/p95"]["value"]
    speed = rows["users_2/slices_per_second"]
    assert speed["value"] > 0 < speed["against"]
    assert rows["users_2/server_cpu"]["value"] > 0 < rows["users_2/engine_cpu"]["value"]
    held = [rows[f"users_2/{name}"]["value"] for name in ("server", "engine", "others", "all")]
    assert held[0] > 50 < held[1] and held[3] == pytest.approx(sum(held[:3]))


def test_visitors_do_not_notice_that_the_worker_is_killed(monkeypatch):
    monkeypatch.setattr(load, "STEADY_PATIENTS", 4)
    monkeypatch.setattr("train.bench.client.REST_SECONDS", 0.1)
    rows = {row["name"]: row["value"] for row in load.steady_rows(users=2, seconds=6)}
    assert rows["steady_2/kills"] == 2 and rows["steady_2/slices"] >= 2
    assert rows["steady_2/errors"] == 0


def test_a_class_uploads_series_and_zips_while_the_worker_is_killed(monkeypatch):
    monkeypatch.setattr(class_uploads, "LEFT_SECONDS", 0.1)
    monkeypatch.setattr("train.bench.crowd.KILLS", 1)
    monkeypatch.setattr("train.bench.client.REST_SECONDS", 0.1)
    rows = {r["name"]: r["value"] for r in class_uploads.class_upload_rows(users=2, seconds=2)}
    assert rows["class_2/kills"] == 1 and rows["class_2/uploads"] >= 2
    assert rows["class_2/errors"] == 0
    assert 50 < rows["class_2/server_left"] and 50 < rows["class_2/server"] < 500


def test_parts_of_the_start_and_of_a_rerun(monkeypatch):
    monkeypatch.setattr(profile, "RERUNS", 2)
    monkeypatch.setattr("train.bench.client.REST_SECONDS", 0.1)
    rows = {row["name"].removeprefix("profile/"): row for row in profile.profile_rows()}
    networks = [
        f"start/{name}/{part}" for name in ("resunet", "resnet50") for part in ("load", "first")
    ]
    waits = [f"next_mask/{part}" for part in ("page", "slices", "answer")]
    assert list(rows) == ["start/runtime", *networks, *waits, "rerun/elements", "rerun/server"]
    assert all(row["value"] > 0 for row in rows.values())
    page, read, answer = (rows[each]["value"] for each in waits)
    assert page < read < answer
    elements = rows["rerun/elements"]
    assert elements["value"] > elements["against"] > 10, "without networks there is less to show"
