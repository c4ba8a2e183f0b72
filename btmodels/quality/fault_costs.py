"""What a fault of the input costs, as `python -m train robustness` measured it: for warnings to quote.

Kinds of faults are `KINDS`; figures stand in ``assets/metrics/robustness.json`` and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
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
"""In order: FLAIR in all three channels; pre- and post-contrast exchanged; FLAIR and pre exchanged;
a tenth of the range of gray; levels from 80 to 182; cut at white; run over; white for black; half of the
picture; JPEG at quality 50; noise;
blur; turned by 30 degrees; by 90; half the resolution; gamma; a bias field; a slice without its
neighbors."""


@dataclass(frozen=True)
class FaultCost:
    """What one kind of fault costs on patients never seen.

    Attributes:
        kind: One of `KINDS`.
        title: In a few words, to stand in a table.
        what: What exactly was done to the slices, a sentence.
        model: Registry name of the segmenter.
        dice: Mean volumetric Dice of patients with the fault, 0 to 1.
        drop: How much lower that is than without; negative where the fault did no harm.
        drop_interval: 95 % by resampling patients; None where it was not measured.
        auc_drop: How much lower the classifier's AUC is; None where it was not measured.
        verdicts_changed: Share of slices whose verdict the fault turned, 0 to 1; None likewise.
        patients, slices: How many it was measured on.
    """

    kind: str
    title: str
    what: str
    model: str
    dice: float
    drop: float
    drop_interval: tuple[float, float] | None
    auc_drop: float | None
    verdicts_changed: float | None
    patients: int
    slices: int

    def sentence(self) -> str:
        """Say it in words: what a warning quotes."""
        before = self.dice + self.drop
        seen = f"Measured on {self.patients} patients never seen"
        if f"{before:.2f}" == f"{self.dice:.2f}":
            return f"{seen}, this did not change the Dice of the mask ({self.dice:.2f})."
        verb = "falls" if self.drop > 0 else "rises"
        return (
            f"{seen}, the Dice of the mask {verb} from {before:.2f} to {self.dice:.2f} with this."
        )


def path(assets: Path = ASSETS) -> Path:
    """Where the figures stand."""
    return Path(assets) / "metrics" / "robustness.json"


def document(assets: Path = ASSETS) -> dict[str, Any] | None:
    """Return the whole file, or None where nothing was measured or it cannot be read."""
    try:
        return read_json(path(assets))
    except (OSError, ValueError):
        return None


def costs(assets: Path = ASSETS) -> dict[str, FaultCost]:
    """Return what is known, by kind; a kind that was not measured is not in it."""
    found = document(assets)
    if not found:
        return {}
    try:
        return {row["kind"]: _cost(row, found["model"]) for row in found["rows"] if "drop" in row}
    except (KeyError, TypeError):
        return {}


def cost_of(kind: str, assets: Path = ASSETS) -> FaultCost | None:
    """Return what one kind of fault costs, or None where it was not measured.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"A kind is one of {', '.join(KINDS)}. Received: kind={kind!r}")
    return costs(assets).get(kind)


def _cost(row: dict[str, Any], model: str) -> FaultCost:
    interval = row.get("drop_interval")
    return FaultCost(
        kind=row["kind"],
        title=row["title"],
        what=row["what"],
        model=model,
        dice=row["dice"],
        drop=row["drop"],
        drop_interval=tuple(interval) if interval else None,
        auc_drop=row.get("auc_drop"),
        verdicts_changed=row.get("verdicts_changed"),
        patients=row["patients"],
        slices=row["slices"],
    )
