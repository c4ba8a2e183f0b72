"""``python -m train skips``: what skip connections and residuals are good for.

Writes ``assets/metrics/skips.json`` and, for the lesson on encoder and decoder, the two trained networks
as float16 in ``assets/metrics/networks/``. Beside what every experiment's file holds (`train.experiment`):

- ``slices``: as in losses.json.
- ``arms``: ``joined`` (the small U-Net with all skips), ``zeroed`` (the very same weights, with zeros in
  the place of every skip when it is used) and ``absent`` (trained without any), entries as in
  losses.json; ``zeroed`` has no curve and no times, for nothing is trained.
- ``networks``: for ``joined`` and ``absent``: ``file`` (name in ``assets/metrics/networks``), ``sha256``,
  ``builder`` (``btmodels.networks.unet:build_unet``), ``input_shape``, ``filters`` and ``skips``, the
  builder's arguments. They are no networks of the registry: they exist to be compared.
- ``gradients``: how much of the loss's gradient reaches each depth, see `gradients`. A list of entries
  ``key``, ``title``, ``when`` ("start" or "trained") and ``layers``, in order of the forward pass, each
  ``name`` and ``norm``: the Euclidean norm of the loss's gradient to that layer's kernel over the
  kernel's own norm, averaged over ``draws`` starts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers

from btmodels import losses, weights
from btmodels.errors import BrainTumorError
from btmodels.networks.blocks import conv, logits
from btmodels.networks.unet import build_unet
from btmodels.preprocess import normalize
from train import experiment
from train.data import Subset
from train.losses import (
    EACH_SLICES,
    FILTERS,
    PARTS,
    describe_slices,
    judge,
    pick_slices,
    run,
)

QUESTION = "What do skip connections carry, and do they keep gradients from vanishing?"

DRAWS = 3
"""Starts over which gradient norms are averaged."""

DEPTH = 24
"""Convolutions of the plain and of the residual chain."""

_OUT = "networks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    experiment.add_arguments(parser, EACH_SLICES)


def main(args: argparse.Namespace) -> int:
    if not experiment.ready(args):
        return 2
    try:
        material = experiment.load_material(args)
    except BrainTumorError as error:
        print(error, file=sys.stderr)
        return 1
    budget = experiment.budget_of(args, PARTS)
    shown, shape = pick_slices(budget.size), (budget.size, budget.size, 3)

    joined, build_joined = run("bce_dice", losses.bce_dice, budget, material, args.runs, shown)
    absent, build_absent = run(
        "absent", losses.bce_dice, budget, material, args.runs, shown, skips="absent"
    )
    with_skips, without = build_joined(), build_absent()
    zeroed = build_unet(shape, FILTERS, skips="zeroed")
    zeroed.set_weights(with_skips.get_weights())

    networks = [
        {
            "key": key,
            "file": f"{name}.weights.h5",
            "sha256": weights.save_float16(
                model, args.assets / "metrics" / _OUT / f"{name}.weights.h5"
            ),
            "builder": "btmodels.networks.unet:build_unet",
            "input_shape": list(shape),
            "filters": list(FILTERS),
            "skips": key,
        }
        for key, name, model in (
            ("joined", "unet_small", with_skips),
            ("absent", "unet_small_without_skips", without),
        )
    ]
    validation = material.subset("validation")
    arms = [
        {"key": "joined", "title": "With skips", **joined},
        {
            "key": "zeroed",
            "title": "The same, skips switched off when used",
            **judge(zeroed, validation, shown),
        },
        {"key": "absent", "title": "Trained without skips", **absent},
    ]
    experiment.write_json(
        args.assets / "metrics" / "skips.json",
        experiment.document(
            args,
            QUESTION,
            budget,
            material,
            slices=describe_slices(shown),
            arms=arms,
            networks=networks,
            draws=DRAWS,
            gradients=gradients(
                _batch(material.subset("train")), {"joined": with_skips, "absent": without}
            ),
        ),
    )
    for arm in arms:
        print(f"{arm['title']}: mean Dice {arm['score']['mean_dice']}")
    return 0


def gradients(batch: tuple[np.ndarray, np.ndarray], trained: dict[str, keras.Model]) -> list[dict]:
    """Measure how much gradient reaches each layer, at the start and after training.

    The U-Net with and without skips, and a chain of `DEPTH` convolutions at full resolution with ReLU,
    plain and with a residual around each, both with He's start and with Glorot's: He et al. 2015
    (arXiv:1502.01852) chose theirs so that signals keep their size in a plain chain of ReLUs.

    Args:
        batch: Standardized slices, (n, size, size, 3), and masks, (n, size, size, 1).
        trained: The two trained networks by the builder's ``skips``.

    Returns:
        The ``gradients`` entry of the file.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # norms over many decades
    shape = batch[0].shape[1:]
    entries = []
    try:
        for skips, title in (("joined", "U-Net with skips"), ("absent", "U-Net without skips")):

            def fresh(skips=skips) -> keras.Model:
                return build_unet(shape, FILTERS, skips=skips)

            def after(skips=skips) -> keras.Model:
                model = build_unet(shape, FILTERS, skips=skips)
                model.set_weights(trained[skips].get_weights())
                return model

            entries.append(_entry(f"unet_{skips}", title, "start", _average(fresh, batch, DRAWS)))
            entries.append(_entry(f"unet_{skips}", title, "trained", _average(after, batch, 1)))
        for residual in (False, True):
            for start, author in (("he_normal", "He"), ("glorot_uniform", "Glorot")):

                def chain(residual=residual, start=start) -> keras.Model:
                    return build_chain(shape, residual, start)

                kind = "residual" if residual else "plain"
                title = f"{kind.capitalize()} chain of {DEPTH}, {author}'s start"
                entries.append(
                    _entry(f"{kind}_{start}", title, "start", _average(chain, batch, DRAWS))
                )
    finally:
        keras.config.set_dtype_policy(policy)
    return entries


def build_chain(
    shape: tuple[int, int, int], residual: bool, start: str, filters: int = 8
) -> keras.Model:
    """Build `DEPTH` 3 x 3 convolutions in a row at half resolution, each with ReLU.

    Args:
        shape: (rows, cols, 3).
        residual: Add each convolution's input to what it gives (He et al. 2016, arXiv:1512.03385).
        start: Keras's name of the kernels' initializer.
        filters: Channels.
    """
    inputs = keras.Input(shape, name="slice")
    x = layers.AveragePooling2D(2, name="halve")(inputs)
    x = conv(x, filters, "stem")
    for step in range(1, DEPTH + 1):
        y = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start, name=f"conv{step}")(
            x
        )
        y = layers.ReLU(name=f"relu{step}")(y)
        x = layers.Add(name=f"add{step}")([x, y]) if residual else y
    x = layers.UpSampling2D(2, name="double")(x)
    return keras.Model(inputs, logits(x))


def kernel_gradients(
    model: keras.Model, batch: tuple[np.ndarray, np.ndarray], loss: Callable
) -> dict[str, float]:
    """Return, by layer, the norm of the loss's gradient to the kernel over the kernel's own norm.

    One step of plain gradient descent at rate 1 moves a weight by exactly its gradient, on every backend
    of Keras.
    """
    found = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    found = [layer for layer in found if layer.kernel is not None]
    before = [np.asarray(layer.kernel, np.float64) for layer in found]
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss, jit_compile=False)
    model.train_on_batch(*batch)
    norms = {}
    for layer, old in zip(found, before, strict=True):
        step = np.asarray(layer.kernel, np.float64) - old
        norms[layer.name] = float(np.linalg.norm(step) / np.linalg.norm(old))
        layer.kernel.assign(old.astype(np.float32))
    return norms


def _average(build: Callable[[], keras.Model], batch, draws: int) -> dict[str, float]:
    found: list[dict[str, float]] = []
    for seed in range(draws):
        keras.utils.set_random_seed(seed)
        found.append(kernel_gradients(build(), batch, losses.bce_dice))
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def _entry(key: str, title: str, when: str, norms: dict[str, float]) -> dict:
    rows = [{"name": name, "norm": float(f"{norm:.4g}")} for name, norm in norms.items()]
    return {"key": key, "title": title, "when": when, "layers": rows}


def _batch(slices: Subset, number: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Slices with tumor at even distances, standardized, with their masks."""
    chosen = np.flatnonzero(slices.has_tumor)
    chosen = chosen[np.linspace(0, len(chosen) - 1, number).astype(int)]
    picked = slices.take(chosen)
    size = picked.pixels.shape[1:3]
    pixels = np.stack([normalize(each, size) for each in picked.pixels])
    return pixels, (picked.masks[..., None] / 255).astype(np.float32)


def networks_folder(assets: Path) -> Path:
    """Where the compared networks lie."""
    return assets / "metrics" / _OUT
