"""What networks compute in: as fast as the machine can, and hardly to be told from float32."""

from __future__ import annotations

import keras
import pytest

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.inference import precision
from btmodels.inference.predict import Predictor


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512f avx512_bf16", "mixed_bfloat16"),
        ("fpu amx_bf16 amx_tile", "mixed_bfloat16"),
        ("fpu avx2 avx512f", "float32"),
        (None, "float32"),
    ],
)
def test_processors_that_have_units_for_bfloat16_use_them(flags, expected, tmp_path, monkeypatch):
    file = tmp_path / "cpuinfo"
    if flags:
        file.write_text(f"flags : {flags}\n", encoding="utf-8")
    monkeypatch.setattr(precision, "CPU_FLAGS", file)
    monkeypatch.setattr(precision, "_gpu", lambda: None)
    assert precision.fastest_policy() == expected


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((7, 5), "float32"), ((8, 0), "mixed_bfloat16"), ((9, 0), "mixed_bfloat16")],
)
def test_so_do_gpus(capability, expected, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"] * (kind == "GPU"))
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda gpu: {"compute_capability": capability},
    )
    assert precision.fastest_policy() == expected
    assert precision.largest_batch() == precision.GPU_BATCH


def test_a_policy_ends_with_its_block():
    before = keras.config.dtype_policy().name
    with pytest.raises(ZeroDivisionError), precision.using("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == before


@pytest.mark.usefixtures("eager")
def test_masks_are_computed_in_float32_and_verdicts_as_fast_as_may_be(monkeypatch):
    monkeypatch.setattr(precision, "fastest_policy", lambda: "mixed_bfloat16")
    assert Predictor("sequential").numbers == "float32"
    fast = Predictor("default-classifier")
    assert fast.numbers == "bfloat16"
    patient = cohort.read_cohort(cohort.samples_root(paths.ASSETS))[0]
    slices, _ = cohort.read_slices(patient)
    image = max(slices, key=lambda each: int(each.truth.sum())).pixels
    (fine,) = Predictor("default-classifier", policy="float32").classify([image])
    assert fast.classify([image])[0] == pytest.approx(fine, abs=0.01)
