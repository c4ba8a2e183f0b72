"""Routes: their form in an address, and the treatment of invalid stops."""

from __future__ import annotations

import json

import pytest

from btmodels import registry
from btmodels.dataset import cohort
from tests.ui.node import run
from ui.present import standard_route
from ui.present.route import (
    MOST_CHARACTERS,
    MOST_STOPS,
    SLIDES,
    Step,
    Stop,
    format_route,
    moved,
    parse_route,
    steps_of,
    stop_of,
)
from ui.present.route_editor import describe, other_stop
from ui.session import samples

PATIENTS = ["SYNT_AA_0001_20260101", "SYNT_AA_0002_20260101", "odd.na~me%_1"]
MODELS = ["resunet", "resnet50_unet"]
USUAL = {"layers": "prediction,truth", "channel": "flair", "model": "resunet", "threshold": "0.5"}


def stop(caption="", **query) -> Stop:
    return Stop({"patient": PATIENTS[0]} | query, caption)


def test_a_route_comes_back_as_it_was():
    route = (
        stop(slice="13"),
        stop("Why? 50% ~ all. Or..not", slice="2", threshold="0.35", layers="", wipe="truth"),
        stop(slice="2", layers="prediction,probability", channel="post", model="resnet50_unet"),
        Stop({"patient": PATIENTS[2], "slice": "1", "style": "outline"}, "Odd name"),
        stop("No slice named"),
        stop("Where?", slice="3", ask="1", zoom="250", x="-40", y="5", divider="30", opacity="0"),
        Stop({"slide": "scoreboard"}, "How good is it?"),
        Stop({"slide": "limits"}),
    )
    assert parse_route(format_route(route, PATIENTS), PATIENTS, MODELS) == (route, [])


def test_a_route_is_short():
    route = (stop("Where?", slice="13"), stop(slice="2", threshold="0.35", layers=""))
    assert format_route(route, PATIENTS) == "SYNT_AA_0001.13..Where?~SYNT_AA_0001.2.t0-35.l"


def test_patients_that_share_a_beginning_keep_their_whole_names():
    patients = ["SYNT_AA_0001_20260101", "SYNT_AA_0001_20270101"]
    text = format_route((stop(slice="1"),), patients)
    assert text == "SYNT_AA_0001_20260101.1"
    assert parse_route(text, patients, MODELS)[0] == (stop(slice="1"),)
    stops, problems = parse_route("SYNT_AA_0001.1", patients, MODELS)
    assert stops == () and "no patient" in problems[0]


def test_a_stop_of_a_view_leaves_out_what_is_usual():
    query = USUAL | {"patient": PATIENTS[0], "slice": "7", "present": "1", "channel": "pre"}
    expected = Stop({"patient": PATIENTS[0], "slice": "7", "channel": "pre"}, "a b")
    assert stop_of(query, USUAL, " a \n b ") == expected
    assert len(stop_of(query, USUAL, "x" * 500).caption) == MOST_CHARACTERS


@pytest.mark.parametrize(
    ("text", "stops", "words"),
    [
        ("TCGA_XX_0001.3", 0, "no patient “TCGA_XX_0001”"),
        ("[x](http://y)<b>", 0, "no patient"),
        ("SYNT_AA_0001.three", 1, "not “three”"),
        ("SYNT_AA_0001.3.t7", 1, "between 0 and 1"),
        ("SYNT_AA_0001.3.cT2", 1, "no channel “T2”"),
        ("SYNT_AA_0001.3.mgpt", 1, "no segmenter “gpt”"),
        ("SYNT_AA_0001.3.wglow", 1, "no wipe “glow”"),
        ("SYNT_AA_0001.3.glow", 1, "“glow” is not known"),
        ("SYNT_AA_0001.3.z5000", 1, "between 100 and 1200"),
        ("SYNT_AA_0001.3.q7", 1, "“q” must be 1 or left out"),
        ("~".join(["SYNT_AA_0001.3"] * 14), MOST_STOPS, f"at most {MOST_STOPS} stops"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(text, stops, words):
    found, problems = parse_route(text, PATIENTS, MODELS)
    assert len(found) == stops
    assert len(problems) == 1 and words in problems[0] and problems[0].endswith(".")
    assert not set("[]()<>/") & set(problems[0])


@pytest.mark.parametrize("text", ["", "~~", "%", "....", "%E0%A4%A", "~..~"])
def test_noise_is_no_exception(text):
    stops, problems = parse_route(text, PATIENTS, MODELS)
    assert stops == () and all(sentence.endswith(".") for sentence in problems)


def test_stops_move_and_stay_at_the_ends():
    route = tuple(stop(slice=str(number)) for number in range(3))
    order = [each.query["slice"] for each in moved(route, 0, 1)]
    assert order == ["1", "0", "2"]
    assert [each.query["slice"] for each in moved(route, 2, -1)] == ["0", "2", "1"]
    assert moved(route, 0, -1) == moved(route, 2, 1) == route


def test_a_stop_that_asks_takes_two_presses():
    route = (stop(slice="1", ask="1"), stop(slice="2"), Stop({"slide": "limits"}))
    assert steps_of(route) == [Step(1, True), Step(1), Step(2), Step(3)]
    assert steps_of(()) == []


def stops_of(text: str, patients) -> tuple[Stop, ...]:
    stops, problems = parse_route(text, patients, MODELS)
    assert problems == []
    return stops


def test_the_standard_route_leads_through_the_bundled_cohort(monkeypatch):
    monkeypatch.setattr(samples, "library", lambda: samples.Library({}, (), False))
    patients = {p.folder: p for p in cohort.read_cohort(cohort.samples_root())}
    stops = stops_of(standard_route.standard_route(), patients)
    assert stops[0].asks and [each.slide for each in stops[-2:]] == ["scoreboard", "limits"]
    assert {"scoreboard", "limits"} <= set(SLIDES)
    for each in stops[:-2]:
        assert int(each.query["slice"]) in {file.number for file in patients[each.patient].files}
        assert 0 < len(each.caption) <= MOST_CHARACTERS


def test_never_seen_patients_lead_where_the_data_folder_has_some(monkeypatch):
    test = json.loads(registry.metrics_path("default").read_text(encoding="utf-8"))["test"]
    dice = {folder: each["dice"] for folder, each in test["patients"].items()}
    here = sorted(dice, key=dice.get)[1:8]  # not all of them: the worst is not here
    library = samples.Library(dict.fromkeys(here), (), True)
    monkeypatch.setattr(samples, "library", lambda: library)
    stops = stops_of(standard_route.standard_route(), here)
    assert {each.patient for each in stops if each.patient} == {here[3], here[0]}
    assert stops[0].asks and stops[0].patient == here[3]
    slices = test["per_slice"][here[3]]
    tumor = {number: tp + fn for number, (tp, _, fn, _) in slices.items()}
    assert tumor[stops[0].query["slice"]] == max(tumor.values())
    assert [each.slide for each in stops[-2:]] == ["scoreboard", "limits"]


def test_a_stop_shows_a_whole_patient_or_a_slide():
    query = {"patient": PATIENTS[0], "slice": "3", "layers": "truth", "zoom": "200"}
    whole = other_stop("3d", query)
    assert whole.shows == "3d" and "layers" not in whole.query and "zoom" not in whole.query
    assert "the tumor in 3-D" in describe(whole)
    slide = other_stop("limits", {})
    assert slide.slide == "limits" and slide.caption == SLIDES["limits"]
    text = format_route((whole, slide), PATIENTS)
    assert parse_route(text, PATIENTS, ()) == ((whole, slide), [])


def test_what_a_stop_cannot_show_is_left_out():
    stops, problems = parse_route(f"{PATIENTS[0]}.3.vcube", PATIENTS, ())
    assert stops[0].shows is None and "cannot show “cube”" in problems[0]


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(0, "0:00"), (9_999, "0:09"), (61_000, "1:01"), (3_600_000, "60:00")],
)
def test_the_clock_counts_minutes_and_seconds(milliseconds, shown):
    assert run(("present/clock.js",), "elapsed(given.time)", time=milliseconds) == shown
