"""``python -m train skips``: measure what skip connections and residuals contribute.

Writes ``assets/metrics/skips.json`` and, for the lesson on encoder and decoder, the two trained networks
as float16 in ``assets/metrics/networks/``. In addition to the common fields of experiments
(`train.experiments.common`):

- ``slices``: as in losses.json.
- ``arms``: ``joined`` (the small U-Net with all skips), ``zeroed`` (the same weights, with every skip
  replaced by zeros at inference) and ``absent`` (trained without skips), entries as in
  losses.json; ``zeroed`` has no curve and no times, since nothing is trained.
- ``networks``: for ``joined`` and ``absent``: ``file`` (name in ``assets/metrics/networks``), ``sha256``,
  ``builder`` (``btmodels.networks.unet:build_unet``), ``input_shape``, ``filters`` and ``skips``, the
  builder's arguments. They are not in the registry: they exist for comparison.
- ``gradients``: the share of the loss gradient that reaches each depth, see `gradients`. A list of entries
  ``key``, ``title``, ``when`` ("start" or "trained") and ``layers``, in forward order, each with
  ``name`` and ``norm``: the Euclidean norm of the loss gradient with respect to that layer's kernel over
  the kernel's own norm, averaged over ``draws`` initializations.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers

from btmodels import weights
from btmodels.networks.blocks import conv, logits, norm_relu
from btmodels.networks.unet import build_unet
from btmodels.training import losses
from btmodels.transforms.preprocess import normalize
from train import provenance
from train.experiments import common
from train.experiments.losses import EACH_SLICES, PARTS, run
from train.experiments.shown_slices import describe_slices, judge, pick_slices
from train.experiments.slices import load_material
from train.fit.subset import Subset

QUESTION = "What do skip connections carry, and do they keep gradients from vanishing?"

DRAWS = 3
"""Initializations over which gradient norms are averaged."""

DEPTH = 24
"""Convolutions in each chain."""

CHAINS = {
    "plain_glorot": (f"{DEPTH} convolutions, Glorot's start", "glorot_uniform"),
    "plain_he": (f"{DEPTH} convolutions, He's start", "he_normal"),
    "normalized": (f"{DEPTH} convolutions, normalized", "he_normal", True),
    "residual": (f"{DEPTH} convolutions, normalized, with residuals", "he_normal", True, True),
}
"""Title and arguments of `build_chain`, by key."""

_OUT = "networks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES, batch_size=16)


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    material = load_material(args)
    budget = common.budget_of(args, PARTS)
    shown, shape = pick_slices(budget.size), (budget.size, budget.size, 3)

    joined, build_joined = run("bce_dice", losses.bce_dice, budget, material, args.runs, shown)
    absent, build_absent = run(
        "absent", losses.bce_dice, budget, material, args.runs, shown, skips="absent"
    )
    with_skips, without = build_joined(), build_absent()
    filters = common.filters_of(budget)
    zeroed = build_unet(shape, filters, skips="zeroed")
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
            "filters": list(filters),
            "skips": key,
        }
        for key, name, model in (
            ("joined", "unet_small", with_skips),
            ("absent", "unet_small_without_skips", without),
        )
    ]
    place = args.runs / "experiments" / f"small-{common.run_name(budget, material)}"
    measured = common.once(
        place / "gradients.json",
        lambda: {
            "entries": gradients(
                _batch(material.subset("train")),
                {"joined": with_skips, "absent": without},
                filters,
                1 if args.quick else DRAWS,
                4 if args.quick else DEPTH,
            )
        },
    )
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
    provenance.write_json(
        args.assets / "metrics" / "skips.json",
        common.document(
            args,
            QUESTION,
            budget,
            material,
            slices=describe_slices(shown),
            arms=arms,
            networks=networks,
            draws=1 if args.quick else DRAWS,
            gradients=measured["entries"],
        ),
    )
    for arm in arms:
        print(f"{arm['title']}: mean Dice {arm['score']['mean_dice']}")
    return 0


def gradients(
    batch: tuple[np.ndarray, np.ndarray],
    trained: dict[str, keras.Model],
    filters: Sequence[int],
    draws: int = DRAWS,
    depth: int = DEPTH,
) -> list[dict]:
    """Measure how much gradient reaches each layer, at the start and after training.

    Measures the U-Net with and without skips, and a chain of `DEPTH` convolutions with ReLU: plain with
    Glorot initialization; plain with He initialization, which preserves the scale of signals in a plain
    chain of ReLUs (He et al. 2015, arXiv:1502.01852); with batch normalization before each ReLU; and with
    a residual connection around each convolution, too, as in the site's ResUNet.

    Args:
        batch: Standardized slices, (n, size, size, 3), and masks, (n, size, size, 1).
        trained: The two trained networks by the builder's ``skips``.
        filters: Channels of their levels.
        draws: Initializations over which norms are averaged.
        depth: Convolutions in each chain.

    Returns:
        The ``gradients`` entry of the file.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # norms span many orders of magnitude
    shape = batch[0].shape[1:]
    entries = []
    try:
        for skips, title in (("joined", "U-Net with skips"), ("absent", "U-Net without skips")):

            def fresh(skips=skips) -> keras.Model:
                return build_unet(shape, filters, skips=skips)

            def after(skips=skips) -> keras.Model:
                model = build_unet(shape, filters, skips=skips)
                model.set_weights(trained[skips].get_weights())
                return model

            entries.append(_entry(f"unet_{skips}", title, "start", _average(fresh, batch, draws)))
            entries.append(_entry(f"unet_{skips}", title, "trained", _average(after, batch, 1)))
        for key, (title, *how) in CHAINS.items():

            def chain(how=how) -> keras.Model:
                return build_chain(shape, depth, *how)

            entries.append(_entry(key, title, "start", _average(chain, batch, draws)))
    finally:
        keras.config.set_dtype_policy(policy)
    return entries


def build_chain(
    shape: tuple[int, int, int],
    depth: int,
    start: str,
    normalized: bool = False,
    residual: bool = False,
    filters: int = 8,
) -> keras.Model:
    """Build 3 x 3 convolutions in a row at half resolution, each with ReLU.

    Args:
        shape: (rows, cols, 3).
        depth: Number of convolutions.
        start: Keras kernel initializer.
        normalized: Put batch normalization and ReLU before each convolution instead of a ReLU after it.
        residual: Add each convolution's input to its output (He et al. 2016, arXiv:1603.05027).
        filters: Channels.
    """
    inputs = keras.Input(shape, name="slice")
    x = layers.AveragePooling2D(2, name="halve")(inputs)
    x = conv(x, filters, "stem")
    for step in range(1, depth + 1):
        y = norm_relu(x, f"norm{step}") if normalized else x
        y = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start, name=f"conv{step}")(
            y
        )
        y = y if normalized else layers.ReLU(name=f"relu{step}")(y)
        x = layers.Add(name=f"add{step}")([x, y]) if residual else y
    x = layers.UpSampling2D(2, name="double")(x)
    return keras.Model(inputs, logits(x))


def kernel_gradients(
    model: keras.Model, batch: tuple[np.ndarray, np.ndarray], loss: Callable
) -> dict[str, float]:
    """Return, by layer, the norm of the loss gradient with respect to the kernel over the kernel's norm.

    One step of plain gradient descent with learning rate 1 moves a weight by exactly its gradient, on every
    Keras backend.
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
    """Return evenly spaced slices with tumor, standardized, with their masks."""
    chosen = np.flatnonzero(slices.has_tumor)
    chosen = chosen[np.linspace(0, len(chosen) - 1, number).astype(int)]
    picked = slices.take(chosen)
    size = picked.pixels.shape[1:3]
    pixels = np.stack([normalize(each, size) for each in picked.pixels])
    return pixels, (picked.masks[..., None] / 255).astype(np.float32)
