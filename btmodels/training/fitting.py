"""One training loop for every network, with checkpoints from which a run resumes exactly.

All random numbers derive from seed, epoch and step, and a checkpoint holds weights and optimizer state. So
a run that is killed and resumed ends with the same weights as an uninterrupted run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btmodels.training import distribution


@dataclass(frozen=True)
class FitConfig:
    """How a network is trained.

    Attributes:
        epochs: Number of passes.
        num_slices: Slices per pass.
        batch_size: Slices per step.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Weight decay of AdamW, on kernels only.
        warmup: Fraction of all steps in which the learning rate rises.
        seed: Seed of weights, order and augmentation.
        validate_every: Epochs between validations; the last one is always validated.
        patience: Number of validations without a better score after which training stops; None never stops.
        fade: Probability that a lesion's contrast is changed, mostly weakened, in a training slice.
        ema: Momentum of the exponential moving average of the weights; 0 keeps no average.
        augmentation: Further augmentations of training slices, by `train.fit.augment.Augmentation`.
    """

    epochs: int = 30
    num_slices: int = 2600
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup: float = 0.2
    seed: int = 0
    validate_every: int = 2
    patience: int | None = None
    fade: float = 0.0
    ema: float = 0.0
    augmentation: Mapping[str, Any] = field(default_factory=dict)


def compile_model(model: keras.Model, loss, config: FitConfig, steps_per_epoch: int) -> None:
    """Compile with AdamW (Loshchilov & Hutter, arXiv:1711.05101) and a one-cycle learning rate (after Smith
    & Topin, arXiv:1708.07120): warmup from 1/25 of the peak, then cosine decay to nearly zero.
    """
    total = max(config.epochs * steps_per_epoch, 2)
    rising = max(int(total * config.warmup), 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        config.learning_rate / 25,
        decay_steps=total - rising,
        alpha=1e-3,
        warmup_target=config.learning_rate,
        warmup_steps=rising,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=config.weight_decay, global_clipnorm=1.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer=optimizer, loss=loss, jit_compile=keras.backend.backend() == "jax")
    optimizer.build(model.trainable_variables)


class WeightAverage(keras.callbacks.Callback):
    """Keeps the exponential moving average of a model's weights, including batch normalization statistics.

    In the first steps the momentum is lower, as in TensorFlow's moving averages, so that the average soon
    forgets the initial weights.

    Args:
        momentum: Fraction of the average that is kept in each step, below 1.
    """

    def __init__(self, momentum: float):
        super().__init__()
        self.momentum = momentum
        self.steps = 0
        self.weights: list[np.ndarray] = []

    def on_train_batch_end(self, batch, logs=None):
        if not self.weights:
            self.weights = [np.array(each) for each in self.model.get_weights()]
        kept = np.float32(min(self.momentum, (1 + self.steps) / (10 + self.steps)))
        for average, weight in zip(self.weights, self.model.weights, strict=True):
            average *= kept
            average += (1 - kept) * keras.ops.convert_to_numpy(weight)
        self.steps += 1


def save_checkpoint(
    path: Path, model: keras.Model, state: dict, average: WeightAverage | None = None
) -> None:
    """Write weights, optimizer, ``state`` and the average to one file atomically.

    Of several processes the first writes, and the others wait for it.

    Raises:
        OSError: For example, the disk is full; the previous file is kept.
    """
    if distribution.processes()[0] > 0:
        return distribution.wait_for_all()
    arrays = {f"w{i}": np.asarray(w) for i, w in enumerate(model.get_weights())}
    arrays |= {
        f"o{i}": keras.ops.convert_to_numpy(v) for i, v in enumerate(model.optimizer.variables)
    }
    if average:
        arrays |= {f"a{i}": each for i, each in enumerate(average.weights)}
        arrays["averaged_steps"] = np.array(average.steps)
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as file:
            np.savez(file, state=np.frombuffer(json.dumps(state).encode(), np.uint8), **arrays)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        partial.unlink(missing_ok=True)  # a partial checkpoint must not occupy a full disk
        raise
    partial.replace(path)
    distribution.wait_for_all()


def load_checkpoint(path: Path, model: keras.Model, average: WeightAverage | None = None) -> dict:
    """Restore a checkpoint from `save_checkpoint` and return its state."""
    with np.load(path, allow_pickle=False) as arrays:
        model.set_weights([arrays[f"w{i}"] for i in range(len(model.weights))])
        for i, variable in enumerate(model.optimizer.variables):
            variable.assign(arrays[f"o{i}"])
        if average:
            average.weights = [arrays[f"a{i}"] for i in range(len(model.weights))]
            average.steps = int(arrays["averaged_steps"])
        return json.loads(arrays["state"].tobytes())


def read_weights(path: Path, averaged: bool = False) -> list[np.ndarray]:
    """Return the weights in a checkpoint, in the order of `keras.Model.get_weights`.

    Args:
        path: A file from `save_checkpoint`.
        averaged: Return their moving average (`FitConfig.ema`) instead.

    Raises:
        KeyError: No average was kept.
    """
    letter = "a" if averaged else "w"
    with np.load(path, allow_pickle=False) as arrays:
        number = sum(name.startswith("w") for name in arrays)
        return [arrays[f"{letter}{i}"] for i in range(number)]


def read_state(path: Path) -> dict:
    """Return the state in a checkpoint, without its weights."""
    with np.load(path, allow_pickle=False) as arrays:
        return json.loads(arrays["state"].tobytes())


class _Progress(keras.callbacks.Callback):
    """Reports the progress of an epoch every half minute."""

    def __init__(self, say: Callable[[str], None], epochs: int):
        super().__init__()
        self.say, self.epochs = say, epochs
        self.started = self.spoken = time.monotonic()
        self.done = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        now = time.monotonic()
        if now - self.spoken > 30:
            steps = self.params["steps"]
            left = (now - self.started) / self.done * ((self.epochs - self.epoch) * steps - batch)
            self.say(
                f"epoch {self.epoch + 1}/{self.epochs} step {batch + 1}/{steps} "
                f"loss {logs['loss']:.4f}, about {left / 60:.0f} min left"
            )
            self.spoken = now


def fit(
    model: keras.Model,
    loss,
    epoch_data: Callable[[int], keras.utils.PyDataset],
    validate: Callable[[keras.Model], float],
    config: FitConfig,
    folder: Path,
    say: Callable[[str], None] = lambda line: None,
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
) -> dict:
    """Train or resume training, and leave ``model`` with the weights that scored best in validation; these
    are averaged weights if a moving average is kept.

    Args:
        model: Built, not compiled.
        loss: Function of (truth, logits), or a dict of them by output.
        epoch_data: Returns the batches of an epoch, given its number from 0.
        validate: Returns the score of the model; higher is better.
        config: How to train.
        folder: Holds ``checkpoint.npz`` (with the moving average, if any) and ``best.npz``; a run found
            there is resumed.
        say: Called with each line of progress.
        callbacks: Further Keras callbacks.

    Returns:
        ``best_score``, ``best_epoch`` (from 1), ``epochs`` done, ``seconds``, ``history`` (one dict per
        epoch) and ``config``.

    Raises:
        ValueError: The folder holds a run with a different configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = epoch_data(0)
    compile_model(model, loss, config, len(first))
    state = {
        "epochs": 0,
        "best_score": None,
        "best_epoch": None,
        "seconds": 0.0,
        "history": [],
        "config": asdict(config),
    }
    checkpoint, best = folder / "checkpoint.npz", folder / "best.npz"
    average = WeightAverage(config.ema) if config.ema else None
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, model, average)
        if state["config"] != asdict(config):
            raise ValueError(
                f"The run in {folder.name} was begun with another configuration. "
                f"Received: config={asdict(config)}, found: {state['config']}"
            )
        say(f"going on after epoch {state['epochs']}")
    callbacks = (_Progress(say, config.epochs), *filter(None, [average]), *callbacks)
    for epoch in range(state["epochs"], config.epochs):
        if config.patience and validations_without_gain(state["history"]) >= config.patience:
            say(f"stopped early: no better score for {config.patience} validations")
            break
        row = train_epoch(model, epoch, distribution.own_part(epoch_data(epoch)), callbacks)
        last = epoch + 1 == config.epochs
        began = time.monotonic()
        state["epochs"] = epoch + 1
        state["history"].append(row | {"score": None})
        if last or (epoch + 1) % config.validate_every == 0:
            with _averaged(model, average):
                score = state["history"][-1]["score"] = validate(model)
                if state["best_score"] is None or score > state["best_score"]:
                    state |= {"best_score": score, "best_epoch": epoch + 1}
                    save_checkpoint(best, model, state)
        row = state["history"][-1]
        row["seconds"] = round(row["seconds"] + time.monotonic() - began, 1)
        state["seconds"] += row["seconds"]
        save_checkpoint(checkpoint, model, state, average)
        left = (config.epochs - epoch - 1) * row["seconds"] / 60
        score = "" if row["score"] is None else f", validation {row['score']:.4f}"
        say(
            f"epoch {epoch + 1}/{config.epochs}: loss {row['loss']:.4f}{score}, "
            f"{row['seconds']:.0f} s, about {left:.0f} min left"
        )
    if best.exists():
        load_checkpoint(best, model)
    return state


@contextmanager
def _averaged(model: keras.Model, average: WeightAverage | None) -> Iterator[None]:
    """Give ``model`` the averaged weights inside the context, if there are any."""
    own = model.get_weights() if average else []
    if average:
        model.set_weights(average.weights)
    try:
        yield
    finally:
        if average:
            model.set_weights(own)


def train_epoch(
    model: keras.Model,
    epoch: int,
    data: keras.utils.PyDataset,
    callbacks: tuple[keras.callbacks.Callback, ...] = (),
) -> dict:
    """Train on ``data`` for one epoch, one step per batch; the site's lesson also uses it.

    Args:
        model: Compiled by `compile_model`.
        epoch: Number of the epoch, from 0.
        data: Batches of the epoch, in order.
        callbacks: Keras callbacks.

    Returns:
        ``epoch`` (from 1), ``loss`` (mean over the steps) and ``seconds``.
    """
    began = time.monotonic()
    fitted = model.fit(
        data,
        initial_epoch=epoch,
        epochs=epoch + 1,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
    loss = float(fitted.history["loss"][-1])
    return {"epoch": epoch + 1, "loss": loss, "seconds": time.monotonic() - began}


def validations_without_gain(history: list[dict]) -> int:
    """Return the number of validations since the best one."""
    scores = [row["score"] for row in history if row["score"] is not None]
    return len(scores) - 1 - scores.index(max(scores)) if scores else 0


def finished(state: dict) -> bool:
    """Return whether a run is finished: all epochs are done, or it stopped early."""
    config, history = state["config"], state["history"]
    if state["epochs"] >= config["epochs"]:
        return True
    return bool(config["patience"]) and validations_without_gain(history) >= config["patience"]
