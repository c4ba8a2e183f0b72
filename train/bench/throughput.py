"""Benchmark of throughput: each network's share of the machine's peak multiply-adds per second, and its
slices per second in training, in float32 and in bfloat16."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from btmodels import paths, processes, registry
from btmodels.dataset import cohort
from btmodels.inference import worker
from train.bench.rows import Row, interleaved, row
from train.bench.runtimes import PAUSE

SIDE = 4096
"""Rows and columns of the matrices: large enough for all cores, 64 MB each."""

BATCH = 8
"""Slices per call, so that no core waits for the next call."""

TRAINED = ("unet", "resnet50_unet")
"""Networks to train: one of plain convolutions, one with a large encoder."""

POLICIES = ("float32", "mixed_bfloat16")


def peak_rows(
    names: Sequence[str], repeats: int, assets: Path = paths.ASSETS, side: int = SIDE
) -> Iterator[Row]:
    """Yield billions of multiply-adds per second of a matrix product, and of each network against it.

    The product uses the dtype that networks compute in on this machine, float32 or bfloat16.
    Product and network take turns, since a processor slows down as it warms up.

    Args:
        names: Registry names.
        repeats: Calls of each.
        assets: Folder with the weights.
        side: Rows and columns of the matrices.
    """
    os.environ.update(processes.environment())
    import keras

    from btmodels.inference.precision import fastest_policy
    from btmodels.networks.multiply_adds import (
        multiply_adds,  # loads TensorFlow, which reads the environment
    )

    numbers = keras.DTypePolicy(fastest_policy()).compute_dtype
    product = matrix_product(side, numbers)
    products, shares = [], []
    for name in names:
        predictor = worker.get_keras_predictor(name, assets)
        views = 2 if predictor.record.flips else 1
        work = multiply_adds(predictor.model) * views * BATCH
        batch = np.zeros((BATCH, *predictor.spec.input_shape), np.float32)
        ways = {"product": product, "network": predictor.forward}
        times = interleaved(ways, [batch] * repeats, PAUSE)
        products += times["product"]
        shares.append((name, work, median(times["network"]), median(times["product"])))
    yield row(f"peak/product_{numbers}", speed(side**3, median(products)), "G/s")
    for name, work, own, beside in shares:
        yield row(f"peak/{name}", speed(work, own), "G/s", speed(side**3, beside))


def speed(multiply_adds: int, seconds: float) -> float:
    """Return billions of multiply-adds per second."""
    return multiply_adds / seconds / 1e9


def matrix_product(side: int, dtype: str) -> Callable[[Any], np.ndarray]:
    """Return a function that ignores its argument, multiplies two matrices of ``side`` rows and columns,
    and waits for the result."""
    from keras import ops, random

    one, other = (ops.cast(random.normal((side, side), seed=seed), dtype) for seed in (1, 2))
    return lambda _: ops.convert_to_numpy(ops.cast(ops.matmul(one, other)[:1, :1], "float32"))


def training_rows(
    names: Sequence[str] = TRAINED, epochs: int = 3, num_slices: int = 96
) -> Iterator[Row]:
    """Yield slices per second of training, with augmentation, in bfloat16 against float32.

    Epochs of the two take turns; the first of each compiles and is not counted.

    Args:
        names: Registry names of segmenters.
        epochs: Counted epochs.
        num_slices: Slices per epoch.
    """
    os.environ.update(processes.environment())
    for name in names:
        times = _epochs(name, epochs, num_slices)
        rate = {policy: num_slices / median(seconds) for policy, seconds in times.items()}
        yield row(f"training/{name}/float32", rate["float32"], "/s")
        yield row(f"training/{name}/bfloat16", rate["mixed_bfloat16"], "/s", rate["float32"])


def _epochs(name: str, epochs: int, num_slices: int) -> dict[str, list[float]]:
    """Train a new network under each policy; return the seconds of each counted epoch."""
    from btmodels import weights
    from btmodels.inference.precision import using
    from btmodels.training import losses
    from btmodels.training.fitting import FitConfig, compile_model, train_epoch
    from train.fit.data import Epoch
    from train.fit.subset import read_subset

    size = registry.get(name).input_shape[0]
    subset = read_subset(cohort.read_cohort(cohort.samples_root()), size)
    config = FitConfig(epochs=epochs + 1, num_slices=num_slices)
    models = {}
    for policy in POLICIES:
        with using(policy):
            models[policy] = weights.build(name)
            compile_model(models[policy], losses.bce_dice, config, num_slices // config.batch_size)
    times: dict[str, list[float]] = {policy: [] for policy in POLICIES}
    for epoch in range(epochs + 1):
        for policy in POLICIES if epoch % 2 else reversed(POLICIES):
            data = Epoch(subset, 0, epoch, config.batch_size, num_slices)
            trained = train_epoch(models[policy], epoch, data)
            if epoch:
                times[policy].append(trained["seconds"])
    return times
