"""The README's scores are those of the committed files, digit by digit."""

import json
from pathlib import Path

from btmodels import registry

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
SUBSETS = {"validation": "validation, 10", "test": "**never seen, 20**", "samples": "synthetic, 8"}


def figure(value: float | None, interval: list[float] | None = None) -> str:
    if value is None:
        return "-"
    text = f"{value:.3f}"
    return text if interval is None else f"{text} ({interval[0]:.3f} to {interval[1]:.3f})"


def lines_for(name: str) -> list[str]:
    """Return the README's table rows for one network, as they must stand there."""
    scores = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))
    lines = []
    for subset, title in SUBSETS.items():
        found = scores[subset]
        assert len(found["patients"]) == int("".join(c for c in title if c.isdigit()))
        if registry.get(name).task == "segment":
            cells = [
                figure(found["mean_dice"], found["mean_dice_interval"]),
                figure(found["median_dice"]),
                figure(found["tumor_slice_dice"]),
                figure(found["false_alarm_rate"]),
            ]
        else:
            cells = [
                figure(found["auc"], found["auc_interval"]),
                figure(found["accuracy"]),
                figure(found["sensitivity_at_95_specificity"]),
                figure(found["calibration_error"]),
            ]
        lines.append(f"| {' | '.join([title, *cells])} |")
    return lines


def test_the_readmes_scores_are_the_committed_ones():
    missing = [line for name in ("resunet", "resnet50") for line in lines_for(name)]
    missing = [line for line in missing if line not in README]
    assert not missing, "README.md must say:\n" + "\n".join(missing)
