"""Is this picture fit to be judged? Findings from the pixels of a slice, before any network sees it.

A finding says what is wrong, by which figures, what that costs and what one click can do about it.
Three kinds: a *stop* means that no mask is drawn, a *fault* that the mask is worth less, a *note* that
something is as it may be. What is found how often is measured by `python -m train doctor`.

Only numpy and OpenCV: it runs where the pipeline runs, in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import cv2
import numpy as np

from btmodels import mends, order, robustness, vitals
from btmodels.judge import Limits, load_limits
from btmodels.preprocess import FOREGROUND_LEVEL
from btmodels.slices import CHANNELS, FLAIR

Kind = Literal[
    "tiny", "mask", "not_a_brain", "ct", "inverted", "dark", "washed_out", "overexposed", "wrapped",
    "gray", "replicated", "stand_in", "swapped", "exchanged", "cropped", "empty",
]  # fmt: skip

AIR = 0.12
"""What is darker than this share of the brightest FLAIR is air, where a crop is looked for."""

LEAST_PIXELS = 32
"""Fewer rows or columns show nothing of a head."""

DARK = 0.1
"""A picture whose brightest pixels (99.5th percentile, at 128 x 128) are below this share of white is
either too dark or shows next to nothing."""

COSTS = {"gray": "replicated", "replicated": "replicated", "exchanged": "swapped"}
"""What of `btmodels.robustness.KINDS` tells the price of a finding."""

UNMEASURED = "What this costs was not measured."


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor sees.

    Attributes:
        kind: What it is.
        severity: "stop" means that there is no mask, "fault" that it is worth less, "note" neither.
        text: What is seen, one sentence for anyone.
        evidence: The figures behind it, a sentence with numbers.
        mend: Key of `btmodels.mends.MENDS`, None where one click cannot help.
    """

    kind: Kind
    severity: Literal["stop", "fault", "note"]
    text: str
    evidence: str
    mend: str | None = None

    @property
    def cost(self) -> str:
        """What the finding costs, as measured; empty for a stop and for a note without a price."""
        known = robustness.cost_of(COSTS[self.kind]) if self.kind in COSTS else None
        if known:
            return known.sentence()
        return UNMEASURED if self.severity == "fault" else ""


@dataclass(frozen=True)
class Diagnosis:
    """All that the doctor sees in a slice.

    Attributes:
        findings: Stops first, then faults, then notes.
        judged: False where this copy of the project lacks the doctor's limits: then nothing was looked at.
    """

    findings: tuple[Finding, ...] = ()
    judged: bool = True

    @property
    def stop(self) -> Finding | None:
        """The reason why no mask is drawn, if there is one."""
        return next((each for each in self.findings if each.severity == "stop"), None)

    @property
    def untouched(self) -> bool:
        """Whether there is nothing but notes."""
        return all(each.severity == "note" for each in self.findings)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every finding as plain text: what is seen, by which figures, at what cost."""
        return tuple(" ".join(filter(None, (f.text, f.evidence, f.cost))) for f in self.findings)


def examine(pixels: np.ndarray, limits: Limits | None = None) -> Diagnosis:
    """Look at a slice.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255, channels as in `btmodels.slices.CHANNELS`.
        limits: To go by; the committed ones where None.

    Raises:
        ValueError: It is no such array.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(
            "A slice must be uint8, (rows, cols, 3). "
            f"Received: dtype={pixels.dtype}, shape={pixels.shape}"
        )
    limits = limits or load_limits()
    if limits is None:
        return Diagnosis(judged=False)
    rows, cols = pixels.shape[:2]
    if min(rows, cols) < LEAST_PIXELS:
        text = "This picture is too small to show a slice of a head."
        evidence = f"It has {rows} × {cols} pixels; at least {LEAST_PIXELS} each way are needed."
        return Diagnosis((Finding("tiny", "stop", text, evidence),))
    if found := _mask(pixels):
        return Diagnosis((found,))
    values = vitals.small(pixels)
    if found := _inverted(pixels, values, limits):
        return Diagnosis((found,))
    figures = vitals.scope(values)
    if figures["top"] < DARK:
        return Diagnosis((_dark(pixels, figures["top"], limits),))
    # What is wrong with the range is told first, for it may be why a head is not seen as one.
    ranges = _range(pixels, limits)
    score = _score(figures, limits)
    if score < limits.values["scope"]:
        washed = next((each for each in ranges if each.mend), None)
        if washed and _fits(mends.MENDS[washed.mend][1](pixels), limits):
            return Diagnosis((washed,))
        # What was cut off at white may be why; it is told too, and no mend brings it back.
        return Diagnosis((_stranger(pixels, figures, score, limits), *ranges))
    return Diagnosis((*ranges, *_cropped(pixels, limits), *_channels(pixels, values, limits)))


def _score(figures: dict[str, float], limits: Limits) -> float:
    return float(limits.scope.score(np.array([list(figures.values())]))[0])


def _fits(pixels: np.ndarray, limits: Limits) -> bool:
    figures = vitals.scope(vitals.small(pixels))
    return figures["top"] >= DARK and _score(figures, limits) >= limits.values["scope"]


def _mask(pixels: np.ndarray) -> Finding | None:
    low, high = int(pixels.min()), int(pixels.max())
    if high == low or not _equal(pixels, 0, 1) or not _equal(pixels, 1, 2):
        return None
    level = pixels[..., 0]
    step = 0.1 * (high - low)
    between = float(((level > low + step) & (level < high - step)).mean())
    white = float((level > (low + high) / 2).mean())
    # JPEG smears the border of a mask; a slice has most of its pixels between black and white.
    if between > 0.01 or low > 0 or high - low == 1 and between == 0 and high != 1:
        return None
    if white < 1e-4:
        return None
    return Finding(
        "mask",
        "stop",
        "This looks like a mask, not like a slice: it is black and white without gray.",
        f"{100 * (1 - between):.1f} % of its pixels are one of two values, {100 * white:.1f} % are "
        "the bright one.",
    )


def _inverted(pixels: np.ndarray, values: np.ndarray, limits: Limits) -> Finding | None:
    edges = [float(np.median(vitals.border(_frame(pixels)[..., c]))) for c in range(3)]
    middles = [float(np.median(pixels[..., c])) for c in range(3)]
    bright = [c for c in range(3) if edges[c] > limits.values["inverted"]]
    if not bright:
        return None
    whole = len(bright) == 3
    name = "invert" if whole else f"invert{bright[0]}"
    if not _fits(mends.MENDS[name][1](pixels), limits):
        return None
    what = "This picture" if whole else f"The channel of {CHANNELS[bright[0]]}"
    return Finding(
        "inverted",
        "stop" if whole else "fault",
        f"{what} looks inverted: what should be black around the head is bright.",
        f"Half of the outermost pixels are above {edges[bright[0]]:.0f} of 255; half of all pixels "
        f"are above {middles[bright[0]]:.0f}.",
        name,
    )


def _dark(pixels: np.ndarray, top: float, limits: Limits) -> Finding:
    evidence = f"Its brightest pixels reach {255 * top:.0f} of 255."
    stretched = mends.stretch(pixels)
    head = vitals.find_head(vitals.small(stretched).mean(axis=2))
    large = head is not None and head.mask.mean() >= order.LEAST_AREA
    if large and _fits(stretched, limits):
        text = "This slice is far too dark: most of the range of gray is not used."
        return Finding("dark", "fault", text, evidence, "stretch")
    text = "There is next to nothing in this slice: air, or the very end of a head."
    return Finding("empty", "note", text, evidence)


def _range(pixels: np.ndarray, limits: Limits) -> list[Finding]:
    found = []
    flair = pixels[..., FLAIR]
    low = float(np.percentile(flair, 1))
    if low > limits.values["washed_out"]:
        text = "This slice is washed out: nothing in it is black, not even the air around the head."
        evidence = f"99 % of its FLAIR pixels are above {low:.0f} of 255."
        found.append(Finding("washed_out", "fault", text, evidence, "stretch"))
    full = max(float((pixels[..., c] >= 250).mean()) for c in range(3))
    if full > limits.values["overexposed"]:
        text = (
            "This slice is overexposed: its bright parts were cut off at white, and what they showed "
            "cannot be had back. Export it again with a wider window."
        )
        evidence = f"{100 * full:.1f} % of the pixels of a channel are white."
        found.append(Finding("overexposed", "fault", text, evidence))
    jumps = _jumps(flair)
    if jumps > limits.values["wrapped"]:
        text = (
            "The values of this slice seem to have run over: what was brighter than white begins at "
            "black again. Export it again as 8 bits with scaling."
        )
        evidence = f"{100 * jumps:.2f} % of neighboring pixels differ by more than half the range."
        found.append(Finding("wrapped", "fault", text, evidence))
    return found


def _jumps(level: np.ndarray) -> float:
    values = level.astype(np.int16)
    across = np.abs(np.diff(values, axis=1)) > 127
    return float((across.mean() + (np.abs(np.diff(values, axis=0)) > 127).mean()) / 2)


def _stranger(
    pixels: np.ndarray, figures: dict[str, float], score: float, limits: Limits
) -> Finding:
    gray = _equal(pixels, 0, 1) and _equal(pixels, 1, 2)
    evidence = (
        f"Score {score:.1f}, where a slice of a head has {limits.values['scope']:.1f} or more; among "
        f"{len(figures)} figures: {100 * figures['border_bright']:.0f} % of the border is bright, the "
        f"outline is {100 * figures['ellipse']:.0f} % an ellipse, left and right agree to "
        f"{figures['symmetry']:.2f}."
    )
    rim = max(figures["ring0"], figures["ring1"]) / max(0.05, figures["ring4"])
    if gray and rim > limits.values["ct_rim"] and figures["border_bright"] < 0.2:
        text = (
            "This looks like a CT, not like an MRI: one gray channel with a rim as bright as bone. The "
            "networks have never learned CT, so no mask is drawn."
        )
        evidence = f"The rim is {rim:.1f} times as bright as the middle. {evidence}"
        return Finding("ct", "stop", text, evidence)
    text = (
        "This does not look like an MRI slice of a head, which is all that the networks know: no mask "
        "is drawn."
    )
    return Finding("not_a_brain", "stop", text, evidence)


def _cropped(pixels: np.ndarray, limits: Limits) -> list[Finding]:
    side, share = _touching(pixels)
    if share <= limits.values["cropped"]:
        return []
    text = (
        "This slice seems cropped: the head runs into the edge of the picture. The networks have seen "
        "whole heads with air around them."
    )
    evidence = f"The {side} edge cuts through {100 * share:.0f} % of the extent of what is bright."
    return [Finding("cropped", "fault", text, evidence)]


def _frame(pixels: np.ndarray) -> np.ndarray:
    # Unlike `vitals.small` without padding, for the picture's own edge is what is looked at.
    size = (vitals.SIZE, vitals.SIZE)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _touching(pixels: np.ndarray) -> tuple[str, float]:
    """Return the edge of the picture that cuts off most, and how much: bright pixels on that edge over the
    height (or width) of all that is bright, at most 1."""
    flair = _frame(pixels)[..., FLAIR]
    bright = flair > max(AIR * float(np.percentile(flair, 99)), FOREGROUND_LEVEL)
    height = max(0.05, float((bright.mean(axis=1) > 0.1).mean()))
    width = max(0.05, float((bright.mean(axis=0) > 0.1).mean()))
    k = vitals.FRAME
    edges = {
        "upper": (bright[:k], width),
        "lower": (bright[-k:], width),
        "left": (bright[:, :k], height),
        "right": (bright[:, -k:], height),
    }
    cut = {name: min(1.0, float(edge.mean()) / extent) for name, (edge, extent) in edges.items()}
    name = max(cut, key=cut.get)
    return name, cut[name]


def _channels(pixels: np.ndarray, values: np.ndarray, limits: Limits) -> list[Finding]:
    same = [pair for pair in combinations(range(3), 2) if _equal(pixels, *pair)]
    if len(same) >= 2:
        text = (
            "All three channels are the same, so this is one sequence alone. It is taken for FLAIR, "
            "which also stands in for the two others, as in the data set where they are missing."
        )
        return [
            Finding("gray", "note", text, "No pixel differs between them by more than rounding.")
        ]
    if same:
        a, b = same[0]
        if FLAIR in (a, b):
            other = CHANNELS[a if b == FLAIR else b]
            text = (
                f"FLAIR stands in for {other}, as in the data set where that sequence is missing."
            )
            return [Finding("stand_in", "note", text, "These two channels are the same.")]
        text = (
            "Pre- and post-contrast T1 are the same picture: one of them is missing. The data set puts "
            "FLAIR in place of what is missing."
        )
        return [Finding("replicated", "fault", text, "These two channels are the same.", "flair")]
    return _disorder(values, limits)


def _disorder(values: np.ndarray, limits: Limits) -> list[Finding]:
    figures = order.figures(values)
    if figures is None:
        return []
    chance = order_chances(figures, limits)
    # Where each sequence seems to be now: the most likely order puts it right.
    best = int(np.argmax(chance))
    middle = {
        c: sum(chance[i] for i, o in enumerate(order.ORDERS) if o[FLAIR] == c) for c in (0, 2)
    }
    place = max(middle, key=middle.get)
    if middle[place] > limits.values["swapped"]:
        fits = [i for i, o in enumerate(order.ORDERS) if o[FLAIR] == place]
        best = max(fits, key=lambda i: chance[i])
        text = f"The channels seem swapped: FLAIR looks to be where {CHANNELS[place]} belongs."
        evidence = f"Likelihood {_percent(middle[place])} by brightness, edges and likeness."
        return [Finding("swapped", "fault", text, evidence, _order_name(best))]
    if order.ORDERS[best] == (2, 1, 0) and chance[best] > limits.values["exchanged"]:
        text = (
            "Pre- and post-contrast T1 seem exchanged, as when a program took red, green, blue for "
            "blue, green, red."
        )
        evidence = f"Likelihood {_percent(chance[best])} by vessels, scalp and likeness."
        return [Finding("exchanged", "fault", text, evidence, _order_name(best))]
    return []


def order_chances(figures: np.ndarray, limits: Limits) -> np.ndarray:
    """Return how likely each of `btmodels.order.ORDERS` puts the channels right; they add up to 1."""
    score = limits.order.score(figures)
    chance = np.exp(score - score.max())
    return chance / chance.sum()


def _percent(chance: float) -> str:
    # Nothing that was learned is certain, so rounding must not make it look so.
    return "> 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"


def _order_name(index: int) -> str:
    return "order" + "".join(map(str, order.ORDERS[index]))


def _equal(pixels: np.ndarray, a: int, b: int) -> bool:
    # JPEG stores brightness finer than color, so channels that were equal may differ by a little.
    one, other = pixels[..., a], pixels[..., b]
    if np.array_equal(one, other):
        return True
    return float(cv2.absdiff(np.ascontiguousarray(one), np.ascontiguousarray(other)).mean()) < 0.5
