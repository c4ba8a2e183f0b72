"""The handout: one page with the figure, a link that a phone can read, and room for observations."""

from __future__ import annotations

import base64
import io
import re

import cv2
import numpy as np
import pytest
import segno
from PIL import Image

from btmodels.paths import ASSETS
from tests.ui.lessons import pictures
from ui.lessons import glossary, handout, page, paper, projector, questions
from ui.shared.content import sections

URL = "https://site.example.org/lab/learn?lesson=teacher#train"


@pytest.mark.parametrize("address", page.LESSONS)
def test_it_has_question_figure_link_and_table_and_loads_nothing(address):
    text = page.text_of(address)
    made = handout.page(address, text, URL)
    assert f"https://site.example.org/lab/learn?lesson={address}<" in made
    (figure,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', made)
    picture = Image.open(io.BytesIO(base64.b64decode(figure)))
    assert picture.width >= 900 and picture.height < picture.width
    assert np.asarray(picture).std() > 20, "blank"
    assert not re.findall(r'(?:src|href)="(?!data:|https://)', made) and "[[" not in made
    assert re.search(r"<svg[^>]* viewBox=", made), (
        "without it the code stays as small as its modules"
    )
    rows = made.split("<tbody>")[1].split("</tbody>")[0].count("<tr>")
    assert rows == min(5, len(questions.tasks(text)))
    # Answers are the teacher's.
    assert not any(each.why in made for each in questions.parse(text["Check"]))


def test_a_phone_reads_the_link():
    link = paper.address_of("train", URL)
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(drawn, kind="png", scale=6, border=4)
    picture = cv2.imdecode(np.frombuffer(drawn.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == link


def test_a_lesson_without_a_picture_still_prints(monkeypatch, tmp_path):
    monkeypatch.setattr(paper, "ASSETS", tmp_path)
    assert "<img" not in handout.page("train", page.text_of("train"), URL)


def test_there_is_a_picture_for_each_lesson_and_no_other():
    there = {path.stem for path in (ASSETS / "figures" / "lessons").glob("*.webp")}
    assert there == set(page.LESSONS)


@pytest.mark.parametrize("address", page.LESSONS)
def test_a_picture_shows_the_results_that_the_site_has_now(address):
    assert pictures.told(address) == pictures.SHOWS[address](), (
        "take the pictures again: python -m tests.ui.lessons.pictures"
    )


@pytest.mark.parametrize("address", page.LESSONS)
def test_minutes_for_teachers_follow_from_words_tasks_and_questions(address):
    words, text = sections("lessons/teacher.md"), page.text_of(address)
    assert (
        "200 words a minute, two minutes for each task and one for each question"
        in (words["In short"])
    )
    read = [part for heading, part in text.items() if heading not in ("Code", "Sources")]
    minutes = len(" ".join(map(glossary.plain, read)).split()) / 200
    minutes += 2 * len(questions.tasks(text)) + len(questions.parse(text["Check"]))
    (told,) = re.findall(r"\*\*Time\.\*\* (\d+) minutes", words[address])
    assert abs(int(told) - minutes) < 3  # a little over half of the step, since texts change


def test_minutes_of_the_overview_are_those_for_teachers():
    words = sections("lessons/teacher.md")
    *others, longest = sorted(
        (int(re.findall(r"\*\*Time\.\*\* (\d+) minutes", words[address])[0]), address)
        for address in page.LESSONS
    )
    assert (
        f"Allow {others[0][0]} to {others[-1][0]} minutes for a lesson and {longest[0]} for "
        f"*{page.text_of(longest[1])['Title']}*"
    ) in sections("cards/learn.md")["Sentence"]


def test_keys_become_the_class_that_streamlit_gives():
    assert projector.style_of("learn.test-set.splits") == "st-key-learn-test-set-splits"
