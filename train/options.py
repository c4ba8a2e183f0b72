"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from btmodels import paths

OPTIONS = {
    "--data": {"type": Path, "help": "folder kaggle_3m, or its parent"},
    "--assets": {"type": Path, "default": paths.ASSETS, "help": "folder to read and write"},
    "--runs": {"type": Path, "default": Path("runs"), "help": "checkpoints and logs"},
}


def add(parser: argparse.ArgumentParser, *names: str, **settings) -> None:
    """Add options of `OPTIONS`, with further settings such as ``required=True``."""
    for name in names:
        parser.add_argument(name, **OPTIONS[name] | settings)


def spares_committed(args: argparse.Namespace) -> bool:
    """Return whether ``--quick`` writes outside the committed folder; if not, print why."""
    spared = not args.quick or args.assets.resolve() != paths.ASSETS.resolve()
    if not spared:
        print("--quick needs --assets DIR: it never writes into the committed folder.")
    return spared
