"""Spread the command line's groups of files over a Ray cluster, with Ray Data.

Each node needs the project at the same commit, with its requirements and ``requirements-cluster.txt``,
and the files at the same path. Ray Data starts actors, hands out the groups, and repeats a group whose
node or actor died.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from btmodels.cli.analyze_group import GroupResult, analyze_group
from btmodels.cli.find_files import Group
from btmodels.cli.load import Overrides
from btmodels.cluster.connect import AGAIN, connect
from btmodels.errors import EngineError, WeightsError
from btmodels.inference import worker
from btmodels.slices import VerdictSource

CPUS = 2
"""Processors of an actor: the two networks run side by side."""


def analyze_groups(
    groups: Sequence[Group],
    overrides: Overrides,
    networks: tuple[str, str],
    assets: Path,
    address: str,
    source: VerdictSource = "segmenter",
) -> Iterator[GroupResult]:
    """Yield what `btmodels.cli.analyze_group.analyze_group` yields for each group, in order.

    Args:
        groups, overrides, networks, assets, source: As for `btmodels.cli.analyze_group.analyze_group`.
        address: As for `btmodels.cluster.connect.connect`.

    Raises:
        EngineError: Ray is not installed, there is no cluster at the address, or it was lost.
        WeightsError: The weights of either network are missing or altered on a node.
    """
    if not groups:
        return
    ray = connect(address)
    from ray import data, exceptions

    logging.getLogger("ray.data").setLevel(logging.ERROR)  # importing it sets another level
    context = data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    each = [node["Resources"]["CPU"] for node in ray.nodes() if node["Resources"].get("CPU")]
    cpus = min(CPUS, *each)
    rows = [{"group": pickle.dumps(group)} for group in groups]
    results = data.from_items(rows, override_num_blocks=len(rows)).map(
        _AnalyzeGroup,
        fn_constructor_args=(overrides, networks, assets, source),
        compute=data.ActorPoolStrategy(size=min(len(rows), int(sum(each) // cpus))),
        num_cpus=cpus,
    )
    try:
        for row in results.iter_rows():
            answer = pickle.loads(row["results"])  # of our own actors
            if isinstance(answer, WeightsError):
                raise answer
            yield from answer
    except exceptions.RayTaskError:
        raise  # a defect of ours, with its traceback
    except exceptions.RayError as error:
        raise EngineError(f"The Ray cluster at {address} was lost; {AGAIN}.") from error
    finally:
        ray.shutdown()  # or it prints what becomes of its nodes between the results


class _AnalyzeGroup:
    """An actor: the networks, and what is done with a group."""

    def __init__(
        self,
        overrides: Overrides,
        networks: tuple[str, str],
        assets: Path,
        source: VerdictSource,
    ) -> None:
        self._asked = overrides, networks, assets, source
        worker.load(networks, assets)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            found: Any = list(analyze_group(pickle.loads(row["group"]), *self._asked))
        except WeightsError as error:
            found = error
        return {"results": pickle.dumps(found)}
