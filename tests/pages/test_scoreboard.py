"""Scoreboard: the committed figures and no others, with reasons where one is missing."""

from __future__ import annotations

import json
import re
import shutil
from copy import deepcopy
from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest, app_test

from btmodels import paths, registry
from btmodels.dataset.split import load_split
from btmodels.errors import WeightsError
from btmodels.inference import engine
from btmodels.metrics.binomial import detection_interval
from tests import fakes
from tests.pages.conftest import ROOT, _Router, words_of
from ui.results import experiments, headline, scores
from ui.scoreboard import worst_cases
from ui.shared.content import sections

OWN, JUDGE = registry.get("default").name, registry.get("default-classifier").name
RECORDED = [name for name in registry.SPECS if registry.record_path(name).exists()]


@pytest.fixture
def board(cohort, monkeypatch):
    """Open the Scoreboard on the committed records, with the networks switched off."""
    monkeypatch.setattr(app_test, "PagesManager", _Router)
    off = fakes.FakeEngine("off", "The networks are switched off here (BT_ENGINE=off).")
    monkeypatch.setattr(engine, "get_engine", lambda: off)

    def open_(**query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        app.switch_page("pages/scoreboard.py")
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception
        assert not re.search(r"\bnan\b", words_of(app), re.IGNORECASE)
        return app

    return open_


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Put changed scores of one network in the place of its committed ones."""

    def write(name: str, change) -> None:
        committed = registry.metrics_path
        content = deepcopy(json.loads(committed(name).read_text(encoding="utf-8")))
        change(content)
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        monkeypatch.setattr(
            registry,
            "metrics_path",
            lambda each, *rest: path if registry.get(each).name == name else committed(each, *rest),
        )

    return write


def committed(name: str, subset: str) -> dict:
    return json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))[subset]


def metrics_of(app: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in app.metric}


def table_with(app: AppTest, column: str) -> pd.DataFrame:
    """Return the first table that has a column."""
    return next(each.value for each in app.dataframe if column in each.value.columns)


def charts_of(app: AppTest) -> list[str]:
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def test_it_opens_with_the_sites_own_segmenter_on_patients_never_seen(board):
    app = board()
    test = committed(OWN, "test")
    assert metrics_of(app)["Mean Dice"] == f"{test['mean_dice']:.3f}"
    assert metrics_of(app)["False alarms"] == f"{100 * test['false_alarm_rate']:.1f}%"
    low, high = detection_interval(test)  # exact: resampling 20 of 20 patients finds only 20
    (detected,) = [each.delta for each in app.metric if each.label == "Detected"]
    assert detected == f"{100 * low:.1f} to {100 * high:.1f}" and low < test["detection_rate"]
    assert dict(app.query_params) == {"tab": "where", "model": OWN, "subset": "test"}
    words = words_of(app)
    assert "took no part in training or in any choice of settings" in words
    met = registry.load_record(OWN).extra["test_evaluations"]
    told = {1: "once", 2: "twice"}.get(met, f"{met} times")
    assert f"scored on them {told}" in words
    assert "Not a medical device" in words


def test_every_network_with_a_record_is_compared(board):
    app = board()
    shown = table_with(app, "Mean Dice, these patients")
    costs = table_with(app, "File, MB").set_index("Network")
    tested = [name for name in RECORDED if registry.get(name).task == "segment"]
    assert set(shown["Network"]) == {registry.get(name).title for name in tested}
    for name in tested:
        row = shown[shown["Network"] == registry.get(name).title].iloc[0]
        test = committed(name, "test")
        low, high = test["mean_dice_interval"]
        said = f"{test['mean_dice']:.3f} ({low:.3f} to {high:.3f})"
        assert row["Mean Dice, these patients"] == said
        assert row["Median Dice"] == test["median_dice"]
        cost = costs.loc[registry.get(name).title]
        assert cost["Training"] in ("complete", "unfinished")
        assert cost["File, MB"] == pytest.approx(registry.weights_size(name) / 1e6)
    folds = experiments.load("crossval")
    first = shown.iloc[0]
    assert first["Network"] == registry.get(OWN).title
    assert first["Mean Dice, cross-validation"].startswith(f"{folds['mean_dice']:.3f} (")


def test_every_list_of_networks_has_one_order(board):
    titles = [network.spec.title for network in scores.networks()]
    segmenters = [t for t in titles if t != registry.get(JUDGE).title]
    app = board()
    assert list(table_with(app, "Median Dice")["Network"]) == segmenters
    assert app.selectbox[0].options == segmenters
    assert board(tab="patients").selectbox[0].options == titles


def test_the_headline_is_read_from_the_files(board, tmp_path, monkeypatch):
    folds = deepcopy(experiments.load("crossval"))
    words = words_of(board())
    assert f"Mean Dice **{folds['mean_dice']:.2f}** over {len(folds['patients'])} patients" in words
    alone, _ = (r for r in experiments.load("detection")["rows"] if r["by"] == "segmenter")
    assert f"finds **{100 * alone['sensitivity']:.1f}%** of the slices with tumor" in words

    shutil.copytree(paths.ASSETS / "metrics", tmp_path / "metrics")
    folds |= {"mean_dice": 0.6543, "mean_dice_interval": [0.6, 0.7]}
    (tmp_path / "metrics" / f"crossval_{OWN}.json").write_text(json.dumps(folds))
    detection = json.loads((tmp_path / "metrics" / "detection.json").read_text(encoding="utf-8"))
    for row in detection["rows"]:
        if row["by"] == "segmenter":
            row["sensitivity"] = 0.5432 if row["neighbors"] else 0.4321
    (tmp_path / "metrics" / "detection.json").write_text(json.dumps(detection))
    (tmp_path / "metrics" / "published.json").unlink()
    monkeypatch.setattr(paths, "ASSETS", tmp_path)
    monkeypatch.setattr(
        registry,
        "metrics_path",
        lambda name, *rest: tmp_path / f"metrics/{registry.get(name).name}.json",
    )
    words = headline.segmentation_sentence(headline.segmentation_scores())
    assert "Mean Dice **0.65** over" in words and "0.60 to 0.70" in words
    assert "experts" not in words
    words = headline.detection_sentence(headline.detection_score())
    assert "The ResUNet finds **43.2%**" in words and "54.3%" not in words

    (tmp_path / "metrics" / f"crossval_{OWN}.json").unlink()
    test = committed(OWN, "test")
    words = headline.segmentation_sentence(headline.segmentation_scores())
    assert f"**{test['mean_dice']:.2f}** over {len(test['patients'])} test patients" in words


def test_publications_stand_beside_real_patients_only(board):
    assert "System" in table_with(board(tab="published"), "System").columns
    assert "two human experts" in words_of(board(tab="patients"))
    made_up = words_of(board(tab="patients", subset="samples"))
    assert "two human experts" not in made_up
    assert "nothing about how well it does on real patients" in made_up


def test_the_weights_the_split_and_the_looks_at_the_test_patients_are_told(board):
    words, record = words_of(board(tab="provenance")), registry.load_record(OWN)
    assert record.sha256[:12] in words and record.split_sha256[:12] in words
    met = record.extra["test_evaluations"]
    told = {0: "never", 1: "once", 2: "twice"}.get(met, f"{met} times")
    assert f"this network was scored on them {told}." in words
    assert record.versions["keras"] in words


def test_the_sites_verdict_leads_and_the_classifier_is_the_second_opinion(board):
    app = board(model=JUDGE)
    rows = experiments.load("detection")["rows"]
    leading = {row["neighbors"]: row for row in rows if row["by"] == "segmenter"}
    metrics = metrics_of(app)
    assert list(metrics)[:4] == [
        "AUC, slice alone",
        "AUC, with neighbors",
        "Sensitivity, slice alone",
        "Sensitivity, with neighbors",
    ]
    assert metrics["AUC, slice alone"] == f"{leading[False]['auc']:.3f}"
    assert metrics["Sensitivity, with neighbors"] == f"{100 * leading[True]['sensitivity']:.1f}%"
    own, other = (row for _, row in table_with(app, "Average precision").iterrows())
    verdict, opinion = committed(OWN, "test")["verdict"], committed(JUDGE, "test")
    for row, name, scored in ((own, OWN, verdict), (other, JUDGE, opinion)):
        assert row["Network"].startswith(registry.get(name).title)
        assert row["AUC"].startswith(f"{scored['auc']:.3f} (")
    looks = [registry.load_record(name).extra["test_evaluations"] for name in (OWN, JUDGE)]
    assert (
        f"ResUNet was scored on them {looks[0]} times, the ResNet50 classifier {looks[1]} times"
        in (words_of(app))
    )
    drawn = " ".join(charts_of(app))
    assert "ROC curve" in drawn and "Precision against recall" in drawn
    assert "Share of slices with tumor" in drawn and drawn.count("answer of the network") == 2
    assert "split by patient and comes with an interval" in words_of(app)


def test_outcomes_that_were_not_counted_are_not_drawn(board, written):
    written(JUDGE, lambda content: content["test"].pop("confusion"))
    app = board(model=JUDGE)
    assert sum("answer of the network" in alt for alt in charts_of(app)) == 1
    assert "were not counted" in words_of(app)


def test_scores_of_other_weights_are_refused(board, written):
    written(OWN, lambda content: content["test"].update(weights_sha256="00" * 32, mean_dice=0.987))
    app = board()
    assert "belong to other weights and are not shown" in words_of(app)
    assert "has no scores on these patients" in words_of(app)
    assert not app.metric
    shown = table_with(app, "Mean Dice, these patients")
    row = shown[shown["Network"] == registry.get(OWN).title].iloc[0]
    assert pd.isna(row["Mean Dice, these patients"])
    assert "0.987" not in words_of(app)


def test_altered_weights_have_no_scores_at_all(board, tmp_path, monkeypatch):
    committed_path = registry.weights_path
    name, path = next(iter(registry.weights_files(OWN).items()))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    altered = tmp_path / "altered.h5"
    altered.write_bytes(content)
    monkeypatch.setattr(
        registry,
        "weights_path",
        lambda asked, *rest: altered if asked == (name or OWN) else committed_path(asked, *rest),
    )
    app = board()
    assert "has been altered" in words_of(app)
    assert not app.metric


def test_missing_scores_get_a_sentence(board, written, tmp_path):
    written(OWN, lambda content: content.clear())
    assert "belong to other weights" in words_of(board())
    (tmp_path / f"{OWN}.json").unlink()
    assert "There are no scores of" in words_of(board())


def test_no_networks_at_all_get_a_sentence(board, monkeypatch):
    monkeypatch.setattr(scores, "networks", lambda: [])
    app = board()
    assert "There are no trained networks" in words_of(app)
    assert not app.dataframe


def test_a_record_that_cannot_be_read_is_said(board, monkeypatch):
    def broken(name, *rest):
        raise WeightsError("The record cannot be read.")

    monkeypatch.setattr(registry, "load_record", broken)
    assert "The record cannot be read." in words_of(board())


def test_undefined_figures_are_dashes_with_a_reason(board, written):
    def undefine(content):
        for key in ("mean_dice", "hausdorff95", "tumor_slice_dice", "mean_dice_interval"):
            content["test"][key] = None

    written(OWN, undefine)
    app = board()
    assert metrics_of(app)["Mean Dice"] == "–" and metrics_of(app)["Hausdorff 95"] == "–"
    words = words_of(app)
    assert "Hausdorff 95: no slice where both masks mark something" in words
    assert "Tumor-slice Dice: no slice with tumor" in words
    assert not {"None", "nan"} & set(metrics_of(app).values())


def test_figures_that_were_never_measured_are_dashes_with_a_reason(board, written):
    def strip(content):
        for key in ("hausdorff95", "detection_rate", "calibration", "cascade", "whole_patient"):
            content["test"].pop(key, None)

    written(OWN, strip)
    app = board()
    assert metrics_of(app)["Detected"] == "–"
    words = words_of(app)
    assert f"Detected: not measured for {registry.get(OWN).title}" in words
    assert "calibration of pixels was not measured" in words
    assert "Masks only where the classifier says tumor: –" in words


def test_what_is_measured_is_drawn(board, written):
    measured = {
        "hausdorff95": 4.25,
        "detection_rate": 0.95,
        "calibration": {
            "edges": [i / 10 for i in range(11)],
            "pixels": [100] + [0] * 8 + [10],
            "probability": [0.01] + [None] * 8 + [0.95],
            "tumor": [0.02] + [None] * 8 + [0.9],
            "error": 0.0321,
        },
        "cascade": {"mean_dice": 0.5, "median_dice": 0.5, "false_alarm_rate": 0.25}
        | {"classifier": JUDGE, "classifier_sha256": registry.load_record(JUDGE).sha256},
        "whole_patient": {"mean_dice": 0.75, "rule": "The largest part is kept."},
    }
    written(OWN, lambda content: content["test"].update(measured))
    app = board()
    assert metrics_of(app)["Hausdorff 95"].startswith("4.2")
    assert metrics_of(app)["Detected"] == "95.0%"
    words = words_of(app)
    assert "0.032" in words and "The largest part is kept." in words
    ways = table_with(app, "Method").set_index("Method")
    assert ways.loc["Masks only where the classifier says tumor", "False alarms"] == 25
    assert any("Share of tumor among pixels" in alt for alt in charts_of(app))


def test_a_cascade_with_another_classifier_is_refused(board, written):
    cascade = {"mean_dice": 0.5, "classifier": JUDGE, "classifier_sha256": "00" * 32}
    written(OWN, lambda content: content["test"].update(cascade=cascade))
    app = board()
    assert list(table_with(app, "Method")["Method"])[0] == "The segmenter alone"
    assert not any("classifier" in way for way in table_with(app, "Method")["Method"])
    assert "Masks only where the classifier says tumor: –" in words_of(app)


def test_the_worst_patient_comes_first(board):
    app = board(tab="patients")
    tables = [each.value for each in app.dataframe if "View" in each.value.columns]
    real, _ = tables
    dice = real["Dice"].dropna()
    assert list(dice) == sorted(dice) and len(real) == len(committed(OWN, "test")["patients"])
    assert real["View"].isna().all()
    assert "Set `BT_DATA_DIR`" in words_of(app)


def test_a_patient_of_the_data_folder_is_one_click_away(board, written):
    def rename(content):
        test = content["test"]
        old = min(test["patients"], key=lambda folder: test["patients"][folder]["dice"] or 1)
        for part in ("patients", "per_slice"):
            test[part][fakes.PATIENTS[0]] = test[part].pop(old)

    written(OWN, rename)
    app = board(tab="patients")
    worst = table_with(app, "View").iloc[0]
    assert worst["Patient"] == fakes.PATIENTS[0]
    assert worst["View"] == (
        f"analyze?patient={fakes.PATIENTS[0]}&slice={worst['Slice']}&model={OWN}"
    )
    assert "Set `BT_DATA_DIR`" not in words_of(app)


def test_the_slice_named_has_the_most_wrong_pixels(board):
    worst = table_with(board(tab="patients"), "View").iloc[0]
    slices = committed(OWN, "test")["per_slice"][worst["Patient"]]
    wrong = {number: fp + fn for number, (_, fp, fn, _) in slices.items()}
    assert wrong[worst["Slice"]] == max(wrong.values())


def test_pixel_accuracy_stands_only_beside_the_empty_masks(board, written):
    assert "An empty mask" in metrics_of(board())
    written(OWN, lambda content: content["test"].update(empty_mask_accuracy=None))
    assert "This network" not in metrics_of(board())


def test_an_unfinished_training_is_said(board, monkeypatch):
    committed_record = registry.load_record
    monkeypatch.setattr(
        registry,
        "load_record",
        lambda *args: replace(committed_record(*args), complete=False, extra={}),
    )
    words = words_of(board(tab="provenance"))
    assert "**unfinished**" in words and "an unrecorded number of times" in words
    assert set(table_with(board(), "Training")["Training"]) == {"unfinished"}


def test_the_choice_is_kept_in_the_address(board):
    app = board(tab="patients", subset="validation")
    assert app.selectbox[0].value == OWN
    app.selectbox[0].set_value(JUDGE).run()
    address = {"tab": "patients", "model": JUDGE, "subset": "validation"}
    assert dict(app.query_params) == address
    app.segmented_control[0].set_value("samples").run()
    assert dict(app.query_params) == address | {"subset": "samples"}


def test_an_address_without_a_tab_opens_that_of_its_network(board):
    app = board(model=JUDGE, subset="samples")
    assert dict(app.query_params)["tab"] == "detection"
    shown = table_with(app, "Average precision").iloc[1]["AUC"]
    assert shown.startswith(f"{committed(JUDGE, 'samples')['auc']:.3f} (")
    assert dict(board(model="unet").query_params) == {
        "tab": "where",
        "model": "unet",
        "subset": "test",
    }


def test_unknown_values_of_a_link_get_sentences(board):
    app = board(model="gpt", subset="everyone", tab="secrets")
    words = words_of(app)
    assert "asks for a model that does not exist here" in words and OWN in words
    assert "asks for a subset that does not exist here" in words
    assert "asks for a tab that does not exist here" in words
    assert not {"gpt", "everyone", "secrets"} & set(re.findall(r"\w+", words))
    app.selectbox[0].set_value("unet").run()
    assert "is not here" not in words_of(app)


def test_every_table_can_be_kept(board):
    app = board()
    kept = [button.proto.label for button in app.get("download_button")]
    assert kept.count("CSV") == len(app.dataframe)


def test_every_column_that_needs_words_has_them():
    from ui.scoreboard.comparison import CLASSIFIER, SEGMENTER
    from ui.shared.content import sections

    text = sections("cards/scoreboard.md")
    terms = {figure.term for figure in (*SEGMENTER.values(), *CLASSIFIER.values())}
    terms |= {"Interval", "Dice", "Parameters", "Multiply-adds", "Time", "File", "Training state"}
    for term in terms:
        sentence = text[f"Term: {term}"]
        assert sentence.endswith(".") and sentence.count(". ") <= 2


def test_classifier_and_segmenter_are_compared_alone_and_with_neighbors(board):
    rows = experiments.load("detection")["rows"]
    shown = table_with(board(tab="detection"), "AUC, slice alone")
    assert len(shown) == len({row["by"] for row in rows}) > 0
    for row in rows:
        column = "with neighbors" if row["neighbors"] else "slice alone"
        low, high = row["auc_interval"]
        assert f"{row['auc']:.3f} ({low:.3f} to {high:.3f})" in set(shown[f"AUC, {column}"])


def test_the_worst_patients_of_the_folds_are_those_of_the_file(board):
    document, split = experiments.load("crossval"), load_split()
    dice = {name: each["dice"] for name, each in document["patients"].items()}
    known = sorted((value, name) for name, value in dice.items() if name not in split["test"])
    told = [name for name in sections(worst_cases.WORDS) if name]
    assert told == [name for _, name in known[: len(told)]] and len(told) == 12
    shown = table_with(board(tab="patients"), "What went wrong")
    assert list(shown["Patient"]) == told
    under = int((shown["Recall"] < shown["Precision"]).sum())
    assert f"In {under} of the 12 the network marks too little" in words_of(board(tab="patients"))
