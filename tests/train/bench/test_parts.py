"""The parts of the benchmark: small numbers counted manually, and runtimes that agree."""

from __future__ import annotations

from functools import partial

import keras
import pytest

from btmodels import registry
from btmodels.dataset import cohort
from btmodels.inference import precision
from tests.train.tiny import SEGMENTER
from train import provenance
from train.bench import memory, runtimes, start, throughput
from train.bench import rows as bench_rows
from train.bench import stages as bench_stages
from train.bench.client import Site


def values(rows) -> dict:
    return {row["name"]: (row["value"], row.get("against")) for row in rows}


def test_stages_stand_against_the_whole_without_what_is_done_within_others():
    rows = values(
        bench_stages.rows_of(
            {"decode": [0.001, 0.003], "prepare": [0.9, 0.9], "segment": [0.004, 0.008]}
        )
    )
    assert rows == {
        "stage/decode": (2.0, 8.0),
        "stage/prepare": (900.0, 8.0),
        "stage/segment": (6.0, 8.0),
        "stage/all": (8.0, None),  # the middle of 5 and 11
    }


def test_each_stage_gets_what_those_before_it_found():
    steps = (("half", lambda seen: seen["file"] // 2), ("square", lambda seen: seen["half"] ** 2))
    seen = []
    times = bench_stages.timed((*steps, ("keep", lambda all: seen.append(all["square"]))), [4, 6])
    assert seen == [4, 4, 9], "the first input warms up, then counts"
    assert {name: len(seconds) for name, seconds in times.items()} == dict.fromkeys(
        ("half", "square", "keep"), 2
    )


@pytest.mark.slow
def test_a_slice_goes_through_all_stages():
    rows = values(bench_stages.stage_rows(1))
    stages = ("decode", "check", "prepare", "classify", "segment", "measure", "overlay", "encode")
    assert list(rows) == [f"stage/{name}" for name in (*stages, "all")]
    parts = sum(value for name, (value, _) in rows.items() if name.split("/")[1] in stages)
    assert rows["stage/all"][0] == pytest.approx(parts - rows["stage/prepare"][0])


def test_runtimes_take_turns_and_each_is_first_equally_often():
    calls = []
    ways = {name: partial(lambda name, x: calls.append((name, x)), name) for name in "abc"}
    times = bench_rows.interleaved(ways, [1, 2, 3])
    assert calls[:3] == [("a", 1), ("b", 1), ("c", 1)], "to warm up"
    assert [name for name, _ in calls[3:]] == [*"abc", *"bca", *"cab"]
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3, "c": 3}


def test_runtimes_stand_against_the_way_in_which_the_site_asks():
    rows = values(runtimes.rows_of("x", {"site": [0.01], "keras": [0.015, 0.025]}))
    assert rows == {"runtime/x/site": (10.0, None), "runtime/x/keras": (20.0, 10.0)}


@pytest.mark.slow
def test_every_way_to_ask_the_segmenter_gives_the_same_map():
    patient = cohort.read_cohort(cohort.samples_root())[0]
    pixels = cohort.read_slice(patient, patient.files[len(patient.files) // 2]).pixels
    maps = {name: ask(pixels).astype(int) for name, ask in runtimes.ways_of("unet").items()}
    assert {"site", "keras", "onnxruntime"} <= set(maps) and maps["predict"].max() > 0
    for name, found in maps.items():
        assert abs(found - maps["predict"]).max() <= (3 if "bfloat16" in name else 1), name


def test_speed_is_work_by_time():
    assert throughput.speed(6_000_000_000, 2.0) == 3.0
    assert throughput.matrix_product(3, "bfloat16")(None).shape == (1, 1)


def test_a_network_stands_against_the_product_beside_it(monkeypatch):
    monkeypatch.setattr(throughput, "interleaved", lambda *_: {"product": [2.0], "network": [4.0]})
    rows = values(throughput.peak_rows(["unet"], 1, side=1000))
    record = registry.load_record("unet")
    (work,) = (value for name, (value, _) in rows.items() if name == "peak/unet")
    numbers = keras.DTypePolicy(precision.fastest_policy()).compute_dtype
    assert rows[f"peak/product_{numbers}"] == (0.5, None)  # 1000 ** 3 in two seconds
    assert rows["peak/unet"][1] == 0.5
    # 758,120,448 multiply-adds a pass, eight slices, each also mirrored, in four seconds.
    assert record.flips and work == pytest.approx(758_120_448 * 8 * 2 / 4e9)


def test_training_is_timed_under_both_policies(monkeypatch):
    monkeypatch.setitem(registry.SPECS, "unet", SEGMENTER)
    before = keras.config.dtype_policy().name
    rows = values(throughput.training_rows(["unet"], epochs=1, num_slices=16))
    assert list(rows) == ["training/unet/float32", "training/unet/bfloat16"]
    assert rows["training/unet/bfloat16"][1] == rows["training/unet/float32"][0] > 0
    assert keras.config.dtype_policy().name == before


def test_memory_is_told_by_process_with_its_slope():
    held = [{"server": 1_000_000 + 500 * n, "engine": 2_000_000} for n in (0, 10, 20)]
    rows = values(memory.rows_of([0, 10, 20], held))
    assert rows["uploads_20/server"] == (1.01, 1.0) and rows["uploads_20/engine"] == (2.0, 2.0)
    assert rows["uploads_20/all"] == (3.01, 3.0)
    assert rows["uploads_20/slope"][0] == pytest.approx(0.5)


def test_uploads_all_differ():
    files = list(memory.uploaded_slices(400))  # more than the cohort has slices
    assert len({data for _, data in files}) == len({name for name, _ in files}) == 400


@pytest.mark.slow
def test_an_upload_is_read_and_analyzed():
    with Site(BT_DATA_DIR="") as site:
        session = site.visit()
        session.run(memory.PAGE, memory.QUERY)
        assert session.upload(memory.PAGE, memory.QUERY, "bad.tif", b"II*\0nonsense") > 0
        assert any("bad.tif" in alert for alert in session.alerts)
        session.alerts.clear()
        for name, data in memory.uploaded_slices(1):
            session.upload(memory.PAGE, memory.QUERY, name, data)
        assert not any("upload_0" in alert or "bad.tif" in alert for alert in session.alerts)
        held = site.memories()
        # The reader's process is there besides server and engine.
        assert held["engine"] > held["server"] > 50e6 < held["others"]
        assert site.memory() == pytest.approx(sum(held.values()), rel=0.2)


def test_a_gpu_is_named_before_the_processor(monkeypatch):
    monkeypatch.setattr(provenance, "_gpu", lambda: "")
    plain = provenance.machine()
    monkeypatch.setattr(provenance, "_gpu", lambda: "GPU, Tesla T4")
    assert provenance.machine() == f"GPU, Tesla T4, {plain}"


def test_an_answer_is_there_when_a_metric_has_a_value():
    class Visitor:
        metric = ""

        def watch(self, page, query):
            for kind, self.metric in (
                ("metric", start.WAITING),
                ("markdown", ""),
                ("metric", "Yes"),
            ):
                seen.append(self.metric)
                yield kind

    seen: list[str] = []
    start._wait_for_answer(Visitor(), "analyze")
    assert seen == [start.WAITING, "", "Yes"]
    with pytest.raises(RuntimeError, match="/about never"):
        start._wait_for_answer(
            type("Silent", (Visitor,), {"watch": lambda *_: iter(())})(), "about"
        )
