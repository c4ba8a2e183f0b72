"""Default training of each network."""

from __future__ import annotations

from btmodels.training.fitting import FitConfig

RECIPES: dict[str, tuple[FitConfig, ...]] = {
    "resunet": (
        FitConfig(
            epochs=4,
            num_slices=7800,
            learning_rate=1e-3,
            warmup=0.1,
            validate_every=4,
            fade=0.3,
            ema=0.99,
        ),
    ),
    "resunet_small": (
        FitConfig(epochs=28, warmup=0.1),
        FitConfig(epochs=7, learning_rate=1.5e-3, warmup=0.1, seed=1, fade=0.3),
        FitConfig(epochs=5, learning_rate=1e-3, warmup=0.1, seed=2, fade=0.3),
    ),
    "unet": (FitConfig(epochs=30, warmup=0.1, patience=10, validate_every=1),),
    "sequential": (FitConfig(epochs=6, warmup=0.1),),
    "resnet50_unet": (
        FitConfig(
            epochs=6, num_slices=1300, learning_rate=1e-3, warmup=0.1, validate_every=1, fade=0.3
        ),
        FitConfig(
            epochs=16,
            num_slices=1700,
            learning_rate=1e-3,
            warmup=0.1,
            validate_every=1,
            fade=0.3,
            seed=1,
        ),
    ),
    "vgg16_unet": (
        FitConfig(
            epochs=4, num_slices=1300, learning_rate=3e-4, warmup=0.1, validate_every=1, fade=0.3
        ),
    ),
    "efficientnet_unet": (
        FitConfig(epochs=16, learning_rate=1e-3, warmup=0.1, validate_every=1, fade=0.3),
    ),
    "resnet50": (FitConfig(epochs=14, learning_rate=1e-3, weight_decay=1e-3),),
}
"""Stages by network; each starts from the best validated weights of the stage before."""

CHOSEN_IN_FOLDS = ("resunet",)
"""Networks whose recipe and settings were chosen by cross-validation. They train on the validation
patients, too, and keep their final weights."""

CANDIDATES = {
    "efficientnet_plain": FitConfig(learning_rate=1e-3, fade=0.3, ema=0.99),
    "resunet_distilled": FitConfig(learning_rate=5e-4, fade=0.3, ema=0.99),
}
"""Networks that are cross-validated but not used on the site."""

POLICIES = {
    "efficientnet_plain": "float32",
    "resunet_distilled": "float32",
    "resunet": "float32",
    "efficientnet_unet": "float32",
}
"""Keras dtype policies that override the machine's fastest: depthwise convolutions take 50% longer in
bfloat16 on CPUs."""


def training_subsets(name: str) -> list[str]:
    """Return the subsets on whose patients `train fit` trains a network."""
    return ["train", "validation"] if name in CHOSEN_IN_FOLDS else ["train"]


def num_slices(name: str) -> int:
    """Return the number of slices that a network's recipe trains on, over all stages and epochs."""
    return sum(stage.epochs * stage.num_slices for stage in RECIPES[name])
