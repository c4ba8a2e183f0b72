"""Read a group of files and ask the networks, on this machine or on a node of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from btmodels import registry
from btmodels.cli import load
from btmodels.cli.find_files import Group, Problem
from btmodels.cli.load import Found, Overrides
from btmodels.measurement.analyze import analyze
from btmodels.measurement.stack_verdicts import assign_verdicts
from btmodels.measurement.study import groups_of
from btmodels.quality import check, classifier
from btmodels.quality.classifier import Thresholds
from btmodels.slices import Analysis, Slice, VerdictSource

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
    group: Group,
    overrides: Overrides,
    networks: tuple[str, str],
    assets: Path,
    source: VerdictSource = "segmenter",
) -> Iterator[GroupResult]:
    """Yield the results for a group of files: first what reading said, then a few slices at a time.

    The slices of a volume or patient are yielded together, because verdicts count the neighboring slices.

    Args:
        group: Files that are read together.
        overrides: Of the command line.
        networks: Registry names of segmenter and classifier.
        assets: Folder that holds ``weights/``.
        source: Which network gives the verdict.

    Raises:
        WeightsError: The weights of either network are missing or altered.
    """
    loaded = load.read(group, overrides)
    names = frozenset(name for scan in loaded.names for name in scan)
    yield GroupResult(names, loaded.errors, loaded.notes)
    thresholds = classifier.load_thresholds(assets)
    records = [registry.load_record(name, assets) for name in networks]
    every = loaded.found
    analyses: list[Analysis | None] = [None] * len(every)
    said: dict[int, tuple[str, ...]] = {}

    def finished(study: Sequence[int]) -> Iterator[tuple[Analysis, Found]]:
        slices, own = [every[i].slice for i in study], [analyses[i] for i in study]
        for index, each in zip(study, assign_verdicts(slices, own, *records, source), strict=True):
            if each is not None:
                # The findings of the input check come last, below what the networks say of each other.
                yield replace(each, warnings=(*each.warnings, *said[index])), every[index]

    studies = _studies([found.slice for found in every])
    for start in range(0, len(every), CHUNK):
        chunk = range(start, min(start + CHUNK, len(every)))
        kept, sentences, refused = _checked([every[i] for i in chunk], thresholds)
        indices = [i for i in chunk if every[i] in kept]
        said |= zip(indices, sentences, strict=True)
        slices = [found.slice for found in kept]
        for index, each in zip(indices, analyze(slices, *networks, assets=assets), strict=True):
            analyses[index] = each
        done = [study for study in studies if chunk.start <= study[-1] < chunk.stop]
        yield GroupResult(
            problems=tuple(refused),
            analyses=tuple(pair for study in done for pair in finished(study)),
        )


def _studies(slices: Sequence[Slice]) -> list[list[int]]:
    """Return the indices of slices by volume or patient, and each picture of no known patient alone."""
    return [
        part
        for group in groups_of(slices)
        for part in (
            [group]
            if slices[group[0]].position or slices[group[0]].patient
            else [[index] for index in group]
        )
    ]


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
