"""Learn lists its lessons, opens each by its address, and reports unknown parts of it."""

from __future__ import annotations

import base64
import re

import pytest

from btmodels.visualize import overlay
from tests import fakes
from tests.pages.conftest import words_of
from tests.ui import stacks
from tests.ui.node import UI
from ui.analyze import uploader
from ui.lessons import glossary, page, questions, slice_choice
from ui.results import experiments
from ui.session import samples
from ui.shared.content import sections


def links_of(app) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_the_overview_lists_the_lessons_there_are(open_page):
    app = open_page("learn")
    assert not app.exception
    titles = [page.text_of(address)["Title"] for address in page.LESSONS]
    *lessons, teachers = links_of(app)
    assert lessons == [f"Begin: {title}" for title in titles]
    assert teachers == "Open the page for teachers"


def test_an_unknown_lesson_gets_a_sentence(open_page):
    app = open_page("learn", lesson="<b>x")
    assert not app.exception
    assert [w.value for w in app.warning] == [
        "This site has no lesson “?b?x”; these are the ones it has."
    ]


@pytest.mark.parametrize("address", page.LESSONS)
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
    text = page.text_of(address)
    assert [title.value for title in app.title] == [text["Title"]]
    assert len(app.get("download_button")) == 1
    assert app.query_params["lesson"] in (address, [address])


@pytest.mark.parametrize("address", page.LESSONS)
def test_answers_are_judged_and_explained(open_page, address):
    app = open_page("learn", lesson=address)
    for number, question in enumerate(questions.parse(page.text_of(address)["Check"]), 1):
        key = f"learn.{address}.check.{number}"
        for wrong in set(range(len(question.answers))) - {question.right}:
            app.radio(key=key).set_value(wrong).run()
            (told,) = [each.value for each in app.warning if "Not quite" in each.value]
            # Why this choice is wrong, and not which one is right: there is a second try.
            assert question.because[wrong] in told and "Try again" in told
            assert question.answers[question.right] not in told and question.why not in told
        app.radio(key=key).set_value(question.right).run()
        assert any(question.why in each.value for each in app.success)


def test_answers_survive_leaving_the_lesson(open_page):
    app = open_page("learn", lesson="measuring")
    right = questions.parse(page.text_of("measuring")["Check"])[0].right
    app.radio(key="learn.measuring.check.1").set_value(right).run()
    app.query_params["lesson"] = "transfer"
    app.run()
    del app.query_params["lesson"]
    app.run()
    assert any("1 of 3 questions answered" in each.value for each in app.caption)
    app.query_params["lesson"] = "measuring"
    app.run()
    assert app.radio(key="learn.measuring.check.1").value == right
    assert len(app.success) == 1


@pytest.mark.parametrize("address", page.LESSONS)
def test_each_section_has_an_anchor_and_is_listed_at_the_top(open_page, address):
    app = open_page("learn", lesson=address)
    anchors = {each.proto.anchor: each.value for each in app.header}
    (contents,) = [each.value for each in app.markdown if "](#" in each.value]
    listed = dict(re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", contents))
    assert listed and {anchors[anchor] for anchor in listed.values()} == set(listed)
    assert [each.value for each in app.header] == list(listed)


def test_values_of_a_link_are_checked(open_page):
    app = open_page("learn", lesson="segmentation", step="guess", patient="nobody")
    assert "There is no step “guess” in this lesson; label is shown instead." in words_of(app)
    assert "There is no patient “nobody” in this lesson" in words_of(app)


def test_a_lesson_leads_to_its_neighbors(open_page):
    order = list(page.LESSONS)
    for place, address in enumerate(order):
        labels = links_of(open_page("learn", lesson=address))
        titles = [page.text_of(each)["Title"] for each in order]
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
        "draws": [{"sizes": {"train": 90, "validation": 5, "test": 5}, "mean_dice": dice}],
        "test_patients": 4,
        "shared_patients": shared,
        "score": {
            "mean_dice": dice,
            "median_dice": dice,
            "mean_dice_interval": [dice - 0.1, dice + 0.1],
            "patients": {"a": dice, "b": None, "c": dice},
        },
        "nearest": {
            "same_patient": 0.97,
            "median_distance": 0.3,
            "neighbor_distance": 0.35,
            "slices": [row, row | {"number": 1, "nearest_number": 2, "dice": 0.5}],
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
    drawn, draw = [], overlay.slice_picture
    monkeypatch.setattr(
        overlay,
        "slice_picture",
        lambda each, **options: drawn.append(each) or draw(each, **options),
    )
    app = open_page("learn", lesson="test-set")
    assert not app.exception
    assert [each.number for each in drawn] == [2, 1]
    assert all(each.truth is not None for each in drawn)
    assert {"0.913", "0.625"} <= {metric.value for metric in app.metric}
    words = words_of(app)
    assert "3 of 4 test patients are in training, too" in words
    assert "0 of 4 test patients are in training, too" in words
    assert "Distance **0.25**, the same head. There is no tumor in the test slice" in words
    assert app.slider(key="learn.test-set.pair").value == 1
    app = open_page("learn", lesson="test-set", pair="2")
    assert "scores a Dice of **0.500** on the first one" in words_of(app)
    assert "nearest training slice is of the same head: 97% of test slices" in words
    for row in found["arms"][0]["nearest"]["slices"]:
        row["nearest_patient"] = "TCGA_not_here"
    assert "Set BT_DATA_DIR" in words_of(open_page("learn", lesson="test-set"))


@pytest.mark.parametrize("name", ["measuring", "test-set"])
def test_an_experiment_that_was_not_run_is_said(open_page, monkeypatch, name):
    monkeypatch.setattr(experiments, "read", lambda name: None)
    app = open_page("learn", lesson=name)
    assert not app.exception
    assert any("is not in this copy of the project" in each.value for each in app.info)


STARTS = ("scratch", "frozen", "staged")
FEWER = [(arm, share) for share in (0.1, 0.25, 0.5) for arm in ("scratch", "staged")]
STUDY = (
    *(("vgg16", "segment", arm, 1.0) for arm in STARTS),
    *(("resnet50", "segment", arm, 1.0) for arm in STARTS),
    *(("resnet50", "classify", arm, 1.0) for arm in STARTS),
    *(("vgg16", "segment", *each) for each in FEWER),
    *(("vgg16", "classify", arm, 1.0) for arm in STARTS),
    ("vgg16", "segment", "handed", 1.0),
    ("vgg16", "classify", "handed", 1.0),
    *(("vgg16", "classify", *each) for each in FEWER),
)
"""Encoder, task, start and share of the patients, as `train.experiments.transfer.CELLS` has them and in
its order."""


def study(there: int) -> dict:
    """The file of the study of transfer with its first cells, made up."""

    def made(encoder: str, task: str, arm: str, share: float) -> dict:
        score = 0.5 + 0.2 * (arm != "scratch") + 0.1 * share
        name = "mean_dice" if task == "segment" else "auc"
        curve = [
            {"slices": each, "loss": 1.0, "score": score * each / 960, "cpu_seconds": each / 10}
            for each in range(120, 961, 120)
        ]
        entry = {"shape": [3, 3, 3, 64], "float16": base64.b64encode(bytes(3456)).decode()}
        return {
            "encoder": encoder,
            "task": task,
            "arm": arm,
            "share": share,
            "training_patients": round(70 * share),
            "parameters": 16_000_000,
            "trained_parameters": 1_000_000 if arm == "frozen" else 16_000_000,
            "cpu_seconds": 96.0,
            "curve": curve,
            "score": {name: score, f"{name}_interval": [score - 0.05, score + 0.05]},
            "reached": [
                {"score": 0.5, "slices": 960, "cpu_seconds": 96.0},
                {"score": 0.9, "slices": None, "cpu_seconds": None},
            ],
            "kernels": {"layer": "conv", "moved": 0.1, "before": entry, "after": entry},
        }

    return {
        "command": "python -m train transfer",
        "quick": False,
        "complete": there == len(STUDY),
        "lacks": ["-".join(map(str, cell)) for cell in STUDY[there:]],
        "budget": {"size": 64, "slices": 1000, "parts": 8, "batch_size": 8},
        "data": {"patients": 100, "synthetic": False},
        "sources": {"vgg16": "photographs", "resnet50": "another task"},
        "cells": [made(*cell) for cell in STUDY[:there]],
    }


@pytest.mark.parametrize("there", [3, 11, 26], ids=["begun", "partial", "complete"])
def test_the_study_of_transfer_is_shown_as_far_as_it_went(open_page, monkeypatch, there):
    found = study(there)
    monkeypatch.setattr(experiments, "read", lambda name, *_: found if name == "transfer" else None)
    for encoder, task in dict.fromkeys(cell[:2] for cell in STUDY[:there]):
        shares = [share for *which, _, share in STUDY[:there] if which == [encoder, task]]
        fewer = len(set(shares)) > 1
        link = {"which": f"{encoder}-{task}", "against": "cpu_seconds"}
        app = open_page("learn", lesson="transfer", **link)
        assert not app.exception and not app.warning
        assert len(app.dataframe[0].value) == shares.count(1)
        assert len(app.get("plotly_chart")) == 1 + fewer
        words = words_of(app)
        assert len(app.dataframe) == 2
        assert ("training runs are still missing" in words) is (there < len(STUDY))
        assert "compared" in words.lower()
        assert app.query_params["against"] in ("cpu_seconds", ["cpu_seconds"])


def test_a_slice_of_ones_own_is_offered(open_page):
    app = open_page("learn", lesson="segmentation")
    assert not [button for button in app.button if button.label == "Use your own slice"]
    app.session_state[uploader.OWN] = stacks.analyzed([stacks.slice_of(1, 24, 32)]).stack
    app.run()
    (button,) = [button for button in app.button if button.label == "Use your own slice"]
    button.click().run()
    assert not app.exception
    assert app.selectbox(key="learn.segmentation.patient").value == slice_choice.OWN
    assert not [button for button in app.button if button.label == "Use your own slice"]
    assert "patient" not in app.query_params


@pytest.mark.parametrize("lesson", ["segmentation", "measuring"])
def test_a_real_patient_whom_no_network_has_met_is_shown_first(open_page, monkeypatch, lesson):
    key = f"learn.{lesson}.patient"
    assert open_page("learn", lesson=lesson).selectbox(key=key).value.startswith("SYNT")
    real = samples.library().samples["TCGA_ZZ_0001_20260101"]
    monkeypatch.setattr(samples.Library, "featured", lambda self: (real, "median"))
    app = open_page("learn", lesson=lesson)
    assert app.selectbox(key=key).value == "TCGA_ZZ_0001_20260101" and not app.exception


@pytest.mark.parametrize("address", page.LESSONS)
def test_each_figure_that_can_stand_alone_is_in_its_lesson(address):
    source = "\n".join(path.read_text() for path in (UI / "lessons").rglob("*.py"))
    figures = page.LESSONS[address].figures
    assert figures and all(f'lesson.key("{figure}")' in source for figure in figures)


def test_a_figure_stands_alone_and_leads_back(open_page):
    app = open_page("learn", lesson="measuring", figure="measure")
    assert not app.exception
    styles = "".join(each.proto.body for each in app.get("html"))
    assert ".st-key-learn-measuring-measure," in styles
    assert f"The whole lesson: {page.text_of('measuring')['Title']}" in links_of(app)
    app = open_page("learn", lesson="measuring", figure="nothing")
    assert "There is no figure “nothing” in this lesson" in words_of(app)
    assert "st-key-learn" not in "".join(each.proto.body for each in app.get("html"))


def test_teachers_get_times_answers_handouts_and_figures(open_page):
    app = open_page("learn", lesson="teacher")
    assert not app.exception
    words = words_of(app)
    for address in page.LESSONS:
        text = page.text_of(address)
        notes = sections("lessons/teacher.md")[address]
        assert all(
            f"**{part}.**" in notes for part in ("Time", "Goal", "Before you start", "Pitfalls")
        )
        for asked in (
            *questions.parse(text["Check"]),
            *(t.question for t in questions.tasks(text)),
        ):
            assert glossary.plain(asked.why) in words
    assert len(app.get("download_button")) == len(page.LESSONS)
    figures = [title for entry in page.LESSONS.values() for title in entry.figures.values()]
    assert set(figures) <= set(links_of(app)) and len(set(figures)) == len(figures)
