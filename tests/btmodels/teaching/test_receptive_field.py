"""The counts on paper are Keras's own, and what a pixel sees is where its gradient ends."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from btmodels import weights
from btmodels.inference.introspect import gradient_of_pixel
from btmodels.networks.multiply_adds import multiply_adds
from btmodels.networks.sequential import build_sequential
from btmodels.networks.unet import build_unet
from btmodels.teaching.receptive_field import Architecture, mirrored

U = [
    Architecture("u", (4, 8), convs=1, kernel=3, size=32),
    Architecture("u", (2, 4, 8), convs=2, kernel=3, size=64),
    Architecture("u", (3, 5, 6), convs=1, kernel=5, size=64),
    Architecture("u", (4,), convs=3, kernel=3, size=32),
    Architecture("u", (2, 3, 4, 5), convs=1, kernel=3, size=64),
]
CHAINS = [
    Architecture("chain", (4, 6, 4), convs=1, kernel=5, size=40),
    Architecture("chain", mirrored(2, 3), convs=2, kernel=3, size=48),
]


def built(paper: Architecture) -> keras.Model:
    shape = (paper.size, paper.size, paper.channels)
    if paper.kind == "u":
        return build_unet(shape, paper.widths, convs=paper.convs, kernel=paper.kernel)
    filters = [width for width in paper.widths for _ in range(paper.convs)]
    return build_sequential(shape, filters, kernel=paper.kernel)


def values_of(model: keras.Model) -> int:
    """Numbers in the outputs of all layers but ReLU, which works in place."""
    kept = [layer for layer in model.layers if type(layer).__name__ not in ("ReLU", "InputLayer")]
    return sum(int(np.prod(layer.output.shape[1:])) for layer in kept)


SHIPPED = {
    "unet": Architecture("u", (16, 32, 64, 128, 256)),
    "sequential": Architecture("chain", (16, 24, 32, 32, 24, 16), convs=1),
}


@pytest.mark.parametrize("paper", [*U, *CHAINS, *SHIPPED.values()], ids=repr)
def test_the_counts_are_those_of_keras(paper):
    model = built(paper)
    assert paper.parameters == model.count_params()
    assert paper.multiply_adds == multiply_adds(model)
    assert sum(stage.values for stage in paper.stages) == values_of(model)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_networks_are_these_on_paper(name):
    model, paper = weights.build(name), SHIPPED[name]
    assert paper.parameters == model.count_params()
    assert (paper.size, paper.size, paper.channels) == tuple(model.input.shape[1:])


@pytest.mark.parametrize("paper", [*U, *CHAINS], ids=repr)
def test_stages_are_where_keras_has_them(paper):
    model = built(paper)
    if paper.kind == "u":
        for stage in paper.stages[:-1]:
            layer = model.get_layer(f"{stage.name}_relu{paper.convs}")
            assert tuple(layer.output.shape[1:]) == (stage.size, stage.size, stage.channels)
    assert paper.stages[-1].name == "logits"


def seen(model: keras.Model, row: int, col: int) -> np.ndarray:
    """Where a pixel's logit has a gradient, over a few slices of noise: bool, (rows, cols)."""
    noise = np.random.default_rng(0).uniform(size=(3, *model.input.shape[1:])).astype(np.float32)
    found = [
        keras.ops.convert_to_numpy(gradient_of_pixel(model, each[None], row, col)) for each in noise
    ]
    return np.abs(found).max(axis=(0, 1, 4)) > 0


@pytest.mark.parametrize("paper", [*U, *CHAINS], ids=repr)
def test_what_a_pixel_sees_ends_where_its_gradient_ends(paper):
    keras.utils.set_random_seed(3)
    model = built(paper)
    # Nothing negative, so that no ReLU is shut and only what is out of reach has no gradient.
    model.set_weights([np.abs(weight) for weight in model.get_weights()])
    middle = paper.size // 2
    for row, col in [(middle, middle + 1), (middle + 3, 0)]:
        rows, cols = np.nonzero(seen(model, row, col))
        assert (rows.min(), rows.max()) == paper.window("logits", row)
        assert (cols.min(), cols.max()) == paper.window("logits", col)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_pixel_of_the_shipped_networks_sees_is_measured(name):
    paper, (model, _) = SHIPPED[name], weights.load(name)
    rows, cols = np.nonzero(seen(model, 64, 101))
    assert (rows.min(), rows.max()) == paper.window("logits", 64)
    assert (cols.min(), cols.max()) == paper.window("logits", 101)


def test_a_sight_by_hand():
    # Two 3 x 3 convolutions see 5; halved they see 2 * 5 = 10, and two above reach 4 more on either side.
    first, bottom, last, head = Architecture("u", (2, 4), size=32).stages
    assert (first.name, bottom.name, last.name) == ("enc1", "bottleneck", "dec1")
    assert first.sees == 5
    assert bottom.sees == 5 * 2 + 4
    # Two convolutions up there span 5 units, which lie over 3 below: 2 more than one sees, doubled.
    assert last.sees == bottom.sees + 2 * 2
    assert head.sees == last.sees
    assert Architecture("chain", (2,) * 6, convs=1).stages[-1].sees == 13


def test_at_the_border_nothing_is_seen_beyond_it():
    paper = Architecture("chain", (2, 2), convs=1, size=8)
    assert paper.window("logits", 0) == (0, 2)
    assert paper.window("level1", 7) == (6, 7)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match="halved 2 times.*size=30"):
        Architecture("u", (1, 2, 3), size=30)
    with pytest.raises(ValueError, match="odd kernel.*kernel=4"):
        Architecture("u", (1, 2), kernel=4)
    with pytest.raises(ValueError, match="width a level"):
        Architecture("chain", ())
