"""Links: round trips, and the treatment of invalid ones."""

from __future__ import annotations

import pytest

from ui.session.view_state import Link, View, read_link, view_from, write_link

PATIENTS, MODELS = ["SYNT_AA_0001_20260101"], ["resunet"]


def test_a_link_leads_back_to_what_was_on_screen():
    view = View(4, 0.1 + 0.2, "composite", prediction=False, truth=True, head=True, wipe="pre")
    link, problems = read_link(write_link(PATIENTS[0], 5, "resunet", view), PATIENTS, MODELS)
    assert problems == []
    assert (link.patient, link.number, link.model) == (PATIENTS[0], 5, "resunet")
    assert link.view(4, 0.5) == view


def test_a_link_says_who_gives_the_verdict_unless_it_is_the_segmenter():
    query = write_link(PATIENTS[0], 5, "resunet", View(), "classifier")
    link, problems = read_link(query, PATIENTS, MODELS)
    assert problems == [] and link.verdict == "classifier"
    query = write_link(PATIENTS[0], 5, "resunet", View())
    assert "verdict" not in query and read_link(query, PATIENTS, MODELS)[0].verdict is None


def test_a_link_keeps_zoom_place_window_opacity_and_divider():
    display = {"zoom": 250, "x": -40, "y": 15, "brightness": 20, "contrast": 180, "opacity": 0}
    view = View(4, 0.5, wipe="truth", divider=0, **display)
    query = write_link(PATIENTS[0], 5, None, view)
    assert {key: query[key] for key in display} == {k: str(v) for k, v in display.items()}
    link, problems = read_link(query, PATIENTS, MODELS)
    assert problems == [] and link.view(4, 0.3) == view


def test_an_empty_link_leaves_all_to_the_page():
    assert read_link({}, PATIENTS, MODELS) == (Link(), [])
    assert Link().view(3, 0.42) == View(3, 0.42, 1, True, True)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"patient": "TCGA_XX"}, "no patient “TCGA_XX”"),
        ({"model": "gpt"}, "no segmenter “gpt”"),
        ({"verdict": "dice"}, "from the segmenter or the classifier, not from “dice”"),
        ({"slice": "twelve"}, "not “twelve”"),
        ({"threshold": "high"}, "not “high”"),
        ({"threshold": "1.5"}, "between 0 and 1"),
        ({"threshold": "nan"}, "between 0 and 1"),
        ({"layers": "prediction,saliency"}, "no layer “saliency”"),
        ({"channel": "T2"}, "no channel “T2”"),
        ({"style": "glow"}, "no style “glow”"),
        ({"wipe": "T2"}, "no wipe “T2”"),
        ({"zoom": "2.5x"}, "not “2.5x”"),
        ({"zoom": "99"}, "The zoom must lie between 100 and 1200"),
        ({"divider": "101"}, "The divider must lie between 0 and 100"),
    ],
)
def test_an_unknown_value_gets_a_sentence(query, words):
    link, problems = read_link(query, PATIENTS, MODELS)
    assert len(problems) == 1 and words in problems[0] and problems[0].endswith(".")
    assert link.view(0, 0.42).threshold == 0.42
    assert link.channel == 1 and "prediction" in link.layers


def test_a_link_cannot_bring_markup_onto_the_page():
    _, problems = read_link({"patient": "[x](http://evil)**<b>" + "y" * 99}, PATIENTS, MODELS)
    assert not set("[]()*<>:/") & set(problems[0].split("“")[1].split("”")[0])
    assert len(problems[0]) < 120


def test_no_layers_is_a_choice_too():
    link, problems = read_link({"layers": ""}, PATIENTS, MODELS)
    assert (link.layers, problems) == ((), [])


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "text",
        {},
        {"slice": 9, "threshold": 0.5, "channel": 1, "prediction": True, "truth": True},
        {"slice": 1, "threshold": 7, "channel": 1, "prediction": True, "truth": True},
        {"slice": 1, "threshold": 0.5, "channel": "x", "prediction": True, "truth": True},
        {"slice": 1, "threshold": 0.5, "channel": 1, "prediction": 1, "truth": 1, "style": "x"},
        {"slice": 1, "threshold": 0.5, "channel": 1, "prediction": 1, "truth": 1, "wipe": ["x"]},
        {"slice": 1, "threshold": 0.5, "channel": 1, "prediction": 1, "truth": 1, "zoom": 5000},
        {"slice": 1, "threshold": 0.5, "channel": 1, "prediction": 1, "truth": 1, "opacity": None},
        {"slice": float("inf"), "threshold": 0.5, "channel": 1, "prediction": 1, "truth": 1},
    ],
)
def test_nonsense_from_the_browser_is_the_view_to_start_with(sent):
    start = View(2, 0.4)
    assert view_from(sent, start, slices=3) == start


def test_a_link_says_only_what_is_unusual():
    usual = write_link(PATIENTS[0], 5, "resunet", View())
    assert not {"style", "wipe"} & set(usual) and usual["layers"] == "prediction,truth"
    view = View(probability=True, style="outline", wipe="plain")
    unusual = write_link(PATIENTS[0], 5, "resunet", view)
    assert unusual == usual | {
        "layers": "prediction,truth,probability",
        "style": "outline",
        "wipe": "plain",
    }


def test_a_view_from_the_browser_is_taken():
    sent = {"slice": 1, "threshold": 1, "channel": 2, "prediction": False, "truth": True}
    assert view_from(sent, View(), slices=3) == View(1, 1.0, 2, False, True)
    sent |= {"probability": True, "head": True, "style": "outline", "wipe": "truth"}
    expected = View(1, 1.0, 2, False, True, True, True, "outline", "truth")
    assert view_from(sent, View(), slices=3) == expected
