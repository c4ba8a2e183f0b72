"""Findings of the input check about a slice, each with its evidence, its cost and its correction.

There are three severities: *stop* means that no mask is drawn, *fault* that the mask is less reliable, and
*note* that something is unusual but acceptable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from btmodels.quality import fault_costs

Kind = Literal[
    "tiny", "mask", "not_a_brain", "ct", "inverted", "dark", "washed_out", "overexposed", "wrapped",
    "gray", "replicated", "stand_in", "swapped", "exchanged", "cropped", "empty", "screenshot",
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
"""For each kind of finding, the one of `btmodels.quality.fault_costs.KINDS` whose cost it quotes."""

UNMEASURED = "What this costs was not measured."


@dataclass(frozen=True)
class Finding:
    """One finding about a slice.

    Attributes:
        kind: Kind of the finding.
        severity: "stop" if no mask is drawn, "fault" if the mask is less reliable, else "note".
        text: A sentence in plain words.
        evidence: A sentence with the numbers behind it.
        correction: Key of `btmodels.quality.corrections.CORRECTIONS`; None if there is no correction.
    """

    kind: Kind
    severity: Literal["stop", "fault", "note"]
    text: str
    evidence: str
    correction: str | None = None

    @property
    def cost(self) -> str:
        """The measured cost as a sentence; empty for a stop, and for a note without a measured cost."""
        if self.severity == "stop":
            return ""
        known = fault_costs.cost_of(COSTS[self.kind]) if self.kind in COSTS else None
        if known:
            return known.sentence()
        return UNMEASURED if self.severity == "fault" else ""


@dataclass(frozen=True)
class QualityReport:
    """All findings about a slice.

    Attributes:
        findings: Stops first, then faults, then notes.
        checked: False if this copy of the project has no thresholds, so that nothing was checked.
    """

    findings: tuple[Finding, ...] = ()
    checked: bool = True

    @property
    def stop(self) -> Finding | None:
        """The finding that stops the analysis, if there is one."""
        return next((each for each in self.findings if each.severity == "stop"), None)

    @property
    def passed(self) -> bool:
        """Whether there are no findings except notes."""
        return all(each.severity == "note" for each in self.findings)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every finding as plain text: what was found, the evidence, the cost."""
        return tuple(" ".join(filter(None, (f.text, f.evidence, f.cost))) for f in self.findings)
