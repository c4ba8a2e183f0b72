"""Words of lessons: terms, questions, pointers to code, and the sheet made of them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from btmodels import registry
from btmodels.teaching.live_training import settings
from btmodels.teaching.receptive_field import Blueprint
from ui.lessons import glossary, page, print_html, questions, source_excerpt, worksheet
from ui.lessons.encoder_decoder import anatomy
from ui.lessons.source_excerpt import Pointer
from ui.results import costs, published

CHECK = """
### How many?
- [ ] one
- [x] two
> There are
> two.

### Why?
- [x] because
- [ ] not
> So it is.
"""
SECTIONS = {"Title", "In short", "Question", "In words", "Try this", "Check", "Code", "Sources"}


def test_a_term_is_bold_once_and_explained_once():
    known = {"pixel"}
    words, first = glossary.resolve(
        "A [[mask]] of [[pixels|pixel]]; [[masks|mask]], a [[box]].", known
    )
    assert words == "A **mask** of pixels; masks, a **box**."
    assert first == ["mask", "box"] and known == {"pixel", "mask", "box"}
    assert glossary.resolve("A [[mask]].", known) == ("A mask.", [])


def test_questions_are_read():
    first, second = questions.parse(CHECK)
    assert (first.words, first.answers, first.right) == ("How many?", ("one", "two"), 1)
    assert first.why == "There are two." and second.right == 0
    assert questions.parse("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "### Q\n- [x] a\n> why",
        "### Q\n- [ ] a\n- [ ] b\n> why",
        "### Q\n- [x] a\n- [x] b\n> why",
        "### Q\n- [x] a\n- [ ] b",
    ],
    ids=["one answer", "none right", "two right", "unexplained"],
)
def test_a_question_that_cannot_be_asked_is_refused(text):
    with pytest.raises(ValueError, match="Received: 'Q'"):
        questions.parse(text)


def test_code_is_found_where_it_lies(tmp_path):
    (tmp_path / "a.py").write_text("X = 1\n\n\ndef f(x):\n    return x\n\n\nY = 2\n")
    (tmp_path / "a.js").write_text(
        "const a = 1;\nexport function g(x) {\n  return {\n    x };\n}\nb();\n"
    )
    assert source_excerpt.excerpt(Pointer("a.py", "f", ""), tmp_path) == (
        4,
        "def f(x):\n    return x",
    )
    line, text = source_excerpt.excerpt(Pointer("a.js", "g", ""), tmp_path)
    assert line == 2 and text == "export function g(x) {\n  return {\n    x };\n}"
    for file, name in (("a.py", "g"), ("a.js", "f"), ("b.py", "f")):
        assert source_excerpt.excerpt(Pointer(file, name, ""), tmp_path) is None


def test_paper_escapes_and_marks_up():
    assert print_html.line("a < b & **c** *d* `*e*`") == (
        "a &lt; b &amp; <strong>c</strong> <em>d</em> <code>*e*</code>"
    )
    assert print_html.line("[x](https://a.org/b_c)") == '<a href="https://a.org/b_c">x</a>'
    assert "<script" not in print_html.line("[x](javascript:alert(1)) <script>")
    assert print_html.blocks("1. a\n   b\n2. c") == "<ol><li>a b</li><li>c</li></ol>"
    assert print_html.blocks("a\nb\n\n- c") == "<p>a b</p>\n<ul><li>c</li></ul>"
    assert print_html.blocks("### h\n- c") == "<h3>h</h3>\n<ul><li>c</li></ul>"


class Reader(HTMLParser):
    """What a document loads, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.loads = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name == "src"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("address", page.LESSONS)
def test_every_lesson_is_complete(address):
    text = page.text_of(address)
    assert set(text) >= SECTIONS
    assert len(questions.parse(text["Check"])) == 2
    assert text["Try this"].count("**Expect:**") >= 2
    pointers = source_excerpt.parse(text["Code"])
    assert pointers and len(pointers) == text["Code"].count("\n- ") + 1
    assert [p for p in pointers if source_excerpt.excerpt(p) is None] == []
    assert [
        t for part in text.values() for t in glossary.marked(part) if t not in glossary.terms()
    ] == []


def test_figures_in_the_words_are_those_of_networks_and_studies():
    words = page.text_of("encoder-decoder")
    one, other = (
        costs.cost_of(name, registry.load_record(name)) for name in ("sequential", "unet")
    )
    told = words["Two trained networks on this slice"]
    chain = Blueprint(
        "chain", (16, 24, 32, 32, 24, 16), convs=1
    )  # held to the shipped one elsewhere
    assert chain.parameters == one.parameters
    sees = chain.stages[-1].sees
    assert f"a square of {sees} × {sees} pixels" in told
    assert "about one and a half times the work" in told
    assert other.multiply_adds / one.multiply_adds == pytest.approx(1.5, abs=0.1)
    assert "sixty times the parameters" in told
    assert other.parameters / one.parameters == pytest.approx(60, rel=0.1)
    bottom = next(stage for stage in anatomy.blocks() if stage.name == "bottleneck")
    inside = words["Inside the U"]
    assert f"{bottom.channels} maps of {bottom.size} × {bottom.size} numbers" in inside
    experts = published.load()["experts"]
    band = f"{experts['mean_dice']:.2f} ± {experts['spread']:.2f}"
    assert band in page.text_of("segmentation")["In words"]
    before = page.text_of("train")["In words"]
    assert f"slices of {settings.SIZE} × {settings.SIZE} pixels" in before


@pytest.mark.parametrize("address", page.LESSONS)
def test_every_source_of_a_lesson_is_numbered_and_used(address):
    text = dict(page.text_of(address))
    listed = re.findall(r"^(\d+)\. .*\]\(https://", text.pop("Sources"), re.MULTILINE)
    assert listed == [str(number) for number in range(1, len(listed) + 1)]
    groups = re.findall(r"\[(\d+(?:, \d+)*)\]", "\n".join(text.values()))
    assert {number for group in groups for number in group.split(", ")} == set(listed)


@pytest.mark.parametrize("address", page.LESSONS)
def test_every_sheet_prints_by_itself_with_answers_apart(address):
    text = page.text_of(address)
    document = worksheet.sheet(text)
    reader = Reader()
    reader.feed(document)
    assert reader.open == [] and reader.loads == [] and "[[" not in document
    assert worksheet.SCREEN not in document
    asked, answered = document.split('<h2 class="answers">')
    for question in questions.parse(text["Check"]):
        assert print_html.line(question.words) in asked
        assert (
            print_html.line(question.why) in answered and print_html.line(question.why) not in asked
        )
    assert "Not a medical device" in document
