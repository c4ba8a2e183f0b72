"""The cost of each input fault, measured by `python -m train robustness` and quoted by warnings.

`KINDS` lists the faults; the figures are in ``assets/metrics/robustness.json`` and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from btmodels.json_files import read_json
from btmodels.paths import ASSETS

KINDS = (
    "replicated",
    "swapped",
    "misplaced",
    "dark",
    "washed_out",
    "overexposed",
    "wrapped",
    "inverted",
    "cropped",
    "jpeg",
    "noise",
    "blur",
    "rotation",
    "quarter_turn",
    "half_resolution",
    "gamma",
    "bias_field",
    "one_slice",
)
"""In order: FLAIR in all three channels; pre- and post-contrast exchanged; FLAIR and pre-contrast
exchanged; a tenth of the gray range; levels from 80 to 182; clipped at white; overflow; inversion; half of
the picture; JPEG at quality 50; noise; blur; rotation by 30 degrees; rotation by 90 degrees; half the
resolution; gamma; a bias field; a slice without its neighbors."""


@dataclass(frozen=True)
class FaultCost:
    """Cost of one kind of fault on patients that the network was not trained on.

    Attributes:
        kind: One of `KINDS`.
        title: A few words for a table.
        what: A sentence on what exactly was done to the slices.
        model: Registry name of the segmenter.
        dice: Mean volumetric Dice of patients with the fault, 0 to 1.
        drop: Dice without the fault minus ``dice``; negative if the fault did no harm.
        patients, slices: Numbers of patients and slices that it was measured on.
    """

    kind: str
    title: str
    what: str
    model: str
    dice: float
    drop: float
    patients: int
    slices: int

    def sentence(self) -> str:
        """Return the cost as a sentence for a warning."""
        before = self.dice + self.drop
        seen = f"Measured on {self.patients} patients never seen"
        if f"{before:.2f}" == f"{self.dice:.2f}":
            return f"{seen}, this did not change the Dice of the mask ({self.dice:.2f})."
        verb = "falls" if self.drop > 0 else "rises"
        return (
            f"{seen}, the Dice of the mask {verb} from {before:.2f} to {self.dice:.2f} with this."
        )


def path(assets: Path = ASSETS) -> Path:
    """Return the path of the file with the figures."""
    return Path(assets) / "metrics" / "robustness.json"


def document(assets: Path = ASSETS) -> dict[str, Any] | None:
    """Return the content of the file, or None if it is missing or cannot be read."""
    try:
        return read_json(path(assets))
    except (OSError, ValueError):
        return None


def costs(assets: Path = ASSETS) -> dict[str, FaultCost]:
    """Return the costs by kind, without those that were not measured."""
    found = document(assets)
    if not found:
        return {}
    try:
        return {row["kind"]: _cost(row, found["model"]) for row in found["rows"] if "drop" in row}
    except (KeyError, TypeError):
        return {}


def cost_of(kind: str, assets: Path = ASSETS) -> FaultCost | None:
    """Return the cost of one kind of fault, or None if it was not measured.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"A kind is one of {', '.join(KINDS)}. Received: kind={kind!r}")
    return costs(assets).get(kind)


def _cost(row: dict[str, Any], model: str) -> FaultCost:
    own = (each.name for each in fields(FaultCost) if each.name != "model")
    return FaultCost(model=model, **{name: row[name] for name in own})
