"""Prose and favicon of the pages are there."""

from __future__ import annotations

import pytest
from PIL import Image

from btmodels.paths import ASSETS
from ui.shared import badges
from ui.shared.content import sections


def test_a_text_is_read_by_its_headings(tmp_path, monkeypatch):
    monkeypatch.setattr("ui.shared.content.ASSETS", tmp_path)
    (tmp_path / "t.md").write_text("# Title\nfirst\n\n## One\na\n### Sub\nb\n\n## Two\nc\n")
    assert sections("t.md") == {"": "first", "One": "a\n### Sub\nb", "Two": "c"}
    assert sections("missing.md") == {}


@pytest.mark.parametrize(
    ("name", "headings"),
    [
        ("cards/notice.md", [""]),
        ("cards/overview.md", ["Headline", "Sentence", "Reasons"]),
        ("cards/analyze.md", ["Headline", "Sentence", "Link", "Upload"]),
    ],
)
def test_pages_find_their_words(name, headings):
    found = sections(name)
    assert all(found[heading] for heading in headings)


def test_overview_has_words_for_each_way_to_choose_a_patient():
    found = sections("cards/overview.md")
    assert all(found[f"Featured: {chosen}"] for chosen in ("bundled", "held out", "median"))


def test_every_provenance_has_a_badge():
    labels = {name: badges.badge_of(name).label for name in (*badges.BADGES, "nonsense")}
    assert labels["train"] == "trained on"
    assert labels["test"] == labels["reference"] == "never seen"
    assert labels["nonsense"] == labels["unknown"]


def test_the_favicon_is_a_small_local_png():
    with Image.open(ASSETS / "figures" / "favicon.png") as icon:
        assert icon.format == "PNG" and max(icon.size) <= 128
