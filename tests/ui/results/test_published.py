"""Published results: each figure with its protocol and source, and none typed twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ui.results import published
from ui.shared.content import sections

ROOT = Path(__file__).resolve().parents[3]
SYSTEMS = published.load()["systems"]


@pytest.mark.parametrize("each", SYSTEMS, ids=[each["system"] for each in SYSTEMS])
def test_each_system_says_who_was_split_how_many_whether_chosen_and_where_it_is_told(each):
    assert set(each["figures"]) <= set(published.FIGURES)
    assert all(0 < value < 1 for value in each["figures"].values())
    assert each["split"] in ("patients", "slices", "slices of every patient", "not stated")
    assert each["selected"] in ("yes", "no", "not stated")
    assert each["read"] in published.READ
    assert each["patients"] and each["protocol"].endswith(".")
    assert each["source"] and each["url"].startswith("https://")


def test_the_authors_figures_and_the_experts_are_there():
    content = published.load()
    assert (content["experts"]["mean_dice"], content["experts"]["spread"]) == (0.84, 0.02)
    assert SYSTEMS[0]["figures"] == {"mean_dice": 0.836, "median_dice": 0.8733}


def test_beside_our_patients_stand_only_figures_of_patients():
    titles = {row.title for row in published.rows_of_patients()}
    by_patient = {each["system"] for each in SYSTEMS if each["split"] == "patients"}
    assert "Buda 2019, U-Net" in titles and titles < by_patient
    assert all(row.mean is not None for row in published.rows_of_patients())


def test_a_system_without_a_score_says_so():
    rows = {each["system"]: published.figures_in_words(each["figures"]) for each in SYSTEMS}
    without = [each["system"] for each in SYSTEMS if not each["figures"]]
    assert without
    assert {rows[name] for name in without} == {"no score published"}


def test_figures_are_shown_as_published():
    assert published.figures_in_words(SYSTEMS[0]["figures"]) == "mean Dice 0.836, median 0.8733"


@pytest.mark.parametrize("jaccard, dice", [(1.0, 1.0), (0.5, 2 / 3), (0.0, 0.0)])
def test_jaccard_becomes_dice(jaccard, dice):
    assert published.dice_of(jaccard) == pytest.approx(dice)


def test_protocols_and_readers_name_every_source():
    words = published.protocols() + published.readers()
    content = published.load()
    for each in (*content["systems"], *content["readers"], content["experts"]):
        assert f"]({each['url']})" in words


def test_without_the_file_there_is_nothing_to_show(tmp_path):
    assert published.load(tmp_path) == {"experts": None, "readers": [], "systems": []}


def test_other_texts_give_the_same_figures():
    content = published.load()
    experts, authors = content["experts"], SYSTEMS[0]["figures"]
    shown = f"{experts['mean_dice']:.2f} ± {experts['spread']:.2f}"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    about = "\n".join(sections("lessons/about.md").values())
    for text in (readme, about):
        assert set(re.findall(r"\d\.\d+ ± \d\.\d+", text)) <= {shown}
    assert shown in about
    assert f"mean Dice of {authors['mean_dice']:.3f}" in about
    assert f"median of {authors['median_dice']:.3f}" in about
