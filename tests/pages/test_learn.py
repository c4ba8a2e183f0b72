"""Learn lists its lessons, opens each by its address, and says what it does not understand."""

from __future__ import annotations

import pytest

from tests import fakes
from tests.pages.conftest import words_of
from ui import experiments, learn, lesson_check


def links_of(app) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_the_overview_lists_the_lessons_there_are(open_page):
    app = open_page("learn")
    assert not app.exception
    titles = [learn.text_of(address)["Title"] for address in learn.LESSONS]
    assert links_of(app) == [f"Begin: {title}" for title in titles]


def test_an_unknown_lesson_gets_a_sentence(open_page):
    app = open_page("learn", lesson="<b>x")
    assert not app.exception
    assert [w.value for w in app.warning] == [
        "This site has no lesson “?b?x”; these are the ones it has."
    ]


@pytest.mark.parametrize("address", learn.LESSONS)
@pytest.mark.parametrize(
    "fake",
    [
        fakes.FakeEngine(),
        fakes.FakeEngine("off", "The networks are switched off here (BT_ENGINE=off)."),
        fakes.FakeEngine(fails=True),
    ],
    ids=["warm", "off", "silent"],
)
def test_every_lesson_opens_with_its_question(open_page, address, fake):
    app = open_page("learn", fake, lesson=address)
    assert not app.exception
    text = learn.text_of(address)
    assert [title.value for title in app.title] == [text["Title"]]
    assert len(app.get("download_button")) == 1
    assert app.query_params["lesson"] in (address, [address])


@pytest.mark.parametrize("address", learn.LESSONS)
def test_answers_are_judged_and_explained(open_page, address):
    app = open_page("learn", lesson=address)
    for number, question in enumerate(lesson_check.parse(learn.text_of(address)["Check"]), 1):
        radio = app.radio(key=f"learn.{address}.check.{number}")
        wrong = (question.right + 1) % len(question.answers)
        radio.set_value(wrong).run()
        assert any(question.why in each.value for each in app.warning)
        app.radio(key=f"learn.{address}.check.{number}").set_value(question.right).run()
        assert any(question.why in each.value for each in app.success)


def test_values_of_a_link_are_checked(open_page):
    app = open_page("learn", lesson="segmentation", step="guess", patient="nobody")
    assert "There is no step “guess” in this lesson; label is shown instead." in words_of(app)
    assert "There is no patient “nobody” in this lesson" in words_of(app)


def test_a_lesson_leads_to_its_neighbors(open_page):
    order = list(learn.LESSONS)
    for place, address in enumerate(order):
        labels = links_of(open_page("learn", lesson=address))
        titles = [learn.text_of(each)["Title"] for each in order]
        assert labels[0] == f"All lessons · this is {place + 1} of {len(order)}"
        expected = [f"Previous: {titles[place - 1]}"] * (place > 0)
        expected += [f"Next: {titles[place + 1]}" for _ in order[place + 1 : place + 2]]
        assert [each for each in labels if each.startswith(("Previous: ", "Next: "))] == expected


def arm(key: str, shared: list[str], dice: float) -> dict:
    """An arm of the leak experiment, made up."""
    row = {
        "patient": "TCGA_ZZ_0001_20260101",
        "number": 2,
        "nearest_patient": "TCGA_ZZ_0001_20260101",
        "nearest_number": 1,
        "distance": 0.25,
        "dice": None,
    }
    return {
        "key": key,
        "sizes": {"train": 90, "validation": 5, "test": 5},
        "test_patients": 4,
        "shared_patients": shared,
        "score": {
            "pooled_dice": dice,
            "pooled_dice_interval": [dice - 0.1, dice + 0.1],
            "mean_dice": dice,
            "median_dice": dice,
            "mean_dice_interval": [dice - 0.1, dice + 0.1],
            "patients": {"a": dice, "b": None},
        },
        "nearest": {
            "same_patient": 0.97,
            "median_distance": 0.3,
            "neighbor_distance": 0.35,
            "slices": [row],
        },
    }


def test_the_measured_leak_is_shown_and_pictures_only_where_the_data_is(open_page, monkeypatch):
    found = {
        "command": "python -m train leak",
        "budget": {"size": 64, "slices": 99},
        "data": {"patients": 7, "synthetic": False},
        "complete": True,
        "arms": [arm("slices", ["a", "b", "c"], 0.913), arm("patients", [], 0.625)],
    }
    monkeypatch.setattr(experiments, "read", lambda name: found if name == "leak" else None)
    app = open_page("learn", lesson="test-set")
    assert not app.exception
    assert {"0.913", "0.625"} <= {metric.value for metric in app.metric}
    words = words_of(app)
    assert "3 of 4 test patients are in training, too" in words
    assert "0 of 4 test patients are in training, too" in words
    assert "Distance 0.25; Dice of the test slice undefined." in words
    assert "nearest training slice is of the same head: 97 % of test slices" in words
    found["arms"][0]["nearest"]["slices"][0]["nearest_patient"] = "TCGA_not_here"
    assert "Set BT_DATA_DIR" in words_of(open_page("learn", lesson="test-set"))


@pytest.mark.parametrize("name", ["measuring", "test-set"])
def test_an_experiment_that_was_not_run_is_said(open_page, monkeypatch, name):
    monkeypatch.setattr(experiments, "read", lambda name: None)
    app = open_page("learn", lesson=name)
    assert not app.exception
    assert any("is not in this copy of the project" in each.value for each in app.info)
