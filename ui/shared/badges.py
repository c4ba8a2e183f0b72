"""The badge of each sample: whether the networks have seen the patient before."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Badge:
    """A badge's text and appearance.

    Attributes:
        label: Text on the badge and in lists.
        color, icon: Arguments of `streamlit.badge`.
        meaning: Its meaning for a score, one sentence.
        truth: Label of the true mask.
    """

    label: str
    color: str
    icon: str
    meaning: str
    truth: str = "Truth, drawn by an expert"


BADGES = {
    "train": Badge(
        "trained on",
        "orange",
        ":material/model_training:",
        "The networks learned from this patient, so agreement with the expert proves nothing.",
    ),
    "validation": Badge(
        "validation",
        "violet",
        ":material/tune:",
        "Thresholds were chosen on this patient, so agreement with the expert is slightly optimistic.",
    ),
    "test": Badge(
        "never seen",
        "green",
        ":material/visibility_off:",
        "This patient took no part in training or in any choice of settings: agreement here is evidence.",
    ),
    "reference": Badge(
        "never seen",
        "green",
        ":material/visibility_off:",
        "This patient is set aside from all training and all choices: agreement here is evidence.",
    ),
    "synthetic": Badge(
        "synthetic",
        "blue",
        ":material/science:",
        "A synthetic patient, computed from a brain template: safe to share, but no evidence of how "
        "well the networks do on real patients.",
        truth="Truth, as computed",
    ),
    "unknown": Badge(
        "source unknown",
        "gray",
        ":material/help:",
        "Where this slice comes from is not known.",
        truth="Truth, from your mask",
    ),
}


def badge_of(provenance: str) -> Badge:
    """Return the badge of a provenance from `btmodels.dataset.cohort.provenance`."""
    return BADGES.get(provenance, BADGES["unknown"])


def draw(provenance: str) -> None:
    """Draw the badge, with its meaning as tooltip."""
    badge = badge_of(provenance)
    st.badge(badge.label, icon=badge.icon, color=badge.color, help=badge.meaning)
