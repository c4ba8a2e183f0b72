"""Each lesson once, as a learner goes through it: the picture changes, and the score with it."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.slices import FLAIR
from btmodels.teaching.receptive_field import Architecture
from ui.lessons import handout
from ui.lessons import page as lessons

PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True}
LAPTOP = {"width": 1280, "height": 720}
PATIENT = "SYNT_AA_0001_20260101"
NUMBER = 13
"""Of the slice that the lessons begin with: the one with most of this patient's tumor."""


@pytest.fixture(scope="module")
def first():
    """The slice that lessons begin with, as the library reads it."""
    root = cohort.find_root(cohort.samples_root(paths.ASSETS))
    patient = next(each for each in cohort.read_cohort(root) if each.folder == PATIENT)
    slices, _ = cohort.read_slices(patient)
    return next(each for each in slices if each.number == NUMBER)


def open_lesson(visit, site: str, query: str, ready: str) -> None:
    """Open a lesson and wait until the engine has marked what is ``ready``."""
    laptop = visit.page.viewport_size["width"] > 640
    if laptop:
        visit.page.set_viewport_size(LAPTOP)
    visit.page.goto(f"{site}/learn?lesson={query}")
    visit.page.locator(ready).first.wait_for(state="attached", timeout=150_000)
    visit.rest()
    if laptop:
        heights = "(figures) => figures.map((each) => each.offsetHeight)"
        tallest = max(visit.page.locator(".lesson").evaluate_all(heights))
        assert tallest <= LAPTOP["height"] - 60, "it does not fit below the bar at the top"
        stretched = """(pictures) => pictures.map(
            (each) => each.clientWidth / each.clientHeight / (each.width / each.height)
        )"""
        ratios = visit.page.locator(".lesson .frame canvas.image").evaluate_all(stretched)
        assert ratios == pytest.approx([1] * len(ratios), abs=0.01)


def choose(visit, selector: str) -> None:
    """Choose a radio button whose label lies over it."""
    visit.page.locator(selector).check(force=True)
    visit.page.wait_for_timeout(150)


def score_of(marked: np.ndarray, truth: np.ndarray) -> str:
    return f"{overlap.dice(overlap.count(marked, truth)):.3f}"


def test_segmentation(visit, site, first):
    open_lesson(
        visit, site, "segmentation&step=box&way=threshold&level=80", ".types .stage[data-step=box]"
    )
    box = visit.drawn(within=".types")[..., 3] > 0
    rows, cols = np.nonzero(first.truth)
    expected = np.zeros_like(first.truth)
    expected[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1] = True
    assert (box == expected).all()
    assert visit.number("dice", ".types") == score_of(expected, first.truth)
    choose(visit, ".types [value=pixels]")
    assert (visit.drawn(within=".types")[..., 3] > 0).sum() == first.truth.sum()
    assert visit.number("dice", ".types") == "1.000"
    visit.view("step=pixels")

    # The truth and the scores are nowhere until they are asked for.
    assert visit.number("dice", ".marking") == "–"
    assert not visit.page.locator(".marking path.truth").first.get_attribute("d")
    visit.page.locator("[name=compare]").click()
    visit.page.wait_for_timeout(150)

    # A threshold from the link, then moved in the browser without a message to the server.
    flair = first.pixels[..., FLAIR]
    assert ((visit.drawn(within=".marking")[..., 3] > 0) == (flair >= 80)).all()
    assert visit.number("dice", ".marking") == score_of(flair >= 80, first.truth)
    visit.rest()
    sent = len(visit.frames)
    visit.drag("level", 0.45)
    assert len(visit.frames) == sent
    level = int(visit.page.locator("[name=level]").input_value())
    assert level != 80 and visit.number("dice", ".marking") == score_of(flair >= level, first.truth)
    visit.let_go()
    visit.view(f"level={level}")
    visit.page.locator("[name=best]").click()
    best = max(score_of(flair >= each, first.truth) for each in range(256))
    visit.page.wait_for_timeout(150)
    assert visit.number("dice", ".marking") == best

    # A region from a click, and by keys alone.
    choose(visit, ".way [value=region]")
    assert visit.number("dice", ".marking") == "–"
    frame = visit.page.locator(".marking .frame")
    frame.click(position=position(frame, 148, 57))
    visit.view("row=57&column=148")
    grown = visit.drawn(within=".marking")[..., 3] > 0
    assert grown[57, 148] and visit.number("dice", ".marking") == score_of(grown, first.truth)
    frame.press("ArrowDown")
    frame.press("Enter")
    visit.view("row=58&column=148")

    # The network's, as the engine has it.
    choose(visit, ".way [value=network]")
    marked = visit.drawn(within=".marking")[..., 3] > 0
    assert visit.number("dice", ".marking") == score_of(marked, first.truth) > "0.8"

    # What a task is about: the best of all levels.
    task = visit.page.locator("[data-task='segmentation marking-methods 1']")
    task.get_by_role("button", name="Show me").click()
    visit.view("way=threshold")
    assert visit.number("dice", ".marking") == best


@pytest.mark.parametrize("visit", [PHONE], ids=["phone"], indirect=True)
def test_a_mask_is_drawn_by_finger_and_scored_as_the_library_scores_it(visit, site, first):
    open_lesson(visit, site, "segmentation&way=hand", ".marking .stage[data-way=hand]")
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    frame = visit.page.locator(".marking .frame")
    visit.touch(".tool label:has([value=brush])")
    visit.touch("[name=radius]", (0.25, 0.5), (0.75, 0.5))
    assert int(visit.page.locator("[name=radius]").input_value()) > 8
    visit.touch(".marking .frame", (0.55, 0.25), (0.6, 0.35))
    at = visit.page.evaluate(SCROLLED)
    visit.touch(".marking .frame", (0.6, 0.35), (0.6, 0.25))
    assert visit.page.evaluate(SCROLLED) == at > 0  # a finger that draws does not scroll
    assert visit.number("dice", ".marking") == "–"  # not while it is being drawn
    visit.touch("[name=compare]")
    visit.page.get_by_role("button", name="Hide the truth").wait_for()  # a slow page is tapped late
    visit.page.wait_for_timeout(150)
    drawn = visit.drawn(within=".marking")[..., 3] > 0
    assert drawn.sum() > 500
    assert visit.number("dice", ".marking") == score_of(drawn, first.truth)
    ranked = visit.page.locator(".scores li[data-way=hand] strong").inner_text()
    assert ranked == visit.number("dice", ".marking")

    # By keys: the pen down, a stretch, and up; undone as one.
    frame.press("Space")
    for _ in range(4):
        frame.press("Shift+ArrowLeft")
    frame.press("Space")
    visit.page.wait_for_timeout(150)
    more = visit.drawn(within=".marking")[..., 3] > 0
    assert more.sum() > drawn.sum()
    visit.page.locator("[name=undo]").click()
    visit.page.wait_for_timeout(150)
    assert ((visit.drawn(within=".marking")[..., 3] > 0) == drawn).all()


def position(frame, col: int, row: int) -> dict[str, float]:
    """Where a pixel of a 256 by 256 slice lies in its frame."""
    box = frame.bounding_box()
    return {"x": box["width"] * (col + 0.5) / 256, "y": box["height"] * (row + 0.5) / 256}


def test_lessons_are_reached_from_the_overview_and_their_address_follows(visit, site):
    visit.open(f"{site}/learn", mask=False)
    visit.page.get_by_role("link", name="Begin: What is segmentation?").click()
    visit.page.wait_for_url("**/learn?lesson=segmentation*")
    visit.page.get_by_role("button", name="pixel").first.click()
    visit.page.get_by_text("The smallest element of an image").wait_for()
    visit.page.get_by_text("65,536: one for each pixel").click()
    visit.page.get_by_text("Yes. 256 × 256 = 65,536").wait_for()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Sheet to print").click()
    assert download.value.suggested_filename == "segmentation.html"
    assert f"{site}/learn?lesson=segmentation<" in download.value.path().read_text("utf-8")
    visit.page.get_by_text("All lessons").click()
    visit.page.wait_for_url("**/learn")
    visit.rest()


LINE_LENGTHS = """(paragraphs) => paragraphs.map((each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom / 12)));
    return each.innerText.length / lines.size;
})"""
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"


def test_each_lesson_opens_at_its_title(visit, site):
    visit.page.goto(f"{site}/learn?lesson=test-set")
    for word in ("Next", "Next", "Previous"):
        title = visit.page.locator("h1").inner_text()
        link = visit.page.get_by_role("link", name=f"{word}: ")
        link.scroll_into_view_if_needed()
        visit.rest()
        assert visit.page.evaluate(SCROLLED) > 500
        link.click()
        visit.page.wait_for_function(
            "(before) => document.querySelector('h1')?.innerText !== before", arg=title
        )
        visit.rest()
        assert visit.page.evaluate(SCROLLED) == 0
        lengths = visit.page.locator("article p").evaluate_all(LINE_LENGTHS)
        assert 55 < max(lengths) <= 75, "characters in a line; a last one that is short counts, too"


def test_what_was_drawn_and_answered_is_still_there_after_another_lesson(visit, site):
    page = visit.page
    open_lesson(visit, site, "segmentation", ".marking .stage[data-way=hand]")
    frame = page.locator(".marking .frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()

    def at(row: int, col: int) -> tuple[float, float]:
        return box["x"] + box["width"] * col / 256, box["y"] + box["height"] * row / 256

    page.mouse.move(*at(50, 140))
    page.mouse.down()
    for corner in ((50, 170), (90, 170), (90, 140)):
        page.mouse.move(*at(*corner), steps=8)
    page.mouse.up()
    page.wait_for_timeout(200)
    drawn = visit.drawn(within=".marking")[..., 3] > 0
    assert drawn.sum() > 30 * 40 * 0.8, "a border is filled when the pen is lifted"
    page.get_by_text("65,536: one for each pixel").click()
    page.get_by_text("Yes. 256 × 256 = 65,536").wait_for()
    page.get_by_role("link", name="Next: ").click()
    page.locator("h1", has_text="Encoder and decoder").wait_for()
    visit.rest()
    page.get_by_role("link", name="Previous: ").click()
    page.locator(".marking .stage[data-way=hand]").wait_for(timeout=60_000)
    visit.rest()
    assert ((visit.drawn(within=".marking")[..., 3] > 0) == drawn).all()
    page.get_by_text("Yes. 256 × 256 = 65,536").wait_for()


def test_a_patient_without_a_tumor_says_so(visit, site):
    query = "segmentation&patient=SYNT_AA_0002_20260101&way=threshold"
    open_lesson(visit, site, query, ".marking .stage[data-way=threshold]")
    visit.page.locator("[name=compare]").click()
    visit.page.wait_for_timeout(200)
    assert (
        "There is no tumor in this slice"
        in visit.page.locator(".marking [data-say=what]").inner_text()
    )
    assert visit.page.locator("[name=best]").is_disabled()


def test_the_magnifying_glass_shows_labels_from_the_first_view(visit, site):
    open_lesson(visit, site, "segmentation&step=pixels", ".types .stage[data-step=pixels]")
    said = visit.page.locator(".types [data-say=pixel]")
    assert "Its label:" in said.inner_text()
    choose(visit, ".types [value=label]")
    assert "Its label:" not in said.inner_text()
    choose(visit, ".types [value=pixels]")
    assert "Its label:" in said.inner_text()


@pytest.mark.parametrize("visit", [PHONE], ids=["phone"], indirect=True)
def test_a_task_is_predicted_shown_and_explained_by_finger(visit, site):
    open_lesson(visit, site, "encoder-decoder", ".convolution .output .stage[data-size]")
    page = visit.page
    task = "[data-task='encoder-decoder convolution 3']"
    visit.touch(f"{task} .expect label")
    assert page.locator(f"{task} [type=radio]").first.is_checked()
    visit.touch(f"{task} [name=show]")
    shown = page.locator(".output .stage[data-size='94x94']")
    shown.wait_for()
    expect(shown).to_be_in_viewport()
    visit.touch(f"{task} [name=answer]")
    answer = page.locator(f"{task} .answer")
    assert answer.get_attribute("data-right") == "false"
    assert "Without padding the kernel cannot stand on the border" in answer.inner_text()


@pytest.mark.parametrize("visit", [PHONE], ids=["phone"], indirect=True)
def test_a_convolution_by_hand(visit, site, first):
    open_lesson(visit, site, "encoder-decoder", ".convolution .output .stage[data-size]")
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    def numbers(name: str) -> list[float]:
        cells = page.locator(f"table.{name} td").all_inner_texts()
        return [float(each.replace("−", "-")) for each in cells]

    stage = page.locator(".output .stage")
    pixels = numbers("pixels")
    weights = [float(each.input_value()) for each in page.locator("table.weights input").all()]
    assert numbers("products") == [a * b for a, b in zip(pixels, weights, strict=True)]
    assert float(stage.get_attribute("data-sum")) == sum(numbers("products"))
    # By finger to another place, by key to the one beside it, and with a number of one's own.
    frame = page.locator(".convolution .input")
    visit.touch(".convolution .input", (0.4, 0.4), (0.6, 0.5))
    moved = numbers("pixels")
    assert moved != pixels
    at = stage.get_attribute("data-at")
    frame.press("ArrowRight")
    page.wait_for_timeout(150)
    assert stage.get_attribute("data-at") != at
    assert [numbers("pixels")[i] for i in (0, 1, 3, 4, 6, 7)] == [
        moved[i] for i in (1, 2, 4, 5, 7, 8)
    ]
    page.locator("table.weights input").nth(4).fill("10")
    page.wait_for_timeout(150)
    assert numbers("products")[4] == 10 * numbers("pixels")[4]
    page.locator("[name=stride]").select_option("2")
    page.locator(".output .stage[data-size='48x48']").wait_for()


def test_the_shortcut_of_a_residual_block_is_taken_away_and_put_back(visit, site):
    open_lesson(visit, site, "encoder-decoder", ".residual[data-first]")
    lesson = visit.page.locator(".residual")
    assert float(lesson.get_attribute("data-first")) > 1
    visit.page.locator("[name=shortcut]").uncheck()
    visit.page.wait_for_timeout(150)
    assert float(lesson.get_attribute("data-first")) == pytest.approx(0.5**16)
    assert "It has vanished" in lesson.locator("[data-say=left]").inner_text()
    visit.page.locator("[name=shortcut]").check()
    visit.page.wait_for_timeout(150)
    assert float(lesson.get_attribute("data-first")) > 1


def test_a_threshold_of_zero_marks_every_pixel(visit, site):
    open_lesson(visit, site, "measuring&threshold=0", ".measure [data-mask=drawn]")
    counts = [
        int(visit.number(each, ".measure").replace(",", "")) for each in ("tp", "fp", "fn", "tn")
    ]
    assert counts[0] + counts[1] == 65_536 and counts[2:] == [0, 0]
    # A term in a table is explained below the table.
    visit.page.get_by_role("button", name="IoU", exact=True).click()
    expect(visit.page.locator("table + aside")).to_contain_text("IoU.")
    assert visit.number("hd95", ".measure").endswith(" px")


def test_measuring(visit, site):
    open_lesson(visit, site, "measuring&score=recall&threshold=0.2", ".measure [data-mask=drawn]")
    outcome = visit.drawn(within=".measure")[..., 3] > 0
    before = {name: visit.number(name, ".measure") for name in ("dice", "recall", "precision")}
    # Five curves, each in a style of its own and in the legend; the chosen one is thick.
    curves = visit.page.locator(".curves path:not(.axis, .here)")
    style = "(lines) => lines.map((each) => getComputedStyle(each).strokeDasharray)"
    assert len(set(curves.evaluate_all(style))) == curves.count() == 5
    assert visit.page.locator(".measure .legend li").all_inner_texts() == (
        ["Dice", "IoU", "Precision", "Recall", "Accuracy"]
    )
    assert visit.page.locator(".curves .chosen").get_attribute("class") == "recall chosen"
    assert outcome.any() and "Recall = " in visit.page.locator("[data-say=formula]").inner_text()
    sent = len(visit.frames)
    visit.drag("threshold", 0.9)
    assert len(visit.frames) == sent
    after = {name: visit.number(name, ".measure") for name in before}
    assert after["recall"] < before["recall"] and after["precision"] > before["precision"]
    counts = overlap.Counts(
        *(int(visit.number(each, ".measure").replace(",", "")) for each in ("tp", "fp", "fn", "tn"))
    )
    assert after["dice"] == f"{overlap.dice(counts):.3f}"
    assert after["precision"] == f"{overlap.precision(counts):.3f}"
    colored = visit.drawn(within=".measure")[..., 3] > 0
    assert colored.sum() == counts.tp + counts.fp + counts.fn
    visit.let_go()
    visit.view("threshold=0.9")

    # Nothing at all: hardly a pixel is wrong, and nothing is found.
    choose(visit, ".mask [value=nothing]")
    assert visit.number("dice", ".measure") == "0.000"
    assert visit.number("precision", ".measure") == "undefined"
    assert visit.number("accuracy", ".measure") > "0.97"
    visit.view("mask=nothing")

    # The averages follow the convention, which a link carries.
    value = visit.page.get_by_test_id("stMetricValue").first
    left_out = value.inner_text()
    open_lesson(visit, site, "measuring&mask=nothing&empty=one", ".measure [data-mask=drawn]")
    assert value.inner_text() > left_out
    assert visit.number("dice", ".measure") == "0.000"
    assert visit.page.locator(".js-plotly-plot").count() == 3

    # What a task shows may be a widget of the page.
    task = visit.page.locator("[data-task='measuring averages 1']")
    task.get_by_role("button", name="Show me").click()
    visit.view("empty=zero")
    visit.rest()
    assert value.inner_text() < left_out


@pytest.mark.parametrize("visit", [PHONE], ids=["phone"], indirect=True)
def test_who_is_in_the_test_set(visit, site):
    open_lesson(visit, site, "test-set&seed=4", ".splits[data-picked]")
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert visit.number("shared").startswith(("7 of", "8 of")) and visit.number("same") > "3"
    expect(visit.page.locator("[data-number=shared]")).to_be_visible()
    testing = visit.page.locator(".dots .testing").count()
    before = visit.drawn("image", ".frame.test")
    visit.page.locator("[name=next]").click()
    assert (visit.drawn("image", ".frame.test") != before).any()
    choose(visit, ".by [value=patients]")
    assert visit.number("shared") == "0 of 2" and visit.number("same") == "0%"
    assert visit.page.locator(".dots .testing").count() != testing
    assert "another head" in visit.page.locator("[data-say=near]").inner_text()
    visit.view("by=patients")
    choose(visit, ".by [value=quiz]")
    kind = visit.page.locator(".splits").get_attribute("data-kind")
    visit.page.locator("[name=seen]").click()
    said = visit.page.locator(".splits [data-say=what]").inner_text()
    assert said.startswith("Right" if kind == "slices" else "No") and f"split by {kind}" in said
    visit.view("by=quiz")


def test_encoder_and_decoder(visit, site, first):
    query = "encoder-decoder&levels=3&block=enc2&skips=1110&resize=stamp32&grid=flat"
    open_lesson(visit, site, query, ".switches input")
    page = visit.page

    # On paper, by the hand alone: fewer levels, and the square on the slice shrinks.
    paper = Architecture("u", (16, 32, 64))
    assert visit.number("parameters", ".builder") == f"{paper.parameters / 1e3:.0f} thousand"
    sees = paper.stages[-1].sees
    assert visit.number("sees", ".builder") == f"{sees} × {sees} px"
    visit.rest()
    sent, unseen = len(visit.frames), (visit.drawn(within=".builder")[..., 3] > 0).sum()
    page.locator("[name=levels]").evaluate("(e) => { e.value = 0; e.oninput(); }")
    assert visit.number("sees", ".builder") == "5 × 5 px"
    assert (visit.drawn(within=".builder")[..., 3] > 0).sum() > unseen > 0
    assert len(visit.frames) == sent

    # Trained networks side by side, scored as the library scores what is drawn.
    for pair, place in itertools.product(("unet", "resunet_small"), ("panel-1", "panel-2")):
        within = f".st-key-learn-encoder-decoder-pair-{pair} .{place}"
        marked = visit.drawn(within=within)[..., 3] > 0
        assert visit.number("dice", within) == score_of(marked, first.truth)

    # Inside the U: a block's maps, what its unit sees, and what the network saw.
    stage = page.locator(".anatomy .stage")
    assert stage.get_attribute("data-block") == "enc2"
    page.locator(".u [data-block=bottleneck]").click()
    top, bottom, *_ = map(int, stage.get_attribute("data-window").split("-"))
    assert (top, bottom) in {
        Architecture("u", (16, 32, 64, 128, 256)).window("bottleneck", u) for u in range(8)
    }
    assert not visit.drawn(within=".anatomy")[..., 3].any()
    page.locator(".maps button").first.click()
    assert visit.drawn(within=".anatomy")[..., 3].any()
    visit.view("block=bottleneck")
    page.locator("[name=measure]").click()
    page.locator(".anatomy .stage[data-map=sight]").wait_for(timeout=60_000)

    # Switches: another mask and another score at once.
    within = ".panels:has(.switches input) .panel-1"
    seen = {}
    for setting in ("1110", "1010", "1011"):
        if setting != "1110":
            page.locator(f"[name=skip{2 if setting == '1010' else 4}]").click()
        assert page.locator(f"{within} .stage").get_attribute("data-setting") == setting
        marked = visit.drawn(within=within)[..., 3] > 0
        assert visit.number("dice", within) == score_of(marked, first.truth)
        seen[setting] = marked.tobytes()
    assert len(set(seen.values())) == 3
    visit.view("skips=1011")

    # The grid: a checkerboard, and none.
    table = page.locator(".pooling table.after")
    assert table.get_attribute("data-sum") == str(16 * 9)
    assert page.locator(".pooling [data-say=step]").inner_text().startswith("The input was flat")
    page.locator(".pooling [name=way]").select_option("stamp22")
    assert set(table.locator("td").all_inner_texts()) == {"1"}
    page.locator(".pooling [name=step]").fill("3")
    assert table.get_attribute("data-sum") == str(3 * 4)
    assert page.locator("[data-testid=stException]").count() == 0


def drawn_anew(visit, before: np.ndarray) -> np.ndarray:
    """Return the map of the kernel once it is another than before."""
    for _ in range(30):
        if ((now := visit.drawn("image", ".kernels")) != before).any():
            return now
        visit.page.wait_for_timeout(100)
    pytest.fail("the map of the kernel stays as it was")


@pytest.mark.parametrize("visit", [PHONE], ids=["phone"], indirect=True)
def test_transfer(visit, site):
    open_lesson(visit, site, "transfer&set=site&kernel=3", "[data-map=site-2-sum]")
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    freezing = visit.page.locator(".freezing")
    assert freezing.get_attribute("data-moves") == "false"
    # No block is cut off by the narrow screen: what scrolls within a page is not seen above.
    blocks = [each.bounding_box() for each in freezing.locator(".blocks > div").all()]
    assert len(blocks) == 9 and all(box["x"] + box["width"] <= 390 for box in blocks)
    # What follows a control is drawn with the next frame.
    visit.touch("[name=done]", (0.02, 0.5), (0.6, 0.5))
    expect(freezing).to_have_attribute("data-moves", "true")
    visit.touch(".arm label:has([value=frozen])")
    expect(freezing).to_have_attribute("data-moves", "false")
    visit.view("arm=frozen")
    before = visit.drawn("image", ".kernels")
    visit.touch(".tiles button:nth-child(10)")
    expect(visit.page.locator("[data-say=kernel]")).to_contain_text("Kernel 10 of 64")
    assert visit.page.locator(".kernels .weights td").count() == 27
    before = drawn_anew(visit, before)
    choose(visit, ".look [value=relu]")
    drawn_anew(visit, before)
    choose(visit, ".sets [value=chance]")
    visit.view("set=chance")
    visit.view("kernel=10")


def test_train_one_now(visit, site):
    open_lesson(visit, site, "train&seed=3&width=4", ".training[data-state=ready]")
    page = visit.page
    sent = len(visit.frames)
    # An earlier run is there to look at.
    cards = page.locator(".training figure.run")
    assert cards.locator("strong").all_inner_texts() == ["an earlier run"]
    assert float(cards.locator("[data-number=dice]").inner_text()) > 0.3
    page.locator("[data-compare=patients]").click()
    # The masks of random numbers are there at once, and change with the first epoch.
    cards.and_(page.locator("[data-epoch='0']")).first.wait_for()
    page.locator("[data-chart=loss] path.trail").first.wait_for(state="attached")
    second = page.locator(".training figure.run").nth(1)
    trained = page.locator(".training figure.run[data-epoch]:not([data-epoch='0'])")
    trained.nth(1).wait_for(timeout=120_000)
    assert cards.locator("strong").all_inner_texts() == ["6 patients", "1 patient"]
    assert 0 < float(second.locator("[data-number=loss]").inner_text()) < 5
    page.get_by_role("button", name="Pause").click()
    # The numbers are those of the epoch that is said to be done.
    page.get_by_text("Paused after epoch").wait_for()
    done = re.search(r"Paused after epoch (\d+)", page.locator("[data-say=state]").inner_text())
    expect(cards.first).to_have_attribute("data-epoch", done[1])
    page.locator("[name=epoch]").fill("0")
    second.and_(page.locator("[data-epoch='0']")).wait_for()
    assert second.locator("[data-number=loss]").inner_text() == "–"
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("four runs are kept").wait_for()
    # One of one's own, beside those: a link sets its controls.
    page.locator(".training summary").click()
    assert page.locator("[name=width]").get_attribute("aria-valuetext") == "4"
    assert len(visit.frames) == sent  # nothing of all this went to the server
    page.get_by_role("button", name="Train this network").click()
    third = page.locator(".training figure.run").nth(2)
    assert third.locator("strong").inner_text() == "4 channels, seed 3"
    # Runs stay while another lesson is looked at.
    page.get_by_role("link", name="Previous").click()
    page.get_by_role("heading", name="Transfer").first.wait_for()
    page.get_by_role("link", name="Next").click()
    third.wait_for()
    page.get_by_text("Paused after epoch").wait_for()


@pytest.mark.parametrize("visit", [PHONE], ids=["phone"], indirect=True)
def test_blocks_of_the_u_can_be_touched_on_a_phone(visit, site):
    open_lesson(visit, site, "encoder-decoder", ".u button")
    boxes = [each.bounding_box() for each in visit.page.locator(".u button").all()]
    assert len(boxes) == 10 and min(box["width"] for box in boxes) >= 44
    assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_is_there_one_and_where(visit, site, first):
    ready = ".two-steps .stage[data-asked=true]"
    open_lesson(visit, site, "classify-then-segment", ready)
    page = visit.page
    alone = page.locator(".two-steps [data-say=mask]").inner_text()
    assert "pixels are marked, Dice 0." in alone
    page.locator(".two-steps [name=heat]").wait_for()
    page.wait_for_function(
        "(box) => !box.disabled", arg=page.locator(".two-steps [name=heat]").element_handle()
    )
    page.locator(".two-steps [name=heat]").check()
    page.locator(".two-steps .stage[data-heat=true]").wait_for()
    assert visit.drawn(within=".two-steps")[..., 3].any()
    page.locator(".two-steps [name=threshold]").fill("1")
    page.locator(".two-steps .stage[data-asked=false]").wait_for()
    assert "Not run" in page.locator(".two-steps [data-say=mask]").inner_text()
    assert "A miss" in page.locator(".two-steps [data-say=verdict]").inner_text()

    # All recorded slices: the lower the threshold, the more are found and the more alarms are raised.
    def found() -> tuple[int, int]:
        texts = (visit.number(name, ".cascade") for name in ("found", "alarms"))
        return tuple(int(text.split(" of ")[0].replace(",", "")) for text in texts)

    stored = found()
    page.locator(".cascade [name=threshold]").fill("0.02")
    page.locator(".cascade[data-threshold='0.02']").wait_for()
    assert found()[0] >= stored[0] and found()[1] > stored[1]
    page.locator(".cascade [name=stored]").click()
    page.wait_for_timeout(150)
    assert found() == stored


def test_a_teacher_gets_a_handout_and_a_figure_alone(visit, site):
    visit.open(f"{site}/learn?lesson=teacher", mask=False)
    page = visit.page
    with page.expect_download() as download:
        page.get_by_role("button", name="Handout of one page").first.click()
    made = download.value.path().read_text(encoding="utf-8")
    assert f"{site}/learn?lesson=segmentation<" in made
    page.get_by_role("link", name="A convolution by hand").click()
    page.locator(".convolution canvas").first.wait_for()
    visit.rest()
    assert not page.get_by_role("heading").filter(visible=True).count()
    assert not page.get_by_text("Check", exact=True).filter(visible=True).count()
    page.get_by_role("link", name="The whole lesson").click()
    page.get_by_role("heading", name="Encoder and decoder").wait_for()
    assert "figure" not in page.url


def test_a_handout_is_one_page(browser):
    page = browser.new_page()
    for address in lessons.LESSONS:
        page.set_content(handout.page(address, lessons.text_of(address), "https://a.example/learn"))
        printed = page.pdf(format="A4", prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b", printed)) == 1, address
    page.close()
