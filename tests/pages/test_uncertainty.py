"""Uncertainty of one slice: computed on demand, in figures that can be checked manually."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels import registry
from btmodels.errors import EngineError
from btmodels.inference import gradcam, uncertainty
from btmodels.slices import Prediction
from tests import fakes
from tests.pages.conftest import words_of


class Asked(fakes.FakeEngine):
    """Also answers what Analyze asks beyond predictions; each network marks a column more."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.questions: list[tuple] = []

    def ask(self, function, image, *words):
        if self.fails:
            raise EngineError("The networks did not answer.")
        self.questions.append((function, *words))
        if function is gradcam.compute_gradcam:
            return gradcam.GradCAM(image[..., 1], (4, 4), "conv", words[0])
        if function is uncertainty.timed_prediction:
            name, verdict = words
            probability_map = image[..., 1].copy()
            if name != registry.get("default").name:
                probability_map[10:20, 20:22] = 255
            return uncertainty.TimedPrediction(
                Prediction(verdict, probability_map), 12.3, 4_000_000
            )
        probability_maps = np.stack([image[..., 1], image[..., 1]])
        return uncertainty.apply_thresholds(
            ("as it is", "mirrored"), probability_maps, [fakes.record("unet")] * 2
        )


@pytest.fixture
def opened(open_page):
    fake = Asked()
    return open_page("analyze", fake, patient=fakes.PATIENTS[0]), fake


def test_nothing_is_asked_before_somebody_wants_it(opened):
    _, fake = opened
    assert fake.questions == []


def test_the_report_can_be_had(opened):
    app, _ = opened
    labels = [button.label for button in app.get("download_button")]
    assert "Report (PDF)" in labels


def test_networks_and_mirror_image_are_counted(opened):
    app, fake = opened
    app.toggle(key="uncertainty.agreement").set_value(True).run()
    assert not app.exception
    # 100 pixels that the ResUNet marks too, of 120 that any marks.
    assert "**83%**" in words_of(app) and "20 pixels are in dispute" in words_of(app)
    asked = len(fake.questions)
    app.segmented_control(key="uncertainty.map").set_value("Mirror image").run()
    assert "mirror image all mark **100%**" in words_of(app)
    assert len(fake.questions) == asked  # what is known is not asked again


def test_two_networks_stand_side_by_side(opened):
    app, _ = opened
    box = app.selectbox(key="uncertainty.second")
    assert "U-Net" in box.options and "ResUNet" not in box.options
    box.set_value("unet").run()
    words = words_of(app)
    assert not app.exception
    assert "12 ms for this slice, 4.0 million" in words
    assert f"Dice between the two: **{2 * 100 / 220:.3f}**" in words


def test_grad_cam_is_asked_for_the_slice_in_view_alone(open_page):
    fake = Asked()
    app = open_page("analyze", fake, patient=fakes.PATIENTS[0], layers="prediction,gradcam")
    assert not app.exception
    assert [q[0] for q in fake.questions] == [gradcam.compute_gradcam]
    assert "gradcam.maps" in app.session_state
    assert app.query_params["layers"] == "prediction,gradcam"


def test_an_engine_that_fails_is_a_sentence(opened):
    app, fake = opened
    fake.fails = True
    app.toggle(key="uncertainty.agreement").set_value(True).run()
    assert not app.exception
    assert "did not answer" in words_of(app)
