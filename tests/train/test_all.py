"""One command writes every generated file."""

import argparse
import json

import keras
import pytest

from btmodels import paths, registry
from btmodels.networks.ensemble import MEMBERS
from tests.train.tiny import use_small_networks
from train import all as everything
from train.__main__ import main
from train.fit.recipes import RECIPES

SKIPPED = ["prepare", "cohort", "export", "experiments", "quality", "bench"]


def planned(*words) -> list[list[str]]:
    parser = argparse.ArgumentParser()
    everything.add_arguments(parser)
    return everything.plan(parser.parse_args(["--data", "data", *words]))


def test_every_network_of_the_registry_is_made_and_scored():
    assert set(everything.FITTED) == set(RECIPES)
    commands = planned()
    assert {line[1] for line in commands if line[0] == "fit"} == set(RECIPES)
    scored = {(line[2], line[4]) for line in commands if line[0] == "evaluate"}
    assert scored == {
        (name, subset)
        for name in registry.SPECS
        for subset in ("samples", "validation", "test")
        if (name, subset) != ("resunet", "validation")  # it learns from these patients
    }
    assert [line[0] for line in commands if line[0] not in ("fit", "evaluate")] == [
        *("prepare", "split", "cohort", *("crossval",) * (len(MEMBERS) + 6)),
        *(
            "head",
            "detect",
            "pairs",
            "combine",
            "export",
            "screen",
            "losses",
            "skips",
            "stacks",
            "leak",
            "leak",
            "robustness",
            "transfer",
        ),
        *("associate", "quality", "fuzz", "bench", "cards"),
    ]
    judged = [line[line.index("--network") + 1] for line in commands if "--network" in line]
    candidates = "efficientnet_plain", "resunet", "resunet", "resunet_distilled"
    assert judged == [*MEMBERS, "ensemble", *candidates]
    folds = [line for line in commands if line[0] == "crossval" and "resunet" in line][-1]
    assert folds[folds.index("--slices") + 1] == "31200", "as many as the recipe draws"
    first = {name: [line[0] for line in commands].index(name) for name in ("crossval", "fit")}
    assert first["crossval"] < first["fit"], "which chooses its threshold by it"


def test_quick_is_small_and_leaves_the_test_patients_alone():
    commands = planned("--quick", "--assets", "elsewhere", "--models", "unet", "--epochs", "3")
    fits = [line for line in commands if line[0] == "fit"]
    assert [line[1] for line in fits] == ["unet"]
    assert fits[0][fits[0].index("--epochs") + 1] == "3"
    assert not any("test" in line or line[0] == "combine" for line in commands)
    quality = next(line for line in commands if line[0] == "quality")
    assert quality[quality.index("--corrupt") + 1] == "validation"
    kinds = [{line[0] for line in planned(*words)} for words in ((), ("--quick",))]
    assert kinds[0] == kinds[1], "nothing that is generated is left out"


def test_quick_never_writes_into_the_committed_folder(capsys):
    assert main(["all", "--data", "assets/samples", "--quick"]) == 2
    assert main(["all", "--data", "assets/samples", "--epochs", "1", "--assets", "x"]) == 2
    assert "--quick needs --assets" in capsys.readouterr().out


def test_it_stops_at_the_first_command_that_fails(tmp_path):
    said = []
    wrong = ["split", "--data", str(tmp_path / "nowhere")]
    assert everything.run([wrong, ["split"]], said.append) == 1
    assert len(said) == 2 and "resumes here" in said[1]


def test_a_folder_without_patients_is_an_error_not_a_crash(tmp_path, capsys):
    words = ["--quick", "--data", str(tmp_path), "--assets", str(tmp_path / "assets")]
    assert main(["all", *words]) == 1
    assert capsys.readouterr().err


@pytest.mark.slow
def test_everything_at_a_tiny_size_on_the_bundled_cohort(tmp_path, eager, monkeypatch):
    use_small_networks(monkeypatch)
    words = ["--data", str(paths.ASSETS / "samples"), "--assets", str(tmp_path)]
    small = ["--quick", "--epochs", "1", "--num-slices", "16", "--runs", str(tmp_path / "runs")]
    # Experiments and graphs have quick tests of their own.
    # Of the other networks, test_pretrained.py tries what is different: a ready-made encoder taken over.
    models = ["resnet50", *MEMBERS, "sequential"]
    assert main(["all", *words, *small, "--models", *models, "--skip", *SKIPPED]) == 0
    keras.config.set_dtype_policy("float32")
    for name in [*models, "ensemble"]:
        record = registry.verify_weights(name, tmp_path)
        scores = json.loads(registry.metrics_path(name, tmp_path).read_text())["validation"]
        assert scores["weights_sha256"] == record.sha256
        assert len(scores["patients"]) == 2, "a fifth of eight patients, drawn anew"
    members = registry.load_record("ensemble", tmp_path).extra["members"]
    assert members == {name: registry.load_record(name, tmp_path).sha256 for name in MEMBERS}
    fuzz = json.loads((tmp_path / "metrics" / "fuzz.json").read_text())
    assert fuzz["count"] == 300
