"""``python -m btmodels analyze FILE|FOLDER...``: verdicts, masks and measures without a browser;
``python -m btmodels download``: the data set from Kaggle."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from btmodels import download, inputs, registry, worker
from btmodels.errors import DownloadError, WeightsError
from btmodels.export import mask_tiff
from btmodels.inputs import Input, Problem
from btmodels.measure import measure
from btmodels.slices import Analysis

CHUNK = 8
"""Slices read, asked and written at once: enough for a batch, few enough for any memory."""

NOTICE = "For research and teaching. This is not a medical device."


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m btmodels")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    text = "Tell of each slice whether it shows a tumor and where, and measure that."
    command = commands.add_parser("analyze", help=text, description=text)
    command.add_argument(
        "paths", nargs="+", type=Path, metavar="FILE|FOLDER", help="slices, or folders of slices"
    )
    segmenters = [spec.name for spec in registry.SPECS.values() if spec.task == "segment"]
    command.add_argument(
        "--model",
        default="default",
        choices=["default", *segmenters],
        metavar="NAME",
        help=f"the network that marks: {', '.join(segmenters)}; default is the site's",
    )
    command.add_argument("--out", type=Path, metavar="DIR", help="write the masks there")
    command.add_argument("--json", action="store_true", help="print one JSON array")
    command.set_defaults(run=analyze)
    text = "Fetch the LGG data set from Kaggle (no account needed) and tell the site where it lies."
    command = commands.add_parser("download", help=text, description=text)
    command.set_defaults(run=fetch)
    return parser


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
    found, problems = inputs.gather(args.paths)
    if args.out is not None:
        if args.out.exists() and not args.out.is_dir():
            parser.error(f"argument --out: {args.out} is not a folder")
        if any((args.out / i.target).resolve().parent == i.file.resolve().parent for i in found):
            parser.error(
                f"argument --out: slices are read from {args.out}; masks written there would be "
                "taken for their truth"
            )
    for problem in problems:
        _report(problem)
    table = None if args.json else Table()
    rows = []
    try:
        for row, more in _rows(found, args.model, args.out):
            problems += more
            for problem in more:
                _report(problem)
            if row is not None:
                rows.append(row)
                if table:
                    table.add(row)
    except WeightsError as error:
        problems.append(Problem(registry.ASSETS / "weights", str(error)))
        _report(problems[-1])
    if table:
        table.end()
    else:
        print(json.dumps(rows, indent=1, allow_nan=False))
    return 1 if problems else 0


def _rows(
    found: Sequence[Input], model: str, out: Path | None
) -> Iterator[tuple[dict | None, list[Problem]]]:
    """Yield for each input its row, None where it could not be read, and what went wrong with it.

    Raises:
        WeightsError: There is no answer without the weights of both networks.
    """
    assets = registry.ASSETS
    networks = registry.get(model).name, registry.get("default-classifier").name
    records = [registry.verify_weights(name, assets) for name in networks]
    taken: dict[Path, Path] = {}
    for start in range(0, len(found), CHUNK):
        chunk = found[start : start + CHUNK]
        read = [inputs.read(item) for item in chunk]
        images = [each.pixels for each, _ in read if each is not None]
        answered = worker.answer(images, *networks, assets).predictions if images else []
        predictions = iter(answered)
        for item, (each, problems) in zip(chunk, read, strict=True):
            if each is None:
                yield None, problems
                continue
            analysis = measure(each, next(predictions), *records, *networks)
            mask = None
            if out is not None:
                mask, more = _write(analysis, item, out / item.target, taken)
                problems += more
            yield as_row(analysis, item.file, mask), problems


def _write(
    analysis: Analysis, item: Input, target: Path, taken: dict[Path, Path]
) -> tuple[Path | None, list[Problem]]:
    other = taken.setdefault(target, item.file)
    if other is not item.file:
        reason = f"its mask was not written: {target} already holds that of {other}."
        return None, [Problem(item.file, reason)]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(mask_tiff(analysis.mask))
    except OSError as error:
        return None, [Problem(target, f"cannot be written ({error.strerror}).")]
    return target, []


def as_row(analysis: Analysis, file: Path, mask: Path | None) -> dict:
    """Return an analysis as the object that ``--json`` prints."""
    rows, cols = analysis.mask.shape
    return {
        "file": str(file),
        "slice": 0,  # every format that is read so far gives one slice a file
        "model": analysis.model,
        "weights_sha256": analysis.weights_sha256,
        "classifier": analysis.classifier,
        "probability": analysis.prediction.tumor_probability,
        "tumor": analysis.tumor,
        "rows": rows,
        "cols": cols,
        "marked_pixels": analysis.marked_pixels,
        "slice_share": analysis.slice_share,
        "head_share": analysis.head_share,
        "dice": analysis.dice,
        "mask": None if mask is None else str(mask),
        "warnings": list(analysis.warnings),
    }


class Table:
    """Rows for people, printed as they come; warnings once at the end."""

    def __init__(self) -> None:
        self._warnings: Counter[str] = Counter()
        self._rows = 0

    def add(self, row: dict) -> None:
        """Print a row, below the headings if it is the first."""
        if not self._rows:
            print("tumor  probability  pixels  of slice  of head   Dice  file")
        self._rows += 1
        self._warnings.update(row["warnings"])
        print(
            f"{'yes' if row['tumor'] else 'no':>5}  {row['probability']:>11.3f}"
            f"  {row['marked_pixels']:>6}  {_percent(row['slice_share']):>8}"
            f"  {_percent(row['head_share']):>7}  {_decimal(row['dice']):>5}  {row['file']}",
            flush=True,
        )

    def end(self) -> None:
        """Print what the rows warned of, and what all this is not."""
        for sentence, count in self._warnings.items():
            print(f"{'all' if count == self._rows > 1 else count} of {self._rows}: {sentence}")
        if self._rows:
            print(NOTICE)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _decimal(score: float | None) -> str:
    return "-" if score is None else f"{score:.3f}"


def _report(problem: Problem) -> None:
    print(problem, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; wrong usage leaves with status 2."""
    # Names of files need not be valid in the terminal's encoding.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    parser = build_parser()
    args = parser.parse_args(argv)
    return args.run(args, parser)


if __name__ == "__main__":
    os.environ.update(worker.environment())
    sys.exit(main())
