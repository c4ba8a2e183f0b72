"""Measure a prediction: mask, head, shares, score, and warnings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from btmodels.measurement import verdict
from btmodels.measurement.study import percent
from btmodels.metrics.overlap import count, dice
from btmodels.registry import Record, get
from btmodels.slices import Analysis, Prediction, Slice, Verdict
from btmodels.transforms.postprocess import binarize, head_mask, smallest_part
from btmodels.transforms.proportions import square_shape, to_own_pixels


def measure(
    slice: Slice,
    prediction: Prediction,
    segmenter_record: Record,
    classifier_record: Record,
    model: str,
    classifier: str,
    threshold: float | None = None,
) -> Analysis:
    """Compute all figures of a slice from its prediction.

    The mask comes from the segmenter. So does the verdict if its record has a rule for it, and the
    classifier gives a second opinion; otherwise the classifier gives the verdict. Answers that contradict
    each other are kept, and a warning says so.

    Args:
        slice: The input.
        prediction: The networks' output for the slice, or for the slice resampled to square pixels
            (`btmodels.transforms.proportions`).
        segmenter_record, classifier_record: Records of the networks' training.
        model, classifier: Registry names.
        threshold: On the segmenter's probability, 0 to 1; None uses the record's.

    Raises:
        ValueError: The prediction has a different size than the slice.
    """
    probability_map = prediction.probability_map
    if probability_map.shape not in (
        slice.pixels.shape[:2],
        square_shape(slice.pixels, slice.spacing),
    ):
        raise ValueError(
            "A prediction must have its slice's size. Received: "
            f"probability_map.shape={probability_map.shape}, pixels.shape={slice.pixels.shape}"
        )
    prediction = replace(prediction, probability_map=to_own_pixels(probability_map, slice.pixels))
    threshold = segmenter_record.threshold if threshold is None else threshold
    smallest = smallest_part(
        segmenter_record.min_component_pixels, *prediction.probability_map.shape
    )
    mask = binarize(prediction.probability_map, threshold, smallest)
    head = head_mask(slice.pixels)
    marked, head_pixels = int(np.count_nonzero(mask)), int(np.count_nonzero(head))
    classified = Verdict(classifier, prediction.tumor_probability, classifier_record.threshold)
    rule, score = verdict.rule_of(segmenter_record), None
    answer, second = classified, None
    if rule is not None:
        score = verdict.top_log_odds(prediction.probability_map)
        answer, second = Verdict(model, rule.probability(score), rule.threshold), classified
    warnings = list(slice.notes)
    if not head_pixels:
        warnings.append("No head was found in this slice, so no share of it is given.")
    for record in (segmenter_record, classifier_record):
        if not record.complete:
            title = get(record.name).title
            warnings.append(f"The {title} has not been trained to the end; better weights follow.")
    analysis = Analysis(
        slice=slice,
        prediction=prediction,
        model=model,
        verdict=answer,
        second_opinion=second,
        weights_sha256=segmenter_record.sha256,
        threshold=threshold,
        mask=mask,
        head=head,
        marked_pixels=marked,
        slice_share=marked / mask.size,
        head_share=np.count_nonzero(mask & head) / head_pixels if head_pixels else None,
        dice=None if slice.truth is None else dice(count(mask, slice.truth)),
        warnings=tuple(warnings),
        score=score,
    )
    return with_verdict(analysis, answer, second)


def with_verdict(analysis: Analysis, answer: Verdict, second: Verdict | None) -> Analysis:
    """Return an analysis with another verdict and second opinion, and the warning that belongs to them."""
    kept = [each for each in analysis.warnings if each not in _conflicts(analysis)]
    changed = replace(analysis, verdict=answer, second_opinion=second)
    notes = len(analysis.slice.notes)
    return replace(changed, warnings=(*kept[:notes], *_conflicts(changed), *kept[notes:]))


def _conflicts(analysis: Analysis) -> list[str]:
    # A verdict that waits for the neighboring slices may still change, so it contradicts nothing.
    answer, second = analysis.verdict, analysis.second_opinion
    if answer.neighbors is None:
        return []
    if answer.tumor != (analysis.marked_pixels > 0):
        return [_contradiction(analysis)]
    if second and second.neighbors is not None and second.tumor != answer.tumor:
        return [_disagreement(analysis)]
    return []


def _subject(verdict: Verdict) -> str:
    title = get(verdict.network).title
    return f"{verdict.basis.capitalize()}, the {title}" if verdict.neighbors else f"The {title}"


def _contradiction(analysis: Analysis) -> str:
    answer, marked = analysis.verdict, analysis.marked_pixels
    pixels = "1 pixel is" if marked == 1 else f"{marked:,} pixels are"
    mask = (
        f"{pixels} marked" if marked else f"nothing is marked at threshold {analysis.threshold:.2f}"
    )
    # Counted on patients that the networks never met (tests/btmodels/measurement/test_contradictions.py).
    # A segmenter without a verdict of its own may also be worse than the classifier.
    advice = "The verdict and the mask contradict each other, so look closely here."
    own = answer if answer.network == analysis.model else analysis.second_opinion
    if own and own.neighbors is not None:
        right = ("verdict", "mask") if own.tumor == answer.tumor else ("mask", "verdict")
        advice = (
            "Where the two contradict each other like this, the {} is right more often than the {}. "
            "Look closely here."
        ).format(*right)
    return f"{_finding(answer)}, yet {mask}. {advice}"


def _disagreement(analysis: Analysis) -> str:
    second = analysis.second_opinion
    return (
        f"{_finding(second, ', which gives a second opinion,')}. Where the two networks contradict each "
        f"other, the {get(analysis.model).title} is right more often. Look closely here."
    )


def _finding(verdict: Verdict, role: str = "") -> str:
    found = "a tumor" if verdict.tumor else "no tumor"
    return f"{_subject(verdict)}{role} finds {found} in this slice ({percent(verdict.probability)})"


def square_millimeters(analysis: Analysis) -> float | None:
    """Return the area of the mask in mm²; None without a pixel spacing."""
    if analysis.slice.spacing is None:
        return None
    return analysis.marked_pixels * analysis.slice.spacing[0] * analysis.slice.spacing[1]
