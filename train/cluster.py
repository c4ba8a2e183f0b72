"""Folds of an experiment as tasks on a Ray cluster.

The nodes share the folders of data, runs and assets, and the project lies at the same path on each. A
fold writes the same files there as on one machine. Ray hands out the tasks and repeats one whose node
died; the fold then continues from its last checkpoint.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from btmodels.cluster.connect import connect

CPUS = 1
"""Processors of a task: two trainings with one each are faster than one with two."""


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--ray``."""
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="run folds on a Ray cluster: auto, HOST:PORT, or local"
    )


def run_folds(
    main: Callable[[argparse.Namespace], int], args: argparse.Namespace, folds: Iterable[int]
) -> bool:
    """Run ``main`` once for each fold, each in a task of the cluster at ``args.ray``.

    Args:
        main: Of the experiment, a function of a module.
        args: Of its command line.
        folds: Their numbers.

    Returns:
        Whether all of them ended well.

    Raises:
        EngineError: As for `btmodels.cluster.connect.connect`.
    """
    ray = connect(args.ray)
    task = ray.remote(num_cpus=CPUS, max_retries=-1)(_run_fold)
    # A task need not run in the folder that the command was given in.
    places = {key: each.resolve() for key, each in vars(args).items() if isinstance(each, Path)}
    shared = vars(args) | places | {"ray": None}
    own = [argparse.Namespace(**shared | {"folds": [fold]}) for fold in folds]
    return not any(ray.get([task.remote(main, each) for each in own]))


def _run_fold(main: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    return main(args)
