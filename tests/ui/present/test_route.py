"""Routes: what an address keeps of them, and what becomes of stops that make no sense."""

from __future__ import annotations

import pytest

from btmodels.dataset import cohort
from ui.present.route import MOST_CHARACTERS, Stop, format_route, moved, parse_route, stop_of
from ui.shared.content import sections

PATIENTS = ["SYNT_AA_0001_20260101", "SYNT_AA_0002_20260101", "odd.na~me%_1"]
MODELS = ["resunet", "resnet50_unet"]
USUAL = {"layers": "prediction,truth", "channel": "flair", "model": "resunet", "threshold": "0.5"}


def stop(caption="", **query) -> Stop:
    return Stop({"patient": PATIENTS[0]} | query, caption)


def test_a_route_comes_back_as_it_was():
    route = (
        stop(slice="13"),
        stop("Why? 50 % ~ all. Or..not", slice="2", threshold="0.35", layers="", wipe="truth"),
        stop(slice="2", layers="prediction,probability", channel="post", model="resnet50_unet"),
        Stop({"patient": PATIENTS[2], "slice": "1", "style": "outline"}, "Odd name"),
        stop("No slice named"),
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
        ("SYNT_AA_0001.3.zoom", 1, "“zoom” means nothing"),
        ("~".join(["SYNT_AA_0001.3"] * 7), 5, "at most 5 stops"),
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


def test_the_usual_route_leads_through_the_bundled_cohort():
    text = {key: words for key, words in sections("cards/route.md").items() if key}
    patients = {p.folder: p for p in cohort.read_cohort(cohort.samples_root())}
    stops, problems = parse_route("~".join(text), patients, MODELS)
    assert len(stops) == 5 and problems == []
    for each, words in zip(stops, text.values(), strict=True):
        numbers = {file.number for file in patients[each.patient].files}
        assert int(each.query["slice"]) in numbers
        assert 0 < len(words) <= MOST_CHARACTERS
