"""The handout: one page with the figure, a link that a phone can read, and room for observations."""

from __future__ import annotations

import base64
import io
import json
import re

import cv2
import numpy as np
import pytest
import segno
from PIL import Image
from PIL.ExifTags import Base

from btmodels import registry
from btmodels.paths import ASSETS
from ui.lessons import handout, page, projector, questions
from ui.lessons.two_steps import two_steps

URL = "https://site.example.org/lab/learn?lesson=teacher#train"


@pytest.mark.parametrize("address", page.LESSONS)
def test_it_has_question_figure_link_and_table_and_loads_nothing(address):
    text = page.text_of(address)
    made = handout.page(address, text, URL)
    assert f"https://site.example.org/lab/learn?lesson={address}<" in made
    (figure,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', made)
    width, height = Image.open(io.BytesIO(base64.b64decode(figure))).size
    assert width >= 900 and height < width
    assert not re.findall(r'(?:src|href)="(?!data:|https://)', made) and "[[" not in made
    assert re.search(r"<svg[^>]* viewBox=", made), (
        "without it the code stays as small as its modules"
    )
    rows = made.split("<tbody>")[1].split("</tbody>")[0].count("<tr>")
    assert rows == min(5, len(questions.tasks(text)))
    # Answers are the teacher's.
    assert not any(each.why in made for each in questions.parse(text["Check"]))


def test_a_phone_reads_the_link():
    link = handout.address_of("train", URL)
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(drawn, kind="png", scale=6, border=4)
    picture = cv2.imdecode(np.frombuffer(drawn.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == link


def test_a_lesson_without_a_picture_still_prints(monkeypatch, tmp_path):
    monkeypatch.setattr(handout, "ASSETS", tmp_path)
    assert "<img" not in handout.page("train", page.text_of("train"), URL)


def test_there_is_a_picture_for_each_lesson_and_no_other():
    there = {path.stem for path in (ASSETS / "figures" / "lessons").glob("*.webp")}
    assert there == set(page.LESSONS)


@pytest.mark.parametrize(
    ("address", "file", "names"),
    [
        ("classify-then-segment", registry.get(two_steps.SEGMENTER).name, ("mean_dice",)),
        ("train", "training_example", ("loss", "dice")),
    ],
)
def test_a_picture_shows_the_results_that_the_site_has_now(address, file, names):
    content = json.loads((ASSETS / "metrics" / f"{file}.json").read_text(encoding="utf-8"))
    now = content["test"] if "test" in content else content["results"][-1]
    picture = Image.open(ASSETS / "figures" / "lessons" / f"{address}.webp")
    told = picture.getexif()[Base.ImageDescription]
    assert told == ", ".join(f"{name} {now[name]:.3f}" for name in names), (
        "take the picture again by its link for the projector, and describe it anew"
    )


def test_keys_become_the_class_that_streamlit_gives():
    assert projector.style_of("learn.test-set.splits") == "st-key-learn-test-set-splits"
