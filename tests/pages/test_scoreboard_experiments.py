"""The Scoreboard's experiments: figures of the committed files, and a sentence where there are none."""

import re

import pytest
from streamlit.testing.v1 import AppTest, app_test

from btmodels.inference import engine
from tests import fakes
from tests.pages.conftest import ROOT, _Router, words_of
from ui.results import experiments
from ui.scoreboard import crossval
from ui.scoreboard import experiments as scoreboard_experiments


@pytest.fixture
def board(cohort, monkeypatch):
    """Open the Scoreboard with one experiment chosen."""
    monkeypatch.setattr(app_test, "PagesManager", _Router)
    off = fakes.FakeEngine("off", "The networks are switched off here (BT_ENGINE=off).")
    monkeypatch.setattr(engine, "get_engine", lambda: off)

    def open_(name: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.switch_page("pages/scoreboard.py")
        app.query_params["tab"] = "experiments"
        app.session_state[scoreboard_experiments.CHOSEN] = name
        app.run()
        assert not app.exception
        assert not re.search(r"\bnan\b", words_of(app), re.IGNORECASE)
        return app

    return open_


HEADLINES = {
    "crossval": lambda d: f"{d['mean_dice']:.3f}",
    "screen": lambda d: f"{d['variants'][0]['mean_dice']:.3f}",
    "pairs": lambda d: f"({d['rows'][1]['difference']:+.3f})",
    "leak": lambda d: f"{d['arms'][0]['score']['mean_dice']:.3f}",
    "robustness": lambda d: f"{d['rows'][0]['dice']:.3f}",
    "associate": lambda d: f"{d['patients']} patients",
}
"""What of each file must stand on the page; the rest show theirs in tables and figures."""


@pytest.mark.parametrize("name", experiments.NAMES)
def test_every_experiment_is_drawn_from_its_file_or_said_to_be_missing(board, name):
    app = board(name)
    words, document = words_of(app), experiments.load(name)
    assert experiments.NAMES[name] in [each.value for each in app.subheader]
    if document is None:
        assert "not measured in this copy" in words
        return
    assert "cannot read the file of this experiment" not in words
    commands = [each["command"] for each in (document, *document.get("members", ()))]
    assert all(command in words for command in commands)
    assert HEADLINES.get(name, lambda d: "")(document) in words
    tables = [frame.value for frame in app.dataframe]
    if name == "losses":
        expected = [arm["title"] for arm in document["arms"]]
        assert any(list(t.get("Arm", ())) == expected for t in tables)
    if name == "transfer":
        assert any("First kernels moved" in t for t in tables)


def test_a_missing_file_and_one_of_another_version_are_said(board, monkeypatch):
    monkeypatch.setattr(experiments, "load", lambda name: None)
    assert "not measured in this copy" in words_of(board("leak"))
    monkeypatch.setattr(experiments, "load", lambda name: {"command": "x"})
    assert "cannot read the file of this experiment" in words_of(board("leak"))


OWN = {"name": "unet", "size": 128, "slices": 100}
OTHER = {"name": "resunet", "size": 256, "slices": 100}


def member(recipe: dict, **changed) -> dict:
    return {"name": recipe["name"], "budget": recipe | {"parts": 1, "batch_size": 1} | changed}


@pytest.mark.parametrize(
    "members, expected",
    [
        ([member(OWN), member(OTHER)], None),
        (
            [member(OWN), member(OTHER, slices=99)],
            "99 slices of 256 x 256 pixels, the site's own on 100",
        ),
        (
            [member(OWN), member(OTHER, size=128)],
            "128 x 128 pixels, the site's own on 100 slices of 256",
        ),
        (
            [member(OWN), member(OTHER, slices=99)],
            "the U-Net was trained on 100 slices of 128 x 128 pixels, as the site's",
        ),
    ],
)
def test_what_a_cross_validation_lacks_is_said(members, expected):
    document = {"full_recipe": [OWN, OTHER], "members": members, "network": {"name": "ensemble"}}
    said = crossval.reduced_run(document)
    assert (expected in said and "reduced" in said) if expected else said == ""


def test_one_network_is_held_against_its_own_recipe():
    alone = {"full_recipe": [OWN], "network": {"name": "unet"}}
    assert not crossval.reduced_run(alone | member(OWN))
    assert "reduced run" in crossval.reduced_run(alone | member(OWN, slices=50))
