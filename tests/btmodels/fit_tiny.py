"""A tiny training run as a program of its own, for the test that kills one: ``fit_tiny.py FOLDER``.

Prints a line an epoch and, when done, the SHA-256 of all weights.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from btmodels.networks.unet import build_unet
from btmodels.training.fitting import FitConfig, fit
from btmodels.training.losses import bce_dice

EPOCHS, STEPS = 4, 40


class Squares(keras.utils.PyDataset):
    """Bright squares on noise, a function of epoch and step."""

    def __init__(self, epoch: int):
        super().__init__()
        self.epoch = epoch

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, step: int):
        rng = np.random.default_rng((self.epoch, step))
        masks = np.zeros((4, 16, 16, 1), np.float32)
        for mask in masks:
            row, col = rng.integers(0, 10, 2)
            mask[row : row + 6, col : col + 6] = 1
        noise = rng.standard_normal((4, 16, 16, 3)).astype(np.float32)
        return masks * 2 + noise, masks


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(folder: Path, say: Callable[[str], None] = say) -> None:
    keras.utils.set_random_seed(0)
    model = build_unet((16, 16, 3), (4, 8))
    config = FitConfig(epochs=EPOCHS, num_slices=4 * STEPS, batch_size=4, validate_every=1)

    def validate(current: keras.Model) -> float:
        pixels, masks = Squares(99)[0]
        found = np.asarray(current.predict_on_batch(pixels)) > 0
        return float((found == (masks > 0)).mean())

    state = fit(model, bce_dice, Squares, validate, config, folder, say)
    digest = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
    say(f"score {state['best_score']}")
    say(f"weights {digest}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
