"""Read a group of files and ask the networks, on this machine or on a node of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from btmodels.cli import load
from btmodels.cli.find_files import Group, Problem
from btmodels.cli.load import Found, Overrides
from btmodels.measurement.analyze import analyze
from btmodels.quality import check, classifier
from btmodels.quality.classifier import Thresholds
from btmodels.slices import Analysis

CHUNK = 8
"""Slices analyzed at once: enough for a batch, few enough for any memory."""


@dataclass(frozen=True, eq=False)
class GroupResult:
    """Some of the results for a group of files.

    Attributes:
        names: By which ``--sequence`` can mean a scan of the group.
        problems: What was asked for and could not be read or used.
        notes: What was left out for a reason.
        analyses: Of slices that passed the input check, with the slices as they were read.
    """

    names: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    analyses: tuple[tuple[Analysis, Found], ...] = ()


def analyze_group(
    group: Group, overrides: Overrides, networks: tuple[str, str], assets: Path
) -> Iterator[GroupResult]:
    """Yield the results for a group of files: first what reading said, then a few slices at a time.

    Args:
        group: Files that are read together.
        overrides: Of the command line.
        networks: Registry names of segmenter and classifier.
        assets: Folder that holds ``weights/``.

    Raises:
        WeightsError: The weights of either network are missing or altered.
    """
    loaded = load.read(group, overrides)
    names = frozenset(name for scan in loaded.names for name in scan)
    yield GroupResult(names, loaded.errors, loaded.notes)
    thresholds = classifier.load_thresholds(assets)
    slices = iter(loaded.found)
    while chunk := list(islice(slices, CHUNK)):
        kept, sentences, refused = _checked(chunk, thresholds)
        analyses = analyze([found.slice for found in kept], *networks, assets=assets)
        # The findings of the input check come last: what the networks say of each other stays on top.
        analyses = [
            replace(analysis, warnings=(*analysis.warnings, *said))
            for analysis, said in zip(analyses, sentences, strict=True)
        ]
        yield GroupResult(problems=tuple(refused), analyses=tuple(zip(analyses, kept, strict=True)))


def _checked(
    chunk: Sequence[Found], thresholds: Thresholds | None
) -> tuple[list[Found], list[tuple[str, ...]], list[Problem]]:
    """Check slices. One that is out of scope becomes a problem, with what reading did to it, and gets no
    mask.

    Returns:
        The slices that passed, the findings in each, and the problems.
    """
    kept, sentences, refused = [], [], []
    for found in chunk:
        report = check.QualityReport(checked=False)
        if thresholds is not None:
            each = found.slice
            report = check.check_slice(each.pixels, thresholds, each.spacing)
        if stop := report.stop:
            said = " ".join((stop.text, stop.evidence, *found.slice.notes))
            refused.append(Problem(found.file, said))
            continue
        kept.append(found)
        sentences.append(tuple(report.sentences))
    return kept, sentences, refused
