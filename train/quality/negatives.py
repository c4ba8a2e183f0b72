"""Pictures of many kinds that are not slices of a head, to fit and to score the input check.

The two parts never share a picture: photographs and DICOM files are split by file, and drawn pictures use
different random numbers. The files come with scikit-image, scikit-learn and pydicom.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from train.quality import drawn_negatives

PHOTOGRAPHS = {
    "fit": ("astronaut.png", "coffee.png", "motorcycle_left.png", "china.jpg", "page.png"),
    "score": ("chelsea.png", "rocket.jpg", "camera.png", "flower.jpg", "clock_motion.png"),
}
"""Photographs of scikit-image and scikit-learn; one shows a book page."""

SURFACES = {
    "fit": ("brick.png", "gravel.png", "ihc.png", "cell.png"),
    "score": ("grass.png", "microaneurysms.png", "hubble_deep_field.jpg", "text.png"),
}
"""Textures, microscopy, the night sky."""

ROUND = {
    "fit": ("coins.png", "moon.png"),
    "score": ("retina.jpg", "phantom.png", "horse.png", "logo.png"),
}
"""Objects on a uniform background, like a head."""

SCANS = {
    "fit": ("CT_small.dcm",),
    "score": ("693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm"),
}
"""Computed tomography: a trunk; another trunk and a head."""

BODIES = {
    "fit": ("MR_small.dcm", "examples_rgb_color.dcm"),
    "score": (
        "examples_overlay.dcm",
        "examples_jpeg2k.dcm",
        "examples_palette.dcm",
        "examples_ybr_color.dcm",
        "JPEG2000.dcm",
        "ExplVR_BigEnd.dcm",
        "image_dfl.dcm",
    ),
}
"""Other parts of the body: abdominal MRI, ultrasound, a bone scan."""

WINDOWS = ((40, 400), (40, 80), (300, 1500), (-600, 1500), (60, 200), (0, 3000))
"""Center and width of the usual CT windows in Hounsfield units: trunk, brain, bone, lung."""


def pictures(part: str, each: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Make pictures.

    Args:
        part: "fit" or "score"; they share no picture.
        each: Pictures of each kind.
        seed: Random seed.

    Yields:
        Kind and picture: uint8, (rows, cols, 3), 0 to 255.

    Raises:
        ModuleNotFoundError: A package with the pictures is not installed.
    """
    for number, (kind, make) in enumerate(KINDS.items()):
        # Each part has its own random numbers, so fitting and scoring never share a picture.
        rng = np.random.default_rng((seed, part == "score", number))
        for index in range(each):
            found = make(part, index, rng)
            yield kind, np.ascontiguousarray(_varied(found, rng) if part == "fit" else found)


def _varied(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change a picture at random, since few files must represent every possible upload."""
    if rng.random() < 0.25:  # symmetric, like a head
        half = picture[:, : picture.shape[1] // 2]
        picture = np.concatenate([half, half[:, ::-1]], axis=1)
    if rng.random() < 0.2:
        picture = 255 - picture
    if rng.random() < 0.3:
        picture = picture[..., rng.permutation(3)]
    if rng.random() < 0.2:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.2 and min(picture.shape[:2]) > 60:
        pad = int(rng.integers(10, 60))
        picture = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)))
    values = 255 * (picture / 255.0) ** rng.uniform(0.5, 2.0)
    if rng.random() < 0.3:
        values = cv2.GaussianBlur(values, (0, 0), rng.uniform(0.5, 3))
    return np.clip(np.rint(values * rng.uniform(0.6, 1.1)), 0, 255).astype(np.uint8)


def _photograph(part: str, index: int, rng: np.random.Generator) -> np.ndarray:
    return _part_of(_file(PHOTOGRAPHS[part], index), index // len(PHOTOGRAPHS[part]), rng)


def _gray_photograph(part: str, index: int, rng: np.random.Generator) -> np.ndarray:
    found = _photograph(part, index, rng)
    return np.repeat(cv2.cvtColor(found, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _surface(part: str, index: int, rng: np.random.Generator) -> np.ndarray:
    return _part_of(_file(SURFACES[part], index), index // len(SURFACES[part]), rng)


def _on_black(part: str, index: int, rng: np.random.Generator) -> np.ndarray:
    """Return something round on black, with the outline of a head: the hardest kind."""
    if index % 4 == 0:
        return _part_of(_file(ROUND[part], index // 4), index // 16, rng)
    names = PHOTOGRAPHS[part] + SURFACES[part]
    found = _part_of(_file(names, int(rng.integers(len(names)))), 1, rng)
    found = cv2.resize(found, (256, 256), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        found = np.repeat(cv2.cvtColor(found, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    shape = np.zeros((256, 256), np.uint8)
    middle = tuple(int(v) for v in rng.integers(112, 145, 2))
    axes = tuple(int(v) for v in rng.integers(70, 112, 2))
    cv2.ellipse(shape, middle, axes, float(rng.uniform(-20, 20)), 0, 360, 1, cv2.FILLED)
    return found * shape[..., None]


def _scan(part: str, index: int, rng: np.random.Generator) -> np.ndarray:
    """Return a CT in one of the usual windows, in gray, as exported by a CT viewer."""
    names = SCANS[part]
    values, pixels = _dicom(names[index % len(names)])
    values = values[0].astype(np.float32)
    center, width = WINDOWS[index // len(names) % len(WINDOWS)]
    slope = float(pixels.get("RescaleSlope", 1) or 1)
    units = values * slope + float(pixels.get("RescaleIntercept", 0) or 0)
    gray = np.clip((units - center + width / 2) / width, 0, 1) * 255
    if index >= len(names) * len(WINDOWS):
        gray = gray[:, ::-1]
    return np.repeat(np.rint(gray).astype(np.uint8)[..., None], 3, axis=2)


def _body(part: str, index: int, rng: np.random.Generator) -> np.ndarray:
    names = BODIES[part]
    values, _ = _dicom(names[index % len(names)])
    frame = values[(index // len(names)) * 7 % len(values)].astype(np.float32)
    turn = index // len(names) if len(values) == 1 else 0
    high = float(np.percentile(frame, (99.8, 97, 100)[turn % 3]))
    frame = np.clip(frame / max(1.0, high), 0, 1) * 255
    frame = np.rint(frame).astype(np.uint8)
    return frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)


def _drawn(function: Callable[[np.random.Generator], np.ndarray]):
    return lambda part, index, rng: function(rng)


KINDS: dict[str, Callable[[str, int, np.random.Generator], np.ndarray]] = {
    "photographs": _photograph,
    "photographs in gray": _gray_photograph,
    "surfaces, cells, skies": _surface,
    "round things before black": _on_black,
    "CT": _scan,
    "other body parts": _body,
    "text": _drawn(drawn_negatives.text),
    "charts": _drawn(drawn_negatives.chart),
    "drawings": _drawn(drawn_negatives.drawing),
    "blobs and rings": _drawn(drawn_negatives.blob),
    "gradients": _drawn(drawn_negatives.gradient),
    "noise": _drawn(drawn_negatives.noise),
    "patterns": _drawn(drawn_negatives.pattern),
}
"""Function that makes a picture, by kind."""


def _part_of(picture: np.ndarray, turn: int, rng: np.random.Generator) -> np.ndarray:
    """Return the whole picture on the first turn, then random crops, some of them mirrored."""
    if turn == 0:
        return picture
    rows, cols = picture.shape[:2]
    share = rng.uniform(0.35, 0.8)
    height, width = int(rows * share), int(cols * share)
    top, left = int(rng.integers(rows - height + 1)), int(rng.integers(cols - width + 1))
    found = picture[top : top + height, left : left + width]
    return found[:, ::-1] if rng.random() < 0.5 else found


def _file(names: tuple[str, ...], index: int) -> np.ndarray:
    name = names[index % len(names)]
    path = _folder("skimage") / "data" / name
    if not path.exists():
        path = _folder("sklearn") / "datasets" / "images" / name
    found = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB)


def _dicom(name: str) -> tuple[np.ndarray, object]:
    """Return the frames of one of pydicom's files, (frames, rows, cols[, 3]), and its header."""
    import pydicom
    from pydicom.pixels import pixel_array

    path = next((_folder("pydicom") / "data").rglob(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these files are irregular on purpose
        header = pydicom.dcmread(path, force=True)
        values = pixel_array(header)
    color = header.get("SamplesPerPixel", 1) == 3
    return (values if values.ndim == 3 + color else values[None]), header


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None:
        raise ModuleNotFoundError(f"The pictures of {package} are needed: pip install it.")
    return Path(found.origin).parent
