"""Files of experiments in words and figures."""

import json

from ui.results import experiments
from ui.results.gradient_figures import gradients
from ui.scoreboard.experiment_charts import IntervalRow, curves, groups, intervals

DOCUMENT = {
    "command": "python -m train losses",
    "complete": False,
    "lacks": ["focal"],
    "budget": {"slices": 5000, "parts": 4, "size": 128, "batch_size": 8, "seed": 0},
    "data": {"patients": 100, "slices": 3500, "synthetic": False},
    "machine": "a machine",
    "split_sha256": "a" * 64,
}


def write(folder, content):
    path = folder / "metrics" / "losses.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


def test_a_file_is_read_unless_it_is_broken_or_quick(tmp_path):
    assert experiments.load("losses", tmp_path) is None
    for unusable in ("{", "[]", json.dumps(DOCUMENT | {"quick": True})):
        write(tmp_path, unusable)
        assert experiments.load("losses", tmp_path) is None
    write(tmp_path, json.dumps(DOCUMENT))
    assert experiments.load("losses", tmp_path) == DOCUMENT


def test_the_budget_is_said_in_words():
    # 5,000 in four parts of whole batches of eight
    words = experiments.how(DOCUMENT)
    assert "4,992 slices of 128 x 128 pixels, batches of 8, seed 0" in words
    assert "100 patients, 3,500 slices" in words and "Measured on a machine." in words
    assert "`python -m train losses`" in words and "`aaaaaaaaaaaa…`" in words


def test_what_is_lacking_is_said():
    assert experiments.lacking(DOCUMENT).endswith("Not run yet: focal.")
    many = DOCUMENT | {"lacks": [f"cell {n}" for n in range(9)]}
    assert experiments.lacking(many).endswith("cell 5 and 3 more.")
    assert experiments.lacking(DOCUMENT | {"complete": True, "lacks": []}) == ""


def test_a_row_without_a_value_has_no_mark():
    figure = intervals(
        [IntervalRow("a", 0.5, (0.4, 0.7)), IntervalRow("b", None)], "Dice", zero=True
    )
    assert [list(trace.x) for trace in figure.data] == [[0.5]]
    error = figure.data[0].error_x
    assert abs(error.array[0] - 0.2) < 1e-9 and abs(error.arrayminus[0] - 0.1) < 1e-9
    assert [note.text for note in figure.layout.annotations] == ["a", "b"]


def test_arms_differ_by_color_dash_and_symbol():
    figure = curves([(str(n), [0, 1], [n, n]) for n in range(5)], "x", "y")
    for style in (
        [t.line.color for t in figure.data],
        [t.line.dash for t in figure.data],
        [t.marker.symbol for t in figure.data],
    ):
        assert len(set(style)) == 5


def test_networks_of_other_depths_share_one_scale():
    layers = [{"name": str(n), "norm": 10.0**-n} for n in range(5)]
    figure = gradients(
        [
            {"key": key, "title": key, "when": "start", "layers": layers[:count]}
            for key, count in (("deep", 5), ("shallow", 3))
        ]
    )
    assert [list(t.x)[-1] for t in figure.data] == [100, 100] and list(figure.data[0].y)[4] == 1e-4
    assert figure.layout.yaxis.type == "log"


def test_clusters_show_a_dot_a_patient_and_medians():
    figure = groups({"true": {"1": [1, 2, 9], "2": [4]}, "predicted": {"1": [3, 5]}}, "ratio")
    dots = [trace for trace in figure.data if trace.showlegend is not False]
    assert [len(trace.x) for trace in dots] == [4, 2]
    medians = [list(trace.y) for trace in figure.data if trace.showlegend is False]
    assert medians == [[2, 4], [4, None]]
