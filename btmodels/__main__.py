"""``python -m btmodels analyze FILE|FOLDER...``: verdicts, masks and measures without a browser;
``python -m btmodels download``: the data set from Kaggle."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from itertools import chain
from pathlib import Path
from typing import get_args

from btmodels import paths, processes, registry
from btmodels.cli import find_files
from btmodels.cli.analyze_group import GroupResult, analyze_group
from btmodels.cli.find_files import Group, Problem
from btmodels.cli.load import Overrides
from btmodels.cli.masks import MaskWriter
from btmodels.cli.table import Table, as_row
from btmodels.dataset import download
from btmodels.errors import DownloadError, EngineError, WeightsError
from btmodels.io.study import ROLES
from btmodels.slices import Turn, VerdictSource


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m btmodels")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    text = "Classify and segment each slice, and measure what is marked."
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
        "--verdict",
        default="segmenter",
        choices=get_args(VerdictSource),
        metavar="WHO",
        help="who says whether there is a tumor: segmenter (the site's own way) or classifier; a segmenter "
        "that gives no verdict leaves it to the classifier",
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
    command.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="spread folders over a Ray cluster (requirements-cluster.txt): auto, HOST:PORT, or local; "
        "the files must lie at the same path on every node",
    )
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
        yield source.file, out / source.mask_folder / source.file.name


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
    networks = registry.get(args.model).name, registry.get("default-classifier").name
    overrides = Overrides(Turn(args.turn // 90, args.mirror), dict(args.sequence))
    table = None if args.json else Table(sys.stdout)
    rows: list[dict] = []
    names: set[str] = set()
    try:
        for name in networks:
            registry.verify_weights(name, paths.ASSETS)
        with redirect_stdout(sys.stderr):  # where Ray says that a node has died
            for row, more in _rows(_results(found, overrides, networks, args), names, args.out):
                problems += more
                if row is not None:
                    rows.append(row)
                    if table:
                        table.add(row)
    except (EngineError, WeightsError) as error:
        problems.append(Problem(paths.ASSETS / "weights", str(error)))
        _report(problems[-1])
    if table:
        table.end()
    else:
        print(json.dumps(rows, indent=1, allow_nan=False))
    if unmatched := [name for name, _ in args.sequence if name.lower() not in names]:
        print(
            f"--sequence: no scan is named {', '.join(unmatched)}. The names are: "
            f"{', '.join(sorted(names)) or 'no volume, series or gray picture'}.",
            file=sys.stderr,
        )
        return 2
    return 1 if problems else 0


def _results(
    groups: Sequence[Group],
    overrides: Overrides,
    networks: tuple[str, str],
    args: argparse.Namespace,
) -> Iterator[GroupResult]:
    if args.ray:
        from btmodels.cluster.studies import analyze_groups  # an optional package

        return analyze_groups(groups, overrides, networks, paths.ASSETS, args.ray, args.verdict)
    return chain.from_iterable(
        analyze_group(each, overrides, networks, paths.ASSETS, args.verdict) for each in groups
    )


def _rows(
    results: Iterator[GroupResult], names: set[str], out: Path | None
) -> Iterator[tuple[dict | None, list[Problem]]]:
    """Yield for each slice its row, None where there is none, and problems, which have been reported.

    Args:
        results: Results as they come.
        names: By which ``--sequence`` can mean a scan; added to.
        out: Folder for masks.
    """
    masks = MaskWriter(out) if out else None
    for each in results:
        names |= each.names
        for remark in (*each.problems, *each.notes):
            _report(remark)
        yield None, [*each.problems]
        for analysis, found in each.analyses:
            mask, problems = masks.write(analysis, found) if masks else (None, [])
            for problem in problems:
                _report(problem)
            yield as_row(analysis, found, mask), problems
    if masks and (problems := masks.end()):
        for problem in problems:
            _report(problem)
        yield None, problems


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
