"""Computer-drawn pictures: text, charts, drawings, gradients, noise, patterns.

Each function takes a random generator and returns one picture, uint8, (rows, cols, 3), 0 to 255.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from btmodels.paths import ASSETS

_WORDS = "README.md"


def text(rng: np.random.Generator) -> np.ndarray:
    """Return a page or a terminal full of words, as in a screenshot."""
    rows, cols = int(rng.integers(200, 700)), int(rng.integers(200, 900))
    dark = rng.random() < 0.4
    paper, ink = _paper_and_ink(rng, dark)
    picture = Image.new("RGB", (cols, rows), paper)
    draw = ImageDraw.Draw(picture)
    size = int(rng.integers(9, 30))
    font = ImageFont.load_default(size)
    words = (ASSETS.parent / _WORDS).read_text(encoding="utf-8").split()
    start = int(rng.integers(len(words) - 800))
    line = 10
    while line < rows:
        count = int(rng.integers(3, 16))
        if rng.random() < 0.85:
            draw.text((10, line), " ".join(words[start : start + count]), ink, font)
        start = (start + count) % (len(words) - 20)
        line += int(size * 1.4)
    return np.asarray(picture)


def chart(rng: np.random.Generator) -> np.ndarray:
    """Return a line, bar, dot, area or pie chart, light or dark."""
    rows, cols = int(rng.integers(220, 500)), int(rng.integers(260, 700))
    paper, ink = _paper_and_ink(rng, rng.random() < 0.4)
    picture = np.full((rows, cols, 3), paper, np.uint8)
    left, bottom = 40, rows - 35
    colors = [tuple(int(c) for c in rng.integers(30, 256, 3)) for _ in range(5)]
    kind = rng.integers(5)
    if kind == 4:
        turn = float(rng.uniform(0, 360))
        for color, sweep in zip(colors, rng.dirichlet(np.ones(5)) * 360, strict=True):
            center, size = (cols // 2, rows // 2), rows // 3
            cv2.ellipse(picture, center, (size, size), 0, turn, turn + sweep, color, cv2.FILLED)
            turn += sweep
        return picture
    for y in np.linspace(20, bottom, 6).astype(int):
        cv2.line(
            picture,
            (left, int(y)),
            (cols - 15, int(y)),
            [(p + i) // 2 for p, i in zip(paper, ink, strict=True)],
            1,
        )
    cv2.line(picture, (left, 15), (left, bottom), ink, 1)
    cv2.line(picture, (left, bottom), (cols - 15, bottom), ink, 1)
    places = np.linspace(left + 10, cols - 25, int(rng.integers(6, 40))).astype(int)
    for color in colors[: int(rng.integers(1, 4))]:
        walk = np.cumsum(rng.normal(0, 1, places.size))
        heights = 20 + (walk - walk.min()) / max(1e-6, np.ptp(walk)) * (bottom - 30)
        points = np.stack([places, heights], axis=1).astype(np.int32)
        if kind == 0:
            cv2.polylines(picture, [points], False, color, 2, cv2.LINE_AA)
        elif kind == 1:
            for x, y in points:
                cv2.rectangle(picture, (int(x), int(y)), (int(x) + 6, bottom), color, cv2.FILLED)
        elif kind == 2:
            for x, y in points:
                cv2.circle(picture, (int(x), int(y)), 4, color, cv2.FILLED, cv2.LINE_AA)
        else:
            area = np.vstack([points, [[points[-1, 0], bottom], [points[0, 0], bottom]]])
            cv2.fillPoly(picture, [area.astype(np.int32)], color)
    return picture


def drawing(rng: np.random.Generator) -> np.ndarray:
    """Return a few plain shapes, filled or not; some are round and centered."""
    size = int(rng.integers(128, 512))
    paper, _ = _paper_and_ink(rng, rng.random() < 0.6)
    picture = np.full((size, size, 3), paper, np.uint8)
    for _ in range(int(rng.integers(1, 9))):
        color = tuple(int(c) for c in rng.integers(0, 256, 3))
        if rng.random() < 0.3:
            color = (color[0],) * 3
        thick = cv2.FILLED if rng.random() < 0.6 else int(rng.integers(1, 9))
        x, y = (int(v) for v in rng.integers(0, size, 2))
        extent = int(rng.integers(size // 12, size // 2))
        which = rng.integers(4)
        if which == 0:
            cv2.circle(picture, (x, y), extent, color, thick, cv2.LINE_AA)
        elif which == 1:
            cv2.rectangle(picture, (x, y), (x + extent, y + extent), color, thick)
        elif which == 2:
            corners = rng.integers(0, size, (int(rng.integers(3, 7)), 1, 2)).astype(np.int32)
            cv2.fillPoly(picture, [corners], color)
        else:
            axes = (max(1, extent), max(1, extent * 2 // 3))
            turn = float(rng.uniform(0, 180))
            cv2.ellipse(picture, (size // 2, size // 2), axes, turn, 0, 360, color, thick)
    return picture


def blob(rng: np.random.Generator) -> np.ndarray:
    """Return soft blobs, rings and disks on black: bright and round, but without a brain."""
    size = int(rng.integers(128, 400))
    y, x = (np.mgrid[:size, :size] / size).astype(np.float32)
    picture = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        cx, cy = rng.uniform(0.35, 0.65, 2)
        rx, ry = rng.uniform(0.1, 0.42, 2)
        radius = np.hypot((x - cx) / rx, (y - cy) / ry)
        level = float(rng.uniform(0.2, 1.0))
        which = rng.integers(4)
        if which == 0:
            picture += level * np.exp(-2 * radius**2)
        elif which == 1:
            picture += level * (radius < 1)
        elif which == 2:
            picture += level * (np.abs(radius - 0.9) < rng.uniform(0.02, 0.15))
        else:
            picture += level * np.clip(1 - radius, 0, 1)
    picture += rng.normal(0, float(rng.choice([0, 0.01, 0.05])), picture.shape)
    tint = rng.uniform(0.3, 1.0, 3) if rng.random() < 0.4 else np.ones(3)
    values = np.clip(picture / max(1e-6, float(picture.max())), 0, 1)[..., None] * tint
    return np.rint(values * 255).astype(np.uint8)


def gradient(rng: np.random.Generator) -> np.ndarray:
    """Return a color gradient, along a line or from a point, or a single color."""
    rows, cols = (int(v) for v in rng.integers(64, 400, 2))
    y, x = np.mgrid[:rows, :cols] / max(rows, cols)
    turn = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(turn) + y * np.sin(turn)
    if rng.random() < 0.4:
        along = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1))
    if rng.random() < 0.1:
        along = np.zeros_like(along)
    along = (along - along.min()) / max(1e-6, float(np.ptp(along)))
    first, last = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    if rng.random() < 0.4:
        first, last = np.repeat(first[:1], 3), np.repeat(last[:1], 3)
    return np.rint(first + (last - first) * along[..., None]).astype(np.uint8)


def noise(rng: np.random.Generator) -> np.ndarray:
    """Return white, colored or salt-and-pepper noise, faint or strong."""
    size = int(rng.integers(64, 320))
    color = rng.random() < 0.5
    shape = (size, size, 3 if color else 1)
    which = rng.integers(3)
    values = rng.normal(0, 1, shape)
    if which == 1:
        power = rng.uniform(0.5, 2.0)
        radius = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
        weight = 1 / np.maximum(radius, 1 / size) ** power
        waves = np.fft.fft2(values, axes=(0, 1)) * weight[..., None]
        values = np.fft.ifft2(waves, axes=(0, 1)).real
    elif which == 2:
        values = (rng.random(shape) < rng.uniform(0.05, 0.5)) * 1.0
    values = (values - values.min()) / max(1e-6, float(np.ptp(values)))
    values = values * rng.uniform(0.15, 1.0) * 255
    return np.broadcast_to(np.rint(values), (size, size, 3)).astype(np.uint8)


def pattern(rng: np.random.Generator) -> np.ndarray:
    """Return checks, stripes, waves, or dots in rows."""
    size = int(rng.integers(96, 400))
    y, x = np.mgrid[:size, :size]
    step = int(rng.integers(4, 60))
    which = rng.integers(4)
    if which == 0:
        values = (x // step + y // step) % 2
    elif which == 1:
        values = ((x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)) // step) % 2
    elif which == 2:
        values = 0.5 + 0.25 * (np.sin(2 * np.pi * x / step) + np.sin(2 * np.pi * y / step))
    else:
        values = np.hypot(x % step - step / 2, y % step - step / 2) < step * 0.3
    low, high = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    if rng.random() < 0.5:
        low, high = np.zeros(3), np.full(3, rng.uniform(60, 255))
    return np.rint(low + (high - low) * np.asarray(values, float)[..., None]).astype(np.uint8)


def _paper_and_ink(rng: np.random.Generator, dark: bool) -> tuple[tuple, tuple]:
    far, near = tuple(int(v) for v in rng.integers(215, 256, 3)), (0, 0, 0)
    near = tuple(int(v) for v in rng.integers(0, 40, 3)) if rng.random() < 0.6 else near
    return (near, far) if dark else (far, near)
