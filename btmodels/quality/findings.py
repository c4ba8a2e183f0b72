"""What the input check says of a slice: findings, each with its figures, its cost and its correction.

Three kinds: a *stop* means that no mask is drawn, a *fault* that the mask is worth less, a *note* that
something is as it may be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from btmodels.quality import fault_costs

Kind = Literal[
    "tiny", "mask", "not_a_brain", "ct", "inverted", "dark", "washed_out", "overexposed", "wrapped",
    "gray", "replicated", "stand_in", "swapped", "exchanged", "cropped", "empty",
]  # fmt: skip

COSTS = {
    "gray": "replicated",
    "replicated": "replicated",
    "exchanged": "swapped",
    "swapped": "misplaced",
    "dark": "dark",
    "washed_out": "washed_out",
    "overexposed": "overexposed",
    "wrapped": "wrapped",
    "inverted": "inverted",
    "cropped": "cropped",
}
"""What of `btmodels.quality.fault_costs.KINDS` tells the price of a finding."""

UNMEASURED = "What this costs was not measured."


@dataclass(frozen=True)
class Finding:
    """One thing that the check sees.

    Attributes:
        kind: What it is.
        severity: "stop" means that there is no mask, "fault" that it is worth less, "note" neither.
        text: What is seen, one sentence for anyone.
        evidence: The figures behind it, a sentence with numbers.
        correction: Key of `btmodels.quality.corrections.CORRECTIONS`, None where one click cannot help.
    """

    kind: Kind
    severity: Literal["stop", "fault", "note"]
    text: str
    evidence: str
    correction: str | None = None

    @property
    def cost(self) -> str:
        """What the finding costs, as measured; empty for a stop and for a note without a price."""
        if self.severity == "stop":
            return ""
        known = fault_costs.cost_of(COSTS[self.kind]) if self.kind in COSTS else None
        if known:
            return known.sentence()
        return UNMEASURED if self.severity == "fault" else ""


@dataclass(frozen=True)
class QualityReport:
    """All that the check sees in a slice.

    Attributes:
        findings: Stops first, then faults, then notes.
        checked: False where this copy of the project has no thresholds: then nothing was looked at.
    """

    findings: tuple[Finding, ...] = ()
    checked: bool = True

    @property
    def stop(self) -> Finding | None:
        """The reason why no mask is drawn, if there is one."""
        return next((each for each in self.findings if each.severity == "stop"), None)

    @property
    def passed(self) -> bool:
        """Whether there is nothing but notes."""
        return all(each.severity == "note" for each in self.findings)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every finding as plain text: what is seen, by which figures, at what cost."""
        return tuple(" ".join(filter(None, (f.text, f.evidence, f.cost))) for f in self.findings)
