"""Drawn scenes with the statistics of photographs: overlapping things, one thing in focus, faint lights.

Overlapping shapes whose sizes follow a power law (dead leaves) have the contrasts, edges and spectra of
natural images (Lee, Mumford & Huang 2001, doi:10.1023/A:1011109015675), so few photographs suffice to fit.
Each function takes a random generator and returns one picture, uint8, (rows, cols, 3), 0 to 255.
"""

from __future__ import annotations

import cv2
import numpy as np

_SIDE = 160
"""Sides of a scene in pixels: little more than the input check looks at."""


def overlapping(rng: np.random.Generator) -> np.ndarray:
    """Return shapes of one palette that cover each other, each with a texture of its own."""
    return _bytes(_leaves(rng))


def in_focus(rng: np.random.Generator) -> np.ndarray:
    """Return a round thing before a blurred background that may be dark, as in a portrait."""
    behind = cv2.GaussianBlur(_leaves(rng), (0, 0), float(rng.uniform(3, 15)))
    behind *= rng.uniform(0.05, 0.7)
    front = _leaves(rng) if rng.random() < 0.4 else _petals(rng)
    outline = cv2.GaussianBlur(_outline(rng), (0, 0), float(rng.uniform(0.5, 2)))[..., None]
    return _bytes(front * outline + behind * (1 - outline))


def lights(rng: np.random.Generator) -> np.ndarray:
    """Return points of light and their halos in the dark, as in a night sky or under a microscope."""
    picture = np.zeros((_SIDE, _SIDE, 3), np.float32)
    for _ in range(int(rng.integers(5, 250))):
        radius = min(12.0, 0.5 + float(rng.pareto(2.0)))
        x, y = (int(v) for v in rng.integers(0, _SIDE, 2))
        color = rng.uniform(0.2, 1.0) * _tinted(rng, 0.4)
        cv2.circle(picture, (x, y), round(radius), color.tolist(), cv2.FILLED, cv2.LINE_AA)
    picture += rng.uniform(0, 2) * cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(2, 8)))
    picture += rng.uniform(0, 0.15) * _tinted(rng, 0.3)
    picture += rng.normal(0, rng.uniform(0, 0.05), picture.shape)
    return _bytes(picture)


def _leaves(rng: np.random.Generator) -> np.ndarray:
    """Return overlapping shapes, float32, (rows, cols, 3), about 0 to 1."""
    palette = np.stack([rng.uniform(0.05, 1) * _tinted(rng, 0.8) for _ in range(4)])
    picture = np.full((_SIDE, _SIDE, 3), palette[0], np.float32)
    least = rng.uniform(2, 8)
    for _ in range(int(rng.integers(40, 300))):
        # The inverse of the cumulative distribution of radii r with density r^-3.
        radius = min(_SIDE / 3, least / np.sqrt(1 - rng.random()))
        center = tuple(int(v) for v in rng.integers(0, _SIDE, 2))
        color = palette[rng.integers(4)] * rng.uniform(0.6, 1.4) + rng.normal(0, 0.05, 3)
        if rng.random() < 0.5:
            axes = max(1, round(radius)), max(1, round(radius * rng.uniform(0.3, 1)))
            turn = float(rng.uniform(0, 180))
            cv2.ellipse(picture, center, axes, turn, 0, 360, color.tolist(), cv2.FILLED)
        else:
            corners = center + rng.normal(0, radius, (int(rng.integers(3, 6)), 2))
            cv2.fillPoly(picture, [corners.astype(np.int32)], color.tolist())
    grain = cv2.GaussianBlur(rng.normal(0, 1, picture.shape[:2]), (0, 0), rng.uniform(0.6, 3))
    picture *= 1 + rng.uniform(0, 0.4) * (grain / grain.std())[..., None].astype(np.float32)
    return cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.2)))


def _petals(rng: np.random.Generator) -> np.ndarray:
    """Return rings and rays around the middle, as of a flower, a fruit or an iris."""
    y, x = (np.mgrid[:_SIDE, :_SIDE] - _SIDE / 2).astype(np.float32) / _SIDE
    radius, angle = np.hypot(x, y * rng.uniform(0.6, 1)), np.arctan2(y, x)
    rays, rings = int(rng.integers(3, 24)), rng.uniform(2, 20)
    wave = np.sin(2 * np.pi * rings * radius + np.pi * rng.uniform(0, 1) * np.cos(rays * angle))
    wave += rng.uniform(0, 1) * np.cos(rays * angle + rng.uniform(0, 10) * radius)
    level = 0.7 + rng.uniform(0.05, 0.2) * wave - rng.uniform(-1, 1) * radius
    light = 1 + rng.uniform(-0.8, 0.8) * x + rng.uniform(-0.8, 0.8) * y
    # The dark parts of one color are purer than its bright ones.
    return np.clip(level * light, 0, 1)[..., None] ** rng.uniform(0.4, 3, 3) * _tinted(rng, 0.9)


def _outline(rng: np.random.Generator) -> np.ndarray:
    """Return a wavy round shape: float32, (rows, cols), 0 or 1."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = np.ones_like(angle)
    for waves in range(2, 8):
        radius += rng.normal(0, 0.12 / waves) * np.cos(waves * angle + rng.uniform(0, 7))
    size = _SIDE * rng.uniform(0.2, 0.5) * radius
    x, y = _SIDE * rng.uniform(0.35, 0.65, 2)
    points = np.stack([x + size * np.cos(angle) * rng.uniform(0.6, 1), y + size * np.sin(angle)], 1)
    return cv2.fillPoly(np.zeros((_SIDE, _SIDE), np.float32), [points.astype(np.int32)], 1)


def _tinted(rng: np.random.Generator, most: float) -> np.ndarray:
    """Return a color whose brightest channel is 1 and whose others are within ``most`` of it."""
    color = 1 - rng.uniform(0, most) * rng.random(3)
    return (color / color.max()).astype(np.float32)


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
