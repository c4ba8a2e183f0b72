"""What visitors do, in a real browser on the real site."""

from __future__ import annotations

import io
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from playwright.sync_api import TimeoutError

from btmodels import registry
from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.visualize.window import shown_flair


def sample() -> tuple[cohort.Patient, object]:
    """The bundled patient that pages open with, and its slice with the largest tumor."""
    patient = cohort.read_cohort(cohort.samples_root())[0]
    sizes = {f.number: cohort.read_slice(patient, f).truth.sum() for f in patient.files}
    return patient, max(patient.files, key=lambda file: sizes[file.number])


def go_to_uploads(visit, site) -> None:
    visit.open(f"{site}/analyze")
    visit.page.get_by_text("Your files", exact=True).click()
    visit.page.wait_for_selector("input[type=file]", state="attached")
    visit.rest()


def upload(visit, *files) -> None:
    """Put files, paths or (name, bytes), into the uploader."""
    payload = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        for name, data in (
            each if isinstance(each, tuple) else (each.name, each.read_bytes()) for each in files
        )
    ]
    unfold(visit)
    try:
        _put(visit, payload)
    except TimeoutError:  # a page that was still being drawn has replaced the input with its files
        _put(visit, payload)
    visit.page.wait_for_timeout(500)
    visit.rest()


def _put(visit, payload: list[dict]) -> None:
    with visit.page.expect_response(
        lambda answer: "/upload_file/" in answer.url and answer.request.method == "PUT",
        timeout=20_000,
    ):
        visit.page.locator("input[type=file]").set_input_files(payload)


def unfold(visit) -> None:
    """Open what the files fold into once there are some: the uploader, sequences, forgetting."""
    button = visit.page.get_by_role("button", name=re.compile("Your files:"))
    if button.count() and not visit.page.locator("input[type=file]").count():
        button.click()
        visit.page.locator("input[type=file]").wait_for(state="attached")


def forget(visit) -> None:
    """Have the site forget the files, and wait until it has."""
    unfold(visit)
    visit.page.get_by_text("Forget my files").click()
    visit.page.locator("canvas.mask").wait_for(state="detached")


def download(visit, label: str) -> bytes:
    with visit.page.expect_download() as started:
        visit.page.get_by_role("button", name=label, exact=True).click()
    with open(started.value.path(), "rb") as file:
        return file.read()


def test_overview_opens_with_a_segmented_patient(visit, site):
    visit.open(site)
    assert visit.drawn()[..., 3].any()
    assert visit.number("marked").endswith("px")
    words = visit.page.locator("[data-testid=stMain]").inner_text()
    assert "networks verified" in words
    assert "Not a medical device" in words


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_the_web_process_never_loads_tensorflow(visit, site):
    visit.open(f"{site}/analyze")
    loaded = Path(f"/proc/{site.pid}/maps").read_text()
    assert "numpy" in loaded
    assert "tensorflow" not in loaded


def test_a_sample_is_analyzed_in_two_steps(visit, site):
    visit.open(f"{site}/analyze")
    visit.page.wait_for_url("**/analyze?**")
    visit.wait_for_mask()
    visit.rest()
    words = visit.page.locator("[data-testid=stMain]").inner_text()
    assert words.index("Is there a tumor?") < words.index("Where?")
    patient, file = sample()
    assert f"patient={patient.folder}&slice={file.number}" in visit.page.url
    truth = cohort.read_slice(patient, file).truth
    score = overlap.dice(overlap.count(visit.drawn()[..., 3] > 0, truth))
    assert visit.number("dice") == f"{score:.3f}"


def test_what_is_dragged_reaches_the_server_only_on_release(visit, site):
    visit.open(f"{site}/analyze")
    before, marked = len(visit.frames), visit.number("marked")
    for name, share in (("threshold", 0.9), ("opacity", 0.2), ("slice", 0.3)):
        seen = len(visit.frames)
        visit.drag(name, share)
        assert len(visit.frames) == seen, f"dragging {name} told the server"
        if name == "threshold":
            assert visit.number("marked") != marked
        visit.let_go()
    visit.page.wait_for_url(re.compile(r"threshold=0\.[89]"))
    assert len(visit.frames) > before


def test_the_exported_mask_is_the_one_that_is_drawn(visit, site):
    visit.open(f"{site}/analyze")
    threshold = registry.load_record("default").threshold
    assert f"threshold={threshold}" in visit.page.url
    for which in ("the network's own", "set manually"):
        visit.page.get_by_text(f", {which}.").wait_for()
        exported = tifffile.imread(io.BytesIO(download(visit, "Mask")))
        assert exported.dtype == np.uint8
        assert np.array_equal(exported, np.where(visit.drawn()[..., 3] > 0, 255, 0))
        assert f"{np.count_nonzero(exported):,} px" == visit.number("marked")
        visit.drag("threshold", 0.75)
        visit.let_go()


def test_a_tiff_and_a_png_of_it_get_the_same_mask(visit, site):
    _, file = sample()
    picture = Image.fromarray(tifffile.imread(file.image))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    go_to_uploads(visit, site)
    masks = []
    for name, data in (("a.tif", file.image.read_bytes()), ("b.png", buffer.getvalue())):
        upload(visit, (name, data))
        visit.page.locator('input[name="slice"]').focus()
        visit.page.keyboard.press("End")
        visit.wait_for_mask(name)
        masks.append(visit.drawn()[..., 3])
        shown = shown_flair(np.array(picture)).astype(int)
        assert np.abs(visit.drawn("image")[..., 0] - shown).max() <= 1
    assert masks[0].any() and np.array_equal(*masks)
    assert visit.page.url.endswith("?source=files&files=2")


def test_a_mask_beside_its_slice_gives_a_dice(visit, site):
    _, file = sample()
    go_to_uploads(visit, site)
    upload(visit, ("x.tif", file.image.read_bytes()), ("x_mask.tif", file.mask.read_bytes()))
    visit.wait_for_mask("x.tif")
    truth = tifffile.imread(file.mask) > 0
    score = overlap.dice(overlap.count(visit.drawn()[..., 3] > 0, truth))
    assert visit.number("dice") == f"{score:.3f}"
    assert f"{score:.3f}" in visit.page.get_by_text("Dice against the true mask").inner_text()


def test_garbage_gets_a_sentence_and_the_rest_goes_on(visit, site):
    _, file = sample()
    go_to_uploads(visit, site)
    name = """it's "x" <b>100%20%.tif"""
    upload(visit, ("bad.tif", b"garbage"), ("empty.png", b""), (name, file.image.read_bytes()))
    visit.page.locator('.stage[data-mask="drawn"]').wait_for()
    visit.rest()
    assert visit.page.locator(".stage").get_attribute("data-slice") == name
    assert visit.page.get_by_text(name, exact=True).count() == 2  # over the picture and beside it
    visit.page.locator(".st-key-remarks summary").click()
    visit.page.locator("[data-testid=stAlert]").first.wait_for()
    errors = visit.page.locator("[data-testid=stAlert]").all_inner_texts()
    assert any("bad.tif" in error for error in errors)
    assert any("empty.png" in error for error in errors)
    forget(visit)


def test_altered_weights_draw_no_mask_anywhere(visit, altered_site):
    # A deep link is the very first visit to this server: the frame must be there all the same.
    for path in ("/analyze", "/", "/about"):
        visit.open(altered_site + path, mask=False)
        visit.page.wait_for_selector("h1")
        words = visit.page.locator("[data-testid=stApp]").inner_text()
        assert "has been altered" in words
        assert "Overview" in words and "Not a medical device" in words
        if path != "/about":
            visit.page.wait_for_selector('.stage[data-mask="none"]', state="attached")
            assert not visit.drawn()[..., 3].any()
            assert visit.number("marked") == "–"
        keep = visit.page.locator("[data-testid=stDownloadButton]")
        assert keep.filter(has_text="Mask").count() == 0


def test_a_browser_that_leaves_in_mid_upload_disturbs_nobody(visit, site, browser):
    other = browser.new_context().new_page()
    other.set_default_timeout(120_000)
    other.goto(f"{site}/analyze?source=files")
    box = other.locator("input[type=file]").first
    box.wait_for(state="attached")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    other.context.new_cdp_session(other).send("Network.emulateNetworkConditions", slow)
    large = {"name": "large.tif", "mimeType": "image/tiff", "buffer": bytes(2_000_000)}
    with other.expect_request(lambda request: "upload_file" in request.url):
        box.set_input_files(large)
    other.context.close()  # 40 seconds before all of it would have arrived
    visit.open(f"{site}/analyze")
    with urllib.request.urlopen(f"{site}/_stcore/health") as answer:
        assert answer.read() == b"ok"
