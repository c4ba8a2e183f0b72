"""Pictures of the handouts: each lesson's first figure, described by the results it shows.

``python -m tests.ui.lessons.pictures`` takes them again, with the projector's links. It needs a Chromium.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable

import numpy as np
from PIL import Image
from PIL.ExifTags import Base
from playwright.sync_api import sync_playwright

from btmodels import registry
from btmodels.inference import worker
from btmodels.metrics import overlap
from btmodels.paths import ASSETS
from btmodels.slices import Slice
from btmodels.teaching.first_kernels import first_kernels
from btmodels.transforms.postprocess import binarize
from tests.browser.conftest import FLAGS, ROOT, serve
from tests.ui.lessons.bundled import lesion_slices, nearest_slices
from ui.lessons import page, projector
from ui.lessons.measuring import measuring
from ui.lessons.transfer import kernels
from ui.lessons.two_steps import two_steps

FOLDER = ASSETS / "figures" / "lessons"
WAIT_MILLISECONDS = 5000
"""Until a figure's networks have answered, once the figure is there."""


def _named(each: Slice) -> str:
    digest = hashlib.sha256(each.pixels.tobytes()).hexdigest()[:12]
    return f"{each.patient}, slice {each.number}, pixels {digest}"


def _first() -> str:
    return _named(lesion_slices()[0])


def _measured() -> str:
    (each,) = [each for each in lesion_slices() if measuring.USUAL.startswith(each.patient)]
    record = registry.load_record(registry.get("default").name)
    (probabilities,) = worker.get_predictor(record.name, ASSETS).segment([each.pixels])
    mask = binarize(probabilities, record.threshold, record.min_component_pixels)
    return f"{_named(each)}, dice {overlap.dice(overlap.count(mask, each.truth)):.2f}"


def _divided() -> str:
    made = nearest_slices("slices", 1)
    return f"same head {made['same']:.0%}, median distance {made['median']:.2f}"


def _kernel() -> str:
    weights = first_kernels(kernels.NETWORK)[..., 0]
    return f"{_first()}, kernel {' '.join(f'{each:.2f}' for each in np.ravel(weights))}"


def _trained() -> str:
    last = _content("training_example")["results"][-1]
    return f"loss {last['loss']:.3f}, dice {last['dice']:.3f}"


def _cascaded() -> str:
    counts = _content(registry.get(two_steps.CLASSIFIER).name)["test"]["confusion"]
    dice = _content(registry.get(two_steps.SEGMENTER).name)["test"]["mean_dice"]
    return f"found {counts['tp']}, false alarms {counts['fp']}, mean dice {dice:.3f}"


def _content(name: str) -> dict:
    return json.loads((ASSETS / "metrics" / f"{name}.json").read_text(encoding="utf-8"))


SHOWS: dict[str, Callable[[], str]] = {
    "segmentation": _first,
    "encoder-decoder": _first,
    "measuring": _measured,
    "test-set": _divided,
    "transfer": _kernel,
    "train": _trained,
    "classify-then-segment": _cascaded,
}
"""What each picture shows, as the site computes it now."""


def told(address: str) -> str:
    """Return the description that was stored with a picture when it was taken."""
    with Image.open(FOLDER / f"{address}.webp") as picture:
        return picture.getexif()[Base.ImageDescription]


def take() -> None:
    """Take all pictures from the site as it is, with the bundled patients alone."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with serve(ROOT) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for address, shows in SHOWS.items():
            figure = next(iter(page.LESSONS[address].figures))
            tab = browser.new_page(viewport={"width": 1100, "height": 1000})
            tab.goto(f"{site}/learn?lesson={address}&{projector.KEY}={figure}")
            shown = tab.locator("." + projector.style_of(f"learn.{address}.{figure}"))
            shown.wait_for(timeout=120_000)
            tab.wait_for_selector("[data-test-script-state=notRunning]", timeout=120_000)
            tab.wait_for_timeout(WAIT_MILLISECONDS)
            picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
            exif = Image.Exif()
            exif[Base.ImageDescription] = shows()
            picture.save(FOLDER / f"{address}.webp", quality=90, method=6, exif=exif)
            tab.close()


if __name__ == "__main__":
    take()
