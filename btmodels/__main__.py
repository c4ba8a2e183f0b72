"""``python -m btmodels analyze FILE|FOLDER...``: verdicts, masks and measures without a browser;
``python -m btmodels download``: the data set from Kaggle."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from btmodels import paths, processes, registry
from btmodels.api import analyze as analyze_slices
from btmodels.cli import find_files, load
from btmodels.cli.find_files import Group, Problem
from btmodels.cli.load import Found, Loaded, Overrides
from btmodels.cli.table import Table, as_row
from btmodels.dataset import download
from btmodels.errors import DownloadError, WeightsError
from btmodels.export.files import mask_tiff, own_mask
from btmodels.export.nifti import nifti_mask, nifti_name
from btmodels.io.study import ROLES
from btmodels.quality import check, classifier
from btmodels.quality.classifier import Thresholds
from btmodels.slices import Analysis, Turn

CHUNK = 8
"""Number of slices read, analyzed and written together: enough for a batch, few enough to fit in memory."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m btmodels")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    text = "Tell of each slice whether it shows a tumor and where, and measure that."
    command = commands.add_parser("analyze", help=text, description=text)
    command.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="FILE|FOLDER",
        help="slices, DICOM files, NIfTI volumes, zips, or folders of them",
    )
    segmenters = [spec.name for spec in registry.SPECS.values() if spec.task == "segment"]
    command.add_argument(
        "--model",
        default="default",
        choices=["default", *segmenters],
        metavar="NAME",
        help=f"the network that marks: {', '.join(segmenters)}; default is the site's",
    )
    command.add_argument(
        "--turn",
        type=int,
        default=0,
        choices=[0, 90, 180, 270],
        metavar="DEGREES",
        help="turn every slice clockwise first: 90, 180 or 270; masks are turned back",
    )
    command.add_argument(
        "--mirror",
        action="store_true",
        help="then exchange left and right; masks are mirrored back",
    )
    command.add_argument(
        "--sequence",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=WHAT",
        help=f"say what a volume or series is: {', '.join(ROLES)}; can be repeated",
    )
    command.add_argument("--out", type=Path, metavar="DIR", help="write the masks there")
    command.add_argument("--json", action="store_true", help="print one JSON array")
    command.set_defaults(run=analyze)
    text = "Fetch the LGG data set from Kaggle (no account needed) and tell the site where it lies."
    command = commands.add_parser("download", help=text, description=text)
    command.set_defaults(run=fetch)
    return parser


def _assignment(text: str) -> tuple[str, str]:
    name, _, role = text.rpartition("=")
    if not name or role not in ROLES:
        raise argparse.ArgumentTypeError(f"NAME={'|'.join(ROLES)} is expected, not {text!r}")
    return name, role


def _targets(groups: Sequence[Group], out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each input file and the path where its masks will be written."""
    for source in (source for group in groups for source in group):
        yield source.file, out / source.place / source.file.name


def fetch(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Download the data set and print where it lies; return the exit status."""
    try:
        root = download.fetch()
        download.remember(root)
    except DownloadError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    print(root)
    return 0


def analyze(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Analyze what ``args`` names; return the exit status."""
    found, problems = find_files.discover(args.paths)
    if args.out is not None:
        if args.out.exists() and not args.out.is_dir():
            parser.error(f"argument --out: {args.out} is not a folder")
        if any(
            target.resolve().parent == file.resolve().parent
            for file, target in _targets(found, args.out)
        ):
            parser.error(
                f"argument --out: slices are read from {args.out}; masks written there would be "
                "taken for their truth"
            )
    for problem in problems:
        _report(problem)
    overrides = Overrides(Turn(args.turn // 90, args.mirror), dict(args.sequence))
    table = None if args.json else Table()
    rows = []
    names: set[str] = set()
    try:
        for row, more in _rows(_loaded(found, overrides, names, problems), args.model, args.out):
            problems += more
            for problem in more:
                _report(problem)
            if row is not None:
                rows.append(row)
                if table:
                    table.add(row)
    except WeightsError as error:
        problems.append(Problem(paths.ASSETS / "weights", str(error)))
        _report(problems[-1])
    if table:
        table.end()
    else:
        print(json.dumps(rows, indent=1, allow_nan=False))
    if unmatched := [name for name, _ in args.sequence if name.lower() not in names]:
        print(
            f"--sequence: nothing here is called {', '.join(unmatched)}. There is: "
            f"{', '.join(sorted(names)) or 'no volume, series or gray picture'}.",
            file=sys.stderr,
        )
        return 2
    return 1 if problems else 0


def _loaded(
    groups: Sequence[Group], overrides: Overrides, names: set[str], problems: list[Problem]
) -> Iterator[Found]:
    """Read one group after another and yield its slices, reporting errors and notes along the way.

    Args:
        names: Names by which ``--sequence`` can refer to a scan; extended in place.
        problems: Extended in place.
    """
    for group in groups:
        loaded: Loaded = load.read(group, overrides)
        names |= {name for scan in loaded.names for name in scan}
        problems += loaded.errors
        for remark in (*loaded.errors, *loaded.notes):
            _report(remark)
        yield from loaded.found


def _rows(
    slices: Iterator[Found], model: str, out: Path | None
) -> Iterator[tuple[dict | None, list[Problem]]]:
    """Yield each slice's row, or None if it has none, and the problems with it.

    Raises:
        WeightsError: The weights of either network are missing or altered.
    """
    assets = paths.ASSETS
    networks = registry.get(model).name, registry.get("default-classifier").name
    for name in networks:
        registry.verify_weights(name, assets)
    taken: dict[Path, Found] = {}
    volume: list[tuple[Analysis, Found]] = []
    thresholds = classifier.load_thresholds(assets)
    for chunk in _chunks(slices):
        kept, seen, refused = _checked(chunk, thresholds)
        for problem in refused:
            yield None, [problem]
        analyses = analyze_slices([found.slice for found in kept], *networks, assets=assets)
        for found, analysis in zip(kept, analyses, strict=True):
            problems: list[Problem] = []
            # Findings of the input check come last, so that disagreement between the networks stays on top.
            warnings = (*analysis.warnings, *seen[id(found)].sentences)
            analysis = replace(analysis, warnings=warnings)
            mask = None
            if out is not None:
                mask, more = _write(analysis, found, out / found.target, taken)
                problems += more
                problems += _write_volume(volume, found, out, taken)
                volume.append((analysis, found))
            yield as_row(analysis, found, mask), problems
    if problems := _write_volume(volume, None, out, taken):
        yield None, problems


def _write_volume(
    volume: list[tuple[Analysis, Found]],
    following: Found | None,
    out: Path,
    taken: dict[Path, Found],
) -> list[Problem]:
    """Write the masks of a volume as NIfTI after its last slice, and start the next volume.

    Args:
        volume: Slices of it analyzed so far; emptied when another volume follows.
        following: The next slice; None at the end.
        out: Folder for masks.
        taken: The slice written to each file.
    """
    if not volume:
        return []
    (analysis, found), place = volume[0], following and following.slice.place
    if place and analysis.slice.place and place.volume == analysis.slice.place.volume:
        return []
    analyses = [each for each, _ in volume]
    volume.clear()
    if analysis.slice.place is None:
        return []  # pictures only get a TIFF
    target = (out / found.target).with_name(nifti_name(analysis.slice))
    if problem := _claim(target, found, taken):
        return [problem]
    try:
        target.write_bytes(nifti_mask(analyses))
    except OSError as error:
        return [Problem(target, f"cannot be written ({error.strerror}).")]
    return []


def _claim(target: Path, found: Found, taken: dict[Path, Found]) -> Problem | None:
    """Reserve a file for a mask; return a problem if another mask is already there."""
    other = taken.setdefault(target, found)
    if other is found:
        return None
    reason = f"its mask was not written: {target} already holds that of {other.file}."
    return Problem(found.file, reason)


def _checked(
    chunk: Sequence[Found], thresholds: Thresholds | None
) -> tuple[list[Found], dict[int, check.QualityReport], list[Problem]]:
    """Run the input check. A slice that is out of scope gets no mask and becomes a problem, together with
    the notes from reading it."""
    kept, seen, refused = [], {}, []
    for found in chunk:
        report = check.QualityReport(checked=False)
        if thresholds is not None:
            each = found.slice
            report = check.check_slice(each.pixels, thresholds, each.spacing)
        if stop := report.stop:
            said = " ".join((stop.text, stop.evidence, *found.slice.notes))
            refused.append(Problem(found.file, said))
            continue
        seen[id(found)] = report
        kept.append(found)
    return kept, seen, refused


def _chunks(read: Iterator) -> Iterator[list]:
    while chunk := list(islice(read, CHUNK)):
        yield chunk


def _write(
    analysis: Analysis, found: Found, target: Path, taken: dict[Path, Found]
) -> tuple[Path | None, list[Problem]]:
    other = taken.setdefault(target, found)
    if other is not found:
        reason = f"its mask was not written: {target} already holds that of {other.file}."
        return None, [Problem(found.file, reason)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(mask_tiff(own_mask(analysis)))
    except OSError as error:
        return None, [Problem(target, f"cannot be written ({error.strerror}).")]
    return target, []


def _report(problem: Problem) -> None:
    print(problem, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; wrong usage exits with status 2."""
    # File names may not be valid in the terminal's encoding.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    parser = build_parser()
    args = parser.parse_args(argv)
    return args.run(args, parser)


if __name__ == "__main__":
    os.environ.update(processes.environment())
    sys.exit(main())
