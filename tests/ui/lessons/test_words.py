"""Words of lessons: terms, questions, pointers to code, and the sheet made of them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from btmodels import registry
from btmodels.teaching import training_slices
from btmodels.teaching.receptive_field import Architecture
from tests.ui.node import UI
from ui.lessons import glossary, markup, page, questions, source_excerpt, worksheet
from ui.lessons.shared import tasks
from ui.lessons.source_excerpt import Pointer
from ui.results import costs, published, scores

CHECK = """
### How many?
- [ ] one
  > One is
  > too few.
- [x] two
> There are
> two.

### Why?
- [x] because
- [ ] not
  > It is so.
> So it is.
"""
SECTIONS = {"Title", "In short", "Question", "In words", "Check", "Code", "Sources"}


def test_each_marked_term_is_a_button_that_explains_it():
    text = "A [[mask]] of **[[pixels|pixel]]** and `<b>`.\n\n| [[Dice]] | a |\n|---|---|\n| b | c |"
    made = glossary.html_of(text)
    assert re.findall(r'data-term="([^"]+)">([^<]+)</button>', made) == [
        ("mask", "mask"),
        ("pixel", "pixels"),
        ("Dice", "Dice"),
    ]
    assert "</button>.</span>" in glossary.html_of("A [[mask]]."), "no line begins with a period"
    assert "&lt;b&gt;" in made and "<table>" in made and "[[" not in made
    assert set(glossary.explanations(text)) == {"mask", "pixel", "Dice"}
    assert glossary.plain("[[pixels|pixel]] of a [[mask]]") == "pixels of a mask"


def test_tasks_are_read_with_what_they_show():
    text = {
        "Task: map 2": 'Do\nthis. What?\n- [x] a\n- [ ] b\n  > no\n> why\nshow: panel {"x": [1, null]}'
    }
    (task,) = questions.tasks(text)
    assert (task.figure, task.question.words, task.question.because) == (
        "map",
        "Do this. What?",
        ("", "no"),
    )
    assert task.show == ("panel", {"x": [1, None]})
    assert questions.tasks(text, "other") == ()


def test_questions_are_read():
    first, second = questions.parse(CHECK)
    assert (first.words, first.answers, first.right) == ("How many?", ("one", "two"), 1)
    assert first.why == "There are two." and second.right == 0
    assert first.because == ("One is too few.", "")
    assert questions.parse("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "### Q\n- [x] a\n> why",
        "### Q\n- [ ] a\n- [ ] b\n> why",
        "### Q\n- [x] a\n- [x] b\n> why",
        "### Q\n- [x] a\n- [ ] b\n  > no",
        "### Q\n- [x] a\n- [ ] b\n> why",
    ],
    ids=["one answer", "none right", "two right", "unexplained", "wrong without a reason"],
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
    assert markup.line("a < b & **c** *d* `*e*`") == (
        "a &lt; b &amp; <strong>c</strong> <em>d</em> <code>*e*</code>"
    )
    assert markup.line("[x](https://a.org/b_c)") == '<a href="https://a.org/b_c">x</a>'
    hostile = markup.blocks("[x](javascript:alert(1)) <script>y</script>\n\n<img src=x onerror=y>")
    assert "<script" not in hostile and "<img" not in hostile and "href" not in hostile


class Reader(HTMLParser):
    """What a document loads, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.loads = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name == "src"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("address", page.LESSONS)
def test_every_lesson_is_complete(address):
    text = page.text_of(address)
    assert set(text) >= SECTIONS
    assert len(questions.parse(text["Check"])) >= 2
    assert len(questions.tasks(text)) >= 2
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
    chain = Architecture(
        "chain", (16, 24, 32, 32, 24, 16), convs=1
    )  # held to the shipped one elsewhere
    assert chain.parameters == one.parameters
    sees = chain.stages[-1].sees
    assert f"a square of {sees} × {sees} pixels" in told
    assert "about one and a half times the work" in told
    assert other.multiply_adds / one.multiply_adds == pytest.approx(1.5, abs=0.1)
    assert "sixty times the parameters" in told
    assert other.parameters / one.parameters == pytest.approx(60, rel=0.1)
    assert "over all test patients they lie far apart" in told
    chained, u = (scores.read(name)[0]["test"]["mean_dice"] for name in ("sequential", "unet"))
    assert u - chained > 0.2
    experts = published.load()["experts"]
    band = f"{experts['mean_dice']:.2f} ± {experts['spread']:.2f}"
    assert band in page.text_of("segmentation")["In words"]
    before = page.text_of("train")["In words"]
    assert f"slices of {training_slices.SIZE} × {training_slices.SIZE} pixels" in before


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
    document = worksheet.sheet(address, text, "https://site.example.org/learn")
    reader = Reader()
    reader.feed(document)
    assert reader.open == [] and "[[" not in document
    (figure,) = reader.loads
    assert figure.startswith("data:image/webp;base64,")
    assert f"https://site.example.org/learn?lesson={address}<" in document
    assert worksheet.SCREEN not in document
    asked, answered = document.split('<h2 class="answers">')
    tried = [task.question for task in questions.tasks(text)]
    assert asked.count("What I saw:") == len(tried)
    assert answered.count(".</strong> ") == len(tried) + text["Check"].count("\n### ") + (
        text["Check"].startswith("### ")
    )
    for question in (*questions.parse(text["Check"]), *tried):
        words, why = (markup.line(glossary.plain(part)) for part in (question.words, question.why))
        assert words in asked and why in answered and why not in asked
    assert "Not a medical device" in document


@pytest.mark.parametrize("address", page.LESSONS)
def test_tasks_stand_beside_a_figure_that_can_show_them(address):
    text = page.text_of(address)
    module = "\n".join(path.read_text() for path in (UI / "lessons").rglob("*.py"))
    scripts = "\n".join(path.read_text() for path in (UI / "lessons").rglob("*.js"))
    for task in questions.tasks(text):
        assert f'tasks("{task.figure}")' in module, task.figure
        if task.show and task.show[0] == tasks.WIDGETS:
            for name in task.show[1]:
                assert re.search(rf'lesson(\.(key|select)\(\s*|,\s+)"{name}"', module), name
        elif task.show:
            assert f'static figure = "{task.show[0]}"' in scripts, task.show


def test_show_me_sets_widgets_as_the_lesson_says_and_nothing_else(monkeypatch):
    state: dict[str, object] = {}
    monkeypatch.setattr(tasks.st, "session_state", state)
    found = questions.tasks(page.text_of("transfer"), "figures")
    for asked in (-1, len(found), "1", None, {"which": "other"}):
        tasks._show(found, asked, "transfer")
    assert not state
    tasks._show(found, 1, "transfer")
    assert state == {"learn.transfer.which": "vgg16-segment"}


def test_right_answers_do_not_give_themselves_away_by_their_length():
    texts = [page.text_of(address) for address in page.LESSONS]
    asked = [each for text in texts for each in questions.parse(text["Check"])]
    asked += [task.question for text in texts for task in questions.tasks(text)]
    longest = [each for each in asked if max(each.answers, key=len) == each.answers[each.right]]
    assert len(longest) <= 0.5 * len(asked), [each.words for each in longest]


def sentences(address: str) -> list[str]:
    text = page.text_of(address)
    asked = [*questions.parse(text["Check"]), *(task.question for task in questions.tasks(text))]
    return [words for each in asked for words in (*filter(None, each.because), each.why)]


@pytest.mark.parametrize("address", page.LESSONS)
def test_what_an_answer_is_told_is_whole_sentences(address):
    for words in sentences(address):
        assert words.endswith((".", "?", "*.")) and not words[0].islower(), words


def test_the_fields_words_are_explained_where_they_first_stand():
    said = {
        t
        for address in page.LESSONS
        for part in page.text_of(address).values()
        for t in glossary.marked(part)
    }
    wanted = {
        "true positive",
        "feature map",
        "backpropagation",
        "fine-tuning",
        "padding",
        "vanishing gradient",
    }
    assert wanted | {"semantic segmentation", "sigmoid", "95% Hausdorff distance"} <= said
    assert "gradient descent" in page.text_of("train")["In words"]
    assert "*same* [[padding]]" in page.text_of("encoder-decoder")["Task: convolution 3"]
    assert "instance segmentation" in page.text_of("segmentation")["In words"]


def test_mended_wording_does_not_come_back():
    told = "\n".join(" ".join(page.text_of(address).values()) for address in page.LESSONS)
    told += "\n".join(path.read_text() for path in (UI / "lessons").rglob("*.[jp][sy]"))
    told += "\n".join(glossary.terms().values())
    odd = (
        "hangs together|taken along|each of them is dear|hands on zeros|Whoever tests|"
        "know this head again|where it was timed|told to mind|as a multiple of marking|seems [+]|"
        "as it was put there|about 1 seconds|Slices without anything|always below Dice|"
        "on other patients.{0,40}would lie"
    )
    assert re.findall(odd, told) == []
    # A repeat does not land in an interval 95 times in 100; the intervals of repeats hold the true mean.
    assert "about 95 of 100 such ranges would contain it" in glossary.terms()["95% interval"]


@pytest.mark.parametrize("address", page.LESSONS)
def test_words_name_no_place_that_a_phone_does_not_have(address):
    told = " ".join(" ".join(page.text_of(address).values()).split())
    placed = re.findall(r"[^.]*\bon the (?:right|left)\b[^.]*\.", told)
    figures = r"\b(?:figure|curve|chart|picture|stand)s?\b"
    assert [each for each in placed if re.search(figures, each)] == []
    if "arrow keys" in told:
        assert "by finger" in told
