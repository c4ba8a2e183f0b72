"""The tumor in 3-D: the surfaces drawn, and the sentences about them."""

from __future__ import annotations

import numpy as np
import pytest

from ui.patients import surface3d


def a_stack(*boxes: tuple[slice, slice, slice]) -> np.ndarray:
    volume = np.zeros((12, 48, 40), bool)
    for box in boxes:
        volume[box] = True
    return volume


HEAD = a_stack(np.s_[1:11, 4:44, 5:35])
TUMOR = a_stack(np.s_[4:8, 10:20, 20:30])


def names(figure) -> list[str]:
    return [trace.name for trace in figure.data if trace.type == "mesh3d"]


def test_three_surfaces_with_names_to_switch():
    figure, captions = surface3d.figure(TUMOR, np.roll(TUMOR, 2, axis=1), HEAD, None)
    assert names(figure) == ["Predicted", "Truth", "Head"]
    assert all(trace.showlegend for trace in figure.data[:3])
    colors = {trace.color for trace in figure.data[:3]}
    assert len(colors) == 3 and figure.data[2].opacity < figure.data[1].opacity < 1
    assert all(caption.endswith(".") for caption in captions)


def test_the_words_stand_on_their_sides():
    figure, _ = surface3d.figure(TUMOR, None, HEAD, None)
    words = figure.data[-1]
    at = dict(zip(words.text, np.column_stack([words.x, words.y, words.z]), strict=True))
    # x grows with the columns: the picture's right is the patient's left; rows go to the back.
    assert at["right"][0] < 5 and at["left"][0] > 35
    assert at["front"][1] < 4 and at["back"][1] > 44
    assert at["first slice"][2] < at["last slice"][2]
    tumor = figure.data[0]
    assert np.mean(tumor.x) == pytest.approx(25, abs=0.5)
    assert np.mean(tumor.y) == pytest.approx(15, abs=0.5)


def test_it_reads_on_light_and_dark():
    figure, _ = surface3d.figure(TUMOR, None, None, None)
    clear = "rgba(0,0,0,0)"
    assert (figure.layout.paper_bgcolor, figure.layout.scene.bgcolor) == (clear, clear)
    assert figure.layout.scene.aspectmode == "data"


def test_without_spacing_the_captions_say_so():
    _, captions = surface3d.figure(TUMOR, None, HEAD, None)
    assert any("along the stack are unknown" in caption for caption in captions)


def test_with_spacing_proportions_are_true():
    figure, captions = surface3d.figure(TUMOR, None, None, (5.0, 0.5, 0.5))
    assert any("Proportions are true" in caption for caption in captions)
    assert not any("unknown" in caption for caption in captions)
    z = figure.data[0].z
    assert max(z) - min(z) == pytest.approx(4 * 5, abs=2.5)


def test_an_empty_mask_is_said_not_drawn():
    figure, captions = surface3d.figure(TUMOR & False, TUMOR, HEAD, None)
    assert names(figure) == ["Truth", "Head"]
    assert "Predicted: nothing is marked in this stack, so there is no surface." in captions
    figure, captions = surface3d.figure(TUMOR & False, TUMOR & False, HEAD & False, None)
    assert names(figure) == [] and len(figure.data[0].x) == 6  # the six words alone


def test_what_is_not_there_is_left_out():
    figure, captions = surface3d.figure(None, TUMOR, None, None)
    assert names(figure) == ["Truth"]
    assert not any(caption.startswith("Predicted") for caption in captions)


@pytest.mark.parametrize("volumes", [(None, None, None), (TUMOR, None, HEAD[:5])])
def test_volumes_that_do_not_fit_are_refused(volumes):
    with pytest.raises(ValueError, match="Received"):
        surface3d.figure(*volumes, None)
