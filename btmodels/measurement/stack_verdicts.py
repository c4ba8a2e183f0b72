"""The verdict on each slice of a stack, by the chosen network and with neighbors where there are any."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from btmodels.measurement.measure import with_verdict
from btmodels.measurement.verdict import ALONE, WITH_NEIGHBORS, add_neighbors, rule_of
from btmodels.registry import Record
from btmodels.slices import Analysis, Slice, Verdict, VerdictSource

Neighbors = tuple[int | None, int | None]
"""Indices of the slices before and after a slice; None where there is none."""


def assign_verdicts(
    slices: Sequence[Slice],
    analyses: Sequence[Analysis | None],
    segmenter_record: Record,
    classifier_record: Record,
    source: VerdictSource = "segmenter",
    waiting: Collection[int] = (),
) -> list[Analysis | None]:
    """Give each slice the verdict of the chosen network, and the other one's as second opinion.

    A segmenter's verdict on a slice with a neighbor follows the rule for neighbors in its record. While one
    of them is not analyzed yet, the verdict rests on the slice alone.

    Args:
        slices: All slices that were read together, in any order.
        analyses: One for each slice, by `btmodels.measurement.measure.measure`; None without.
        segmenter_record, classifier_record: As for `btmodels.measurement.measure.measure`.
        source: Which network gives the verdict; without a rule in the record it is the classifier.
        waiting: Indices of slices whose analyses will follow.
    """
    alone = rule_of(segmenter_record, ALONE)
    with_neighbors = rule_of(segmenter_record, WITH_NEIGHBORS)
    if alone is None:
        return list(analyses)
    found = neighbors_of(slices) if with_neighbors else [(None, None)] * len(slices)
    scores = np.array([np.nan if each is None else each.score for each in analyses], float)
    before, after = (_neighbor_scores(scores, [pair[side] for pair in found]) for side in (0, 1))
    joined = (
        add_neighbors(scores, before, after, with_neighbors.neighbor_weight)
        if with_neighbors
        else scores
    )
    has_neighbor = ~(np.isnan(before) & np.isnan(after))

    def own_verdict(index: int) -> Verdict:
        if not set(found[index]).isdisjoint(waiting):
            neighbors = None
        else:
            neighbors = bool(has_neighbor[index])
        rule, score = (with_neighbors, joined[index]) if neighbors else (alone, scores[index])
        name = segmenter_record.name
        return Verdict(name, rule.probability(score), rule.threshold, neighbors)

    assigned: list[Analysis | None] = []
    for index, each in enumerate(analyses):
        if each is None:
            assigned.append(None)
            continue
        probability = each.prediction.tumor_probability
        opinions = [
            own_verdict(index),
            Verdict(classifier_record.name, probability, classifier_record.threshold),
        ]
        assigned.append(
            with_verdict(each, *(opinions if source == "segmenter" else opinions[::-1]))
        )
    return assigned


def neighbors_of(slices: Sequence[Slice]) -> list[Neighbors]:
    """Return the neighbors of each slice in its volume, or among the numbered slices of its patient.

    In a volume of thin slices of which every n-th is analyzed, the next one analyzed is the neighbor.
    Slices that claim the same position have no neighbors, and neither have pictures without a number.
    """
    positions = [_position(each) for each in slices]
    stacks: dict[tuple[str, str], dict[int, list[int]]] = {}
    for index, position in enumerate(positions):
        if position:
            stacks.setdefault(position[:2], {}).setdefault(position[2], []).append(index)

    def at(stack: dict[int, list[int]], number: int) -> int | None:
        there = stack.get(number, ())
        return there[0] if len(there) == 1 else None

    found: list[Neighbors] = []
    steps = {key: _step(key[0], stack) for key, stack in stacks.items()}
    for position in positions:
        stack, step = (stacks[position[:2]], steps[position[:2]]) if position else ({}, 1)
        if position is None or len(stack[position[2]]) > 1:
            found.append((None, None))
        else:
            found.append((at(stack, position[2] - step), at(stack, position[2] + step)))
    return found


def _position(each: Slice) -> tuple[str, str, int] | None:
    if each.position is not None:
        return "volume", each.position.volume, each.position.index
    if each.patient is not None and each.number is not None:
        return "patient", each.patient, each.number
    return None


def _step(kind: str, stack: dict[int, list[int]]) -> int:
    # Pictures may have been picked by hand, so numbers that are far apart are no neighbors.
    numbers = sorted(stack)
    gaps = [b - a for a, b in zip(numbers, numbers[1:], strict=False)]
    return min(gaps, default=1) if kind == "volume" else 1


def _neighbor_scores(scores: np.ndarray, indices: Sequence[int | None]) -> np.ndarray:
    return np.array([np.nan if index is None else scores[index] for index in indices], float)
