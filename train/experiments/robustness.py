"""``python -m train robustness``: the cost of input faults for the site's networks, on test patients.

Writes ``assets/metrics/robustness.json``, which `btmodels.quality.fault_costs` reads for the warnings of
Analyze:
``experiment``, ``question``, ``command``, ``quick``, ``complete``, ``lacks``, ``model``,
``weights_sha256``, ``verdict_by``, ``verdict_sha256`` (of the network that gives the verdicts), ``subset``,
``split_sha256``, ``seed``, ``sample`` (a description of the slices), ``patients``, ``slices``,
``cpu_seconds``, ``machine``, ``versions`` and ``rows``. The first row is ``unaltered``; each has ``kind``,
``title``, ``what``, ``patients``, ``slices``, ``dice`` (mean over patients of the volumetric Dice over the
chosen slices), ``false_alarm_rate``, ``auc`` and, except for the
first, ``drop`` (mean over patients of unaltered minus altered), ``drop_interval``, ``worst`` (the largest
drop of one patient), ``auc_drop`` and ``verdicts_changed``. ``one_slice`` compares the scores of all slices
of the same patients without and with the whole-patient clean-up.

Nothing is trained or chosen here; the records of these networks count this use of the test patients.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from btmodels import paths, registry
from btmodels.dataset import cohort
from btmodels.inference.predict import Predictor
from btmodels.measurement.verdict import rule_of, top_log_odds
from btmodels.metrics import classification, overlap
from btmodels.metrics.bootstrap import bootstrap_interval
from btmodels.metrics.overlap import Counts
from btmodels.slices import Patient, Slice
from btmodels.transforms.postprocess import binarize
from train import options
from train.evaluate.evaluate import PRECISION, count_test
from train.experiments import common
from train.experiments.slices import source_assets
from train.provenance import read_json, write_json
from train.quality import corruptions

QUESTION = "What does a fault of the input cost?"

TUMOR_SLICES, EMPTY_SLICES = 5, 3
"""Evenly spaced slices of each patient, with tumor and without."""

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes:
        kind: One of `btmodels.quality.fault_costs.KINDS`, or ``unaltered``.
        title: A few words.
        what: A sentence.
        change: Maps pixels, uint8, (rows, cols, 3), and a random generator to changed pixels.
        moves: Whether the true mask must be transformed too.
    """

    kind: str
    title: str
    what: str
    change: Change
    moves: bool = False


def jpeg(pixels: np.ndarray, rng: np.random.Generator, quality: int = 50) -> np.ndarray:
    """Save as a color JPEG and read again."""
    written = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(written, cv2.IMREAD_COLOR)[..., ::-1])


def add_noise(pixels: np.ndarray, rng: np.random.Generator, sigma: float = 15.0) -> np.ndarray:
    """Add the Rician noise of magnitude images: the length of (signal + noise, noise)."""
    real, imaginary = rng.normal(0, sigma, (2, *pixels.shape))
    return np.clip(np.hypot(pixels + real, imaginary), 0, 255).astype(np.uint8)


def blur(pixels: np.ndarray, rng: np.random.Generator, share: float = 2 / 256) -> np.ndarray:
    """Blur with a Gaussian whose standard deviation is ``share`` of the longer side."""
    return cv2.GaussianBlur(pixels, (0, 0), share * max(pixels.shape[:2]))


def turn(pixels: np.ndarray, degrees: float, method: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Rotate a picture counterclockwise around its center; the corners become black."""
    rows, cols = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D(((cols - 1) / 2, (rows - 1) / 2), degrees, 1.0)
    return cv2.warpAffine(pixels, matrix, (cols, rows), flags=method)


def halve(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Downsample to half as many rows and columns, and enlarge again."""
    rows, cols = pixels.shape[:2]
    small = cv2.resize(pixels, (cols // 2, rows // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (cols, rows), interpolation=cv2.INTER_LINEAR)


def darken(pixels: np.ndarray, rng: np.random.Generator, gamma: float = 2.0) -> np.ndarray:
    """Raise levels to the power of gamma."""
    return np.rint(255.0 * (pixels / 255.0) ** gamma).astype(np.uint8)


def add_bias(pixels: np.ndarray, rng: np.random.Generator, share: float = 0.4) -> np.ndarray:
    """Simulate a coil near one side: ``share`` darker at the left, ``share`` brighter at the right."""
    ramp = 1 + share * np.linspace(-1, 1, pixels.shape[1])
    return np.clip(pixels * ramp[None, :, None], 0, 255).astype(np.uint8)


def corrupted(kind: str) -> Change:
    """Return a corruption of `train.quality.corruptions`, on which the input check is scored, too."""
    return lambda pixels, rng: corruptions.CORRUPTIONS[kind][1](pixels)


FAULTS = (
    Fault("unaltered", "Nothing changed", "The slices as they are.", lambda p, rng: p),
    Fault(
        "replicated",
        "FLAIR in all three channels",
        "FLAIR stands in for the missing channels, as when a gray picture is given.",
        corrupted("grayscale"),
    ),
    Fault(
        "swapped",
        "Pre and post contrast exchanged",
        "The first and the third channel are exchanged, as when red and blue are.",
        corrupted("exchanged"),
    ),
    Fault(
        "misplaced",
        "FLAIR where pre-contrast belongs",
        "The first and the second channel are exchanged.",
        corrupted("swapped, FLAIR first"),
    ),
    Fault("dark", "Too dark", "A tenth of the range of gray.", corrupted("too dark")),
    Fault(
        "washed_out",
        "Washed out",
        "Levels from 80 to 182: nothing is black or white.",
        corrupted("washed out"),
    ),
    Fault(
        "overexposed",
        "Overexposed",
        "Four times as bright, cut at white.",
        corrupted("overexposed"),
    ),
    Fault(
        "wrapped",
        "Run over",
        "Eight times as bright; what is brighter than white begins anew at black.",
        corrupted("run over"),
    ),
    Fault("inverted", "Inverted", "White where it was black.", corrupted("inverted")),
    Fault(
        "cropped",
        "Cut in half",
        "The left half of the picture alone, scored on what is in it.",
        lambda p, rng: np.ascontiguousarray(p[:, : p.shape[1] // 2]),
        moves=True,
    ),
    Fault("jpeg", "JPEG, quality 50", "Saved as a color JPEG of quality 50.", jpeg),
    Fault("noise", "Noise", "Rician noise with a deviation of 15 of 255 levels.", add_noise),
    Fault("blur", "Blur", "A Gaussian with a deviation of 2 of 256 pixels.", blur),
    Fault(
        "rotation",
        "Turned by 30 degrees",
        "The slice is turned by 30 degrees; the networks were trained on up to 17.",
        lambda p, rng: turn(p, 30),
        moves=True,
    ),
    Fault(
        "quarter_turn",
        "Turned by 90 degrees",
        "The slice lies on its side.",
        lambda p, rng: np.ascontiguousarray(np.rot90(p)),
        moves=True,
    ),
    Fault(
        "half_resolution",
        "Half the resolution",
        "Shrunk to half as many rows and columns, and enlarged again.",
        halve,
    ),
    Fault("gamma", "Gamma 2", "Levels to the power of 2: dim tissue becomes much darker.", darken),
    Fault(
        "bias_field",
        "Bias field",
        "From 40% darker at the left to 40% brighter at the right.",
        add_bias,
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data", "--assets", "--runs")
    parser.add_argument("--model", default="default", help="the segmenter; default: the site's")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument(
        "--quick", action="store_true", help="two slices of two made-up patients, small network"
    )


def main(args: argparse.Namespace) -> int:
    if not options.spares_committed(args):
        return 2
    if not args.quick and args.data is None:
        print("--data DIR is missing: the folder of the data set", file=sys.stderr)
        return 2
    assets = paths.ASSETS if args.quick else source_assets(args)
    segmenter = Predictor("unet" if args.quick else args.model, assets, PRECISION)
    rule = rule_of(segmenter.record)
    classifier = segmenter if rule else Predictor("default-classifier", assets, PRECISION)
    if args.quick:
        patients = cohort.read_cohort(args.data or cohort.samples_root())[:3:2]
        slices = [each for p in patients for each in choose(p, 1, 1)]
    else:
        patients = cohort.subset_patients(args.data, "test", assets)
        slices = [each for p in patients for each in choose(p, TUMOR_SLICES, EMPTY_SLICES)]
    began = time.process_time()
    stamp = f"{segmenter.record.sha256[:8]}-{len(slices)}-{args.seed}"
    parent = args.runs / "experiments" / f"robustness-{stamp}"
    threshold = (rule or classifier.record).threshold
    rows = []
    for fault in FAULTS:
        found = common.once(
            parent / f"{fault.kind}.json",
            lambda fault=fault: measure(fault, slices, segmenter, classifier, args.seed),
        )
        before = read_json(parent / "unaltered.json")
        rows.append(row_of(fault, found, before, threshold))
        print(f"{fault.title}: Dice {rows[-1]['dice']}, drop {rows[-1].get('drop')}", flush=True)
    alone = None if args.quick else one_slice(segmenter.spec.name, assets)
    lacks = () if alone or args.quick else ("one slice alone",)
    document = {
        **common.describe_run(args, QUESTION, lacks, args.quick),
        "model": segmenter.spec.name,
        "weights_sha256": segmenter.record.sha256,
        "verdict_by": classifier.spec.name,
        "verdict_sha256": classifier.record.sha256,
        "subset": "samples" if args.quick else "test",
        "split_sha256": cohort.split_sha256(assets),
        "seed": args.seed,
        "sample": (
            f"Of each patient up to {TUMOR_SLICES} slices with tumor and {EMPTY_SLICES} without, at "
            "even distances; flips, threshold and clean-up as the site has them."
        ),
        "patients": len({item.patient for item in slices}),
        "slices": len(slices),
        "cpu_seconds": round(time.process_time() - began, 1),
        "rows": [*rows, *([alone] if alone else [])],
    }
    write_json(args.assets / "metrics" / "robustness.json", document)
    if not args.quick:
        for name in {segmenter.spec.name, classifier.spec.name}:
            count_test(name, assets)
    return 0


def choose(patient: Patient, with_tumor: int, without: int) -> list[Slice]:
    """Return evenly spaced slices of a patient, with tumor and without."""
    items = [cohort.read_slice(patient, file) for file in patient.files if file.mask]
    items = [item for item in items if item.truth is not None]
    kinds = [
        ([item for item in items if item.truth.any()], with_tumor),
        ([item for item in items if not item.truth.any()], without),
    ]
    return [group[i] for group, number in kinds for i in _evenly(len(group), number)]


def _evenly(length: int, number: int) -> list[int]:
    """Return the middle indices of ``number`` equal parts, or all indices if there are fewer."""
    if length <= number:
        return list(range(length))
    return [int((each + 0.5) * length / number) for each in range(number)]


def measure(
    fault: Fault,
    slices: Sequence[Slice],
    segmenter: Predictor,
    classifier: Predictor,
    seed: int,
) -> dict:
    """Get masks and verdicts for slices with one fault.

    Args:
        fault: The fault.
        slices: The slices, without it.
        segmenter: Marks the slices, and gives the verdicts if its record has a rule for them.
        classifier: Gives the verdicts if the segmenter does not.
        seed: Of the fault's random numbers.

    Returns:
        ``patients`` (folder of each slice), ``counts`` (tp, fp, fn, tn), ``probability``, ``tumor``.
    """
    rng = np.random.default_rng(seed)
    images = [fault.change(item.pixels, rng) for item in slices]
    truths = [item.truth for item in slices]
    if fault.moves:
        truths = [fault.change(t.astype(np.uint8) * 255, rng) > 127 for t in truths]
    record, maps = segmenter.record, segmenter.segment(images)
    masks = [binarize(each, record.threshold, record.min_component_pixels) for each in maps]
    rule = rule_of(record)
    if rule:
        verdicts = [rule.probability(top_log_odds(each)) for each in maps]
    else:
        verdicts = classifier.classify(images)
    counted = [overlap.count(mask, truth) for mask, truth in zip(masks, truths, strict=True)]
    return {
        "patients": [item.patient for item in slices],
        "counts": [[*each] for each in counted],
        "probability": [round(float(p), 6) for p in verdicts],
        "tumor": [bool(item.truth.any()) for item in slices],
    }


def row_of(fault: Fault, found: dict, before: dict, threshold: float) -> dict:
    """Return a fault's row from the results of `measure` with and without it."""
    dices, unaltered = _dices(found), _dices(before)
    counted = [Counts(*each) for each in found["counts"]]
    probability, tumor = np.array(found["probability"]), np.array(found["tumor"])
    auc = classification.roc_auc(probability, tumor)
    row = {
        "kind": fault.kind,
        "title": fault.title,
        "what": fault.what,
        "patients": len(set(found["patients"])),
        "slices": len(counted),
        "dice": overlap.mean_of(dices.values()),
        "false_alarm_rate": overlap.false_alarm_rate(counted),
        "auc": auc,
    }
    if fault.kind == "unaltered":
        return row
    drops = [
        unaltered[name] - (dices[name] or 0.0) for name in unaltered if unaltered[name] is not None
    ]
    first = np.array(before["probability"])
    return row | {
        "drop": overlap.mean_of(drops),
        "drop_interval": bootstrap_interval(drops),
        "worst": max(drops, default=None),
        "auc_drop": None if auc is None else classification.roc_auc(first, tumor) - auc,
        "verdicts_changed": float(np.mean((probability >= threshold) != (first >= threshold))),
    }


def _dices(found: dict) -> dict[str, float | None]:
    counted: dict[str, list[Counts]] = {}
    for name, each in zip(found["patients"], found["counts"], strict=True):
        counted.setdefault(name, []).append(Counts(*each))
    return overlap.patient_dice(counted)


def one_slice(name: str, assets: Path = paths.ASSETS) -> dict | None:
    """Return the row on the cost of a slice without neighbors, from the network's committed scores."""
    scored = (read_json(registry.metrics_path(name, assets)) or {}).get("test")
    if not scored:
        return None
    whole = scored["whole_patient"]
    return {
        "kind": "one_slice",
        "title": "One slice alone",
        "what": (
            "The networks judge each slice by itself. With a whole patient, small parts that no "
            "neighbor confirms can be dropped; all slices of the patients were counted here."
        ),
        "patients": len(scored["patients"]),
        "slices": sum(each["slices"] for each in scored["patients"].values()),
        "dice": scored["mean_dice"],
        "false_alarm_rate": scored["false_alarm_rate"],
        "drop": whole["mean_dice"] - scored["mean_dice"],
        **dict.fromkeys(("auc", "drop_interval", "worst", "auc_drop", "verdicts_changed")),
    }
