"""Presenting under AppTest: a view alone, stops of a route, and the route that one makes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests import fakes
from tests.pages.conftest import words_of
from tests.ui import stacks
from ui.present import page
from ui.present.route import SLIDES
from ui.results import headline
from ui.session.view_state import View
from ui.surface import rotating_head

ONE, TWO = (name[:12] for name in fakes.PATIENTS)
ROUTE = f"{ONE}.2..Look here~{TWO}.3.cpost~{TWO}.1..Nothing"


def texts(app) -> list[str]:
    """Captions of the stops in the editor."""
    return [field.value for field in app.text_input if "Caption of stop" in field.label]


def unfolded(app):
    """The page with its editor of the route open."""
    app.session_state["route.open"] = True
    return app.run()


def menu(app, index: int):
    return next(each for each in app.get("menu_button") if each.label == f"Stop {index + 1}")


def test_a_stop_shows_its_view_and_the_verdict_alone(open_page):
    app = open_page("analyze", present="1", route=ROUTE, stop="1")
    assert not app.exception
    assert [each.value for each in app.subheader] == ["Look here"]
    assert [metric.value for metric in app.metric] == ["Yes", "100 px"]
    assert not (app.title or app.selectbox or app.expander or app.warning)
    assert "Not a medical device" in words_of(app)


def test_without_a_stop_the_view_of_the_address_is_shown(open_page):
    app = open_page("analyze", present="1", patient=fakes.PATIENTS[1], slice="3")
    assert [metric.value for metric in app.metric] == ["No", "0 px"]
    assert not app.subheader and not app.title


def test_nothing_but_present_begins_the_standard_route(open_page):
    app = open_page("analyze", present="1")
    assert not app.exception and not app.title
    assert app.subheader and "route" not in app.query_params


def test_a_stop_that_asks_hides_masks_and_verdict_until_the_next_press(open_page):
    route = f"{ONE}.2.q1..Where is it?"
    app = open_page("analyze", present="1", route=route, stop="1")
    assert not app.exception and not app.metric
    assert [each.value for each in app.subheader] == ["Where is it\\?"]
    app = open_page("analyze", present="1", route=route, stop="1", answer="1")
    assert [metric.value for metric in app.metric] == ["Yes", "100 px"]


@pytest.mark.parametrize("slide", SLIDES)
def test_slides_say_how_good_it_is_and_what_it_cannot_do(open_page, slide):
    app = open_page("analyze", present="1", route=f"{ONE}.2~{slide}..Well", stop="2")
    assert not app.exception and not app.metric and not app.title
    words = words_of(app)
    if slide == "scoreboard":
        assert headline.segmentation_sentence(headline.segmentation_scores()) in words
        assert len(app.get("plotly_chart")) == 1
    elif slide == "transfer":
        assert "learned from photographs" in words and len(app.get("plotly_chart")) == 1
    else:
        assert "lower-grade gliomas" in words


def test_stops_and_routes_that_make_no_sense_get_sentences(open_page):
    app = open_page("analyze", present="1", route=f"{ROUTE}~nobody.3~{ONE}.9", stop="12")
    words = words_of(app)
    assert not app.exception and app.metric
    assert "no patient “nobody”" in words and "no stop “12”" in words
    words = words_of(open_page("analyze", present="1", route=f"{ONE}.9", stop="1"))
    assert "has no slice 9" in words
    words = words_of(open_page("analyze", present="1", route="nobody.3"))
    assert "This site has none of the stops" in words
    app = open_page("analyze")
    app.query_params["present"] = "perhaps"
    app.run()
    assert "not “perhaps”" in words_of(app) and app.title


def test_a_presentation_without_networks_says_why(open_page):
    fake = fakes.FakeEngine("off", "The networks are switched off here (BT_ENGINE=off).")
    app = open_page("analyze", fake, present="1", route=ROUTE, stop="2")
    assert not app.exception and fake.message in words_of(app)


def test_a_route_is_made_of_views(open_page):
    app = open_page("analyze", patient=fakes.PATIENTS[0], slice="2", channel="pre", route=ROUTE)
    assert not texts(app)  # nothing of a folded editor is drawn
    unfolded(app)
    assert texts(app) == ["Look here", "", "Nothing"]
    next(b for b in app.button if b.label == "Add the view above").click().run()
    assert texts(app) == ["Look here", "", "Nothing", ""]
    assert app.query_params["route"].endswith(f"~{ONE}.2.cpre")
    fields = [field for field in app.text_input if "Caption of stop" in field.label]
    fields[3].set_value("The last one").run()
    assert app.query_params["route"].endswith(f"~{ONE}.2.cpre..The last one")
    assert app.query_params["slice"] == "2"  # the view on screen stays in the address
    next(b for b in app.button if b.label == "Standard route").click().run()
    assert "route" not in app.query_params


def test_every_slice_of_a_route_can_be_made_ready(open_page):
    fake = fakes.FakeEngine()
    app = open_page("analyze", fake, patient=fakes.PATIENTS[0], route=ROUTE)
    unfolded(app)
    asked = sum(fake.asked)
    next(b for b in app.button if b.label == "Get all stops ready").click().run()
    assert not app.exception
    assert sum(fake.asked) == asked + 3  # the other patient's; what is known is not asked again


def test_patients_can_be_presented(open_page):
    app = open_page("patients", present="1", patient=fakes.PATIENTS[0], slice="2")
    assert not app.exception and not app.title
    assert [metric.value for metric in app.metric] == ["Yes", "100 px"]
    app = open_page("patients", patient=fakes.PATIENTS[0], slice="2")
    assert any(each.proto.id.endswith("present.switch") for each in app.get("bidi_component"))


def test_uploads_are_presented_in_their_session_alone(open_page):
    app = open_page("analyze", present="1", source="files")
    assert not app.exception and "Your files are no longer in this session" in words_of(app)
    slices = [replace(stacks.slice_of(n, 16, 16), spacing=(2.0, 2.0)) for n in (1, 2)]
    stack = replace(stacks.analyzed(slices).stack, id="upload", shared=False)
    app.session_state[page.UPLOAD] = stack, None, "classifier", View(1)
    app.run()
    assert not app.exception and app.metric[1].value.endswith(" mm²")
    assert "Verdict: ResNet50 classifier, from this slice alone." in words_of(app)
    assert "Your files are no longer" not in words_of(app)


def test_uploads_are_no_part_of_a_route(open_page):
    app = open_page("analyze")
    app.segmented_control[0].set_value("Your files").run()
    unfolded(app)
    add = next(button for button in app.button if button.label == "Add the view above")
    assert add.disabled and "A route goes through samples" in words_of(app)


@pytest.mark.parametrize(("word", "drawn"), [("3d", "bidi_component"), ("area", "plotly_chart")])
def test_a_stop_shows_a_whole_patient(open_page, monkeypatch, word, drawn):
    monkeypatch.setattr(rotating_head, "FEWEST_SLICES", 2)
    app = open_page("analyze", present="1", route=f"{ONE}.2.v{word}..All of it", stop="1")
    assert not app.exception and not app.warning
    assert [each.value for each in app.subheader] == ["All of it"]
    # The stand-in marks slice 2 of three, and the truth is the same.
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Slices with tumor marked"].endswith(" of 3")
    keys = [each.proto.id for each in app.get(drawn)]
    assert any("present.head" in key or "present.area" in key for key in keys)


def test_a_stop_that_shows_what_is_unknown_shows_its_slice(open_page):
    app = open_page("analyze", present="1", route=f"{ONE}.2.vcube", stop="1")
    assert "cannot show “cube”" in words_of(app) and len(app.metric) == 2
