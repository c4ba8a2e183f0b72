"""Learn lists its lessons, opens each by its address, and says what it does not understand."""

from __future__ import annotations

import pytest

from tests import fakes
from tests.pages.conftest import words_of
from ui import learn, lesson_check


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


@pytest.mark.parametrize("address", learn.LESSONS)
def test_an_unknown_patient_gets_a_sentence(open_page, address):
    app = open_page("learn", lesson=address, patient="nobody")
    assert not app.exception
    if "patient" in app.query_params:
        assert app.query_params["patient"] not in ("nobody", ["nobody"])


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
        assert labels[1:] == expected
