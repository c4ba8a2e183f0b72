"""The table of networks, and the records that training writes for their weights.

A `ModelSpec` holds the properties fixed by design. All results of training (threshold, temperature, flips,
smallest component, hash) are in ``assets/weights/<name>.json``, are read here and repeated nowhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from btmodels.errors import GraphError, WeightsError
from btmodels.json_files import read_json
from btmodels.paths import ASSETS


@dataclass(frozen=True)
class ModelSpec:
    """Properties of a network that are fixed before training.

    Attributes:
        name: Registry key and stem of its files.
        task: Whether it classifies slices or segments them.
        build: ``module:function`` of its builder, imported when a network is first built.
        input_shape: (rows, cols, channels), passed to the builder.
        title: Display name.
        source: Paper that the architecture follows.
        members: Networks of this table that an ensemble consists of, as layers of these names. An ensemble
            has no weights file; it uses those of its members.
    """

    name: str
    task: Literal["classify", "segment"]
    build: str
    input_shape: tuple[int, int, int]
    title: str
    source: str
    members: tuple[str, ...] = ()


_SPECS = (
    ModelSpec(
        name="resunet",
        task="segment",
        build="btmodels.networks.resunet:build_resunet",
        input_shape=(192, 192, 3),
        title="ResUNet",
        source="Zhang, Liu, Wang 2018, Deep residual U-Net, doi:10.1109/LGRS.2018.2802944, on "
        "EfficientNet-Lite2 (Tan, Le 2019, arXiv:1905.11946)",
    ),
    ModelSpec(
        name="unet",
        task="segment",
        build="btmodels.networks.unet:build_unet",
        input_shape=(128, 128, 3),
        title="U-Net",
        source="Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597",
    ),
    ModelSpec(
        name="resnet50_unet",
        task="segment",
        build="btmodels.networks.resnet_unet:build_resnet50_unet",
        input_shape=(128, 128, 3),
        title="ResNet50 U-Net",
        source="He et al. 2016, arXiv:1512.03385, in a U-Net as Iglovikov, Shvets 2018, arXiv:1801.05746",
    ),
    ModelSpec(
        name="vgg16_unet",
        task="segment",
        build="btmodels.networks.vgg_unet:build_vgg16_unet",
        input_shape=(128, 128, 3),
        title="VGG16 U-Net",
        source="Simonyan, Zisserman 2015, arXiv:1409.1556, in a U-Net as Iglovikov, Shvets 2018",
    ),
    ModelSpec(
        name="efficientnet_unet",
        task="segment",
        build="btmodels.networks.efficientnet_unet:build_efficientnet_unet",
        input_shape=(192, 192, 3),
        title="EfficientNet U-Net",
        source="Tan, Le 2019, arXiv:1905.11946 (Lite0), in a U-Net as Iglovikov, Shvets 2018",
    ),
    ModelSpec(
        name="resunet_small",
        task="segment",
        build="btmodels.networks.resunet_small:build_resunet_small",
        input_shape=(256, 256, 3),
        title="Small ResUNet",
        source="Zhang, Liu, Wang 2018, Deep residual U-Net, doi:10.1109/LGRS.2018.2802944",
    ),
    ModelSpec(
        name="sequential",
        task="segment",
        build="btmodels.networks.sequential:build_sequential",
        input_shape=(128, 128, 3),
        title="Sequential network",
        source="Same-padded convolutions in a row: the naive baseline",
    ),
    ModelSpec(
        name="ensemble",
        task="segment",
        build="btmodels.networks.ensemble:build_ensemble",
        input_shape=(256, 256, 3),
        title="Ensemble",
        source="Mean of two networks' logits (Hansen, Salamon 1990, doi:10.1109/34.58871)",
        members=("unet", "efficientnet_unet"),
    ),
    ModelSpec(
        name="resnet50",
        task="classify",
        build="btmodels.networks.resnet:build_resnet50",
        input_shape=(128, 128, 3),
        title="ResNet50 classifier",
        source="He, Zhang, Ren, Sun 2016, Deep residual learning, arXiv:1512.03385",
    ),
)

SPECS: dict[str, ModelSpec] = {spec.name: spec for spec in _SPECS}
ALIASES = {"default": "resunet", "default-classifier": "resnet50"}


def get(name: str) -> ModelSpec:
    """Return the spec of ``name``, which may be an alias.

    Raises:
        KeyError: There is no such network; the message lists the known ones.
    """
    spec = SPECS.get(ALIASES.get(name, name))
    if spec is None:
        raise KeyError(
            f"There is no network named {name!r}. Known: {', '.join([*SPECS, *ALIASES])}."
        )
    return spec


GRAPH_KEY = "graph_sha256"
"""Key in a record for the SHA-256 of the graph that `train export` made from these weights."""

MEMBERS_KEY = "members"
"""Key in an ensemble's record for the SHA-256 of each member's weights file, by name."""


@dataclass(frozen=True)
class Record:
    """Results of training for one set of weights, stored next to them.

    Attributes:
        name: Registry name.
        sha256: SHA-256 of the weights file; for an ensemble, from `members_sha256`.
        threshold: On the (calibrated) probability, 0 to 1, chosen on validation patients or by
            cross-validation.
        temperature: Divides the logits before the sigmoid; above 0.
        flips: Whether the left-right mirrored slice is averaged in.
        min_component_pixels: 8-connected components with fewer pixels are removed, counted in a slice of
            256 x 256 pixels.
        split_sha256: SHA-256 of the split by patient used in training.
        complete: False while training is unfinished.
        command: The command that wrote it.
        versions: Versions of the packages that wrote it.
        extra: The rest of the file.
    """

    name: str
    sha256: str
    threshold: float
    temperature: float
    flips: bool
    min_component_pixels: int
    split_sha256: str
    complete: bool
    command: str
    versions: dict[str, str]
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def training_subsets(self) -> tuple[str, ...]:
        """Subsets of the split whose patients the network was trained on."""
        return tuple(self.extra.get("training_subsets", ("train",)))


@cache
def weights_path(name: str, assets: Path = ASSETS) -> Path:
    """Return the path of the weights file of ``name``.

    Raises:
        ValueError: The network is an ensemble and therefore has no file; see `weights_files`.
    """
    spec = get(name)
    if spec.members:
        raise ValueError(f"{spec.title} has no weights file, only those of its members.")
    return assets / "weights" / f"{spec.name}.weights.h5"


def weights_files(name: str, assets: Path = ASSETS) -> dict[str, Path]:
    """Return the paths of all weights files of ``name``: by member, or under "" without members."""
    members = get(name).members
    if not members:
        return {"": weights_path(name, assets)}
    return {member: weights_path(member, assets) for member in members}


def weights_size(name: str, assets: Path = ASSETS) -> int:
    """Return the total size of all weights files of ``name`` in bytes.

    Raises:
        FileNotFoundError: One is missing.
    """
    return sum(path.stat().st_size for path in weights_files(name, assets).values())


def members_sha256(hashes: Mapping[str, str]) -> str:
    """Return one hash for the weights of an ensemble.

    Args:
        hashes: SHA-256 of each member's weights file, by name, in the order of its spec.

    Returns:
        SHA-256 of the output of ``sha256sum`` for these files in their folder: for each file a line with
        its hash, two spaces and its name, such as ``unet.weights.h5``.
    """
    lines = [f"{sha256}  {weights_path(member).name}\n" for member, sha256 in hashes.items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@cache
def record_path(name: str, assets: Path = ASSETS) -> Path:
    """Return the path of the record of ``name``."""
    return assets / "weights" / f"{get(name).name}.json"


def recorded(assets: Path = ASSETS) -> list[str]:
    """Return the names of the networks that have a record, in the order of `SPECS`."""
    return [name for name in SPECS if record_path(name, assets).exists()]


@cache
def graph_path(name: str, assets: Path = ASSETS) -> Path:
    """Return the path of the exported graph of ``name``."""
    return assets / "weights" / f"{get(name).name}.onnx"


@cache
def metrics_path(name: str, assets: Path = ASSETS) -> Path:
    """Return the path of the scores of ``name``."""
    return assets / "metrics" / f"{get(name).name}.json"


def stamp(assets: Path = ASSETS) -> tuple[tuple[str, int, int], ...]:
    """Return names, times and sizes of all files of weights and metrics, as a cache key for values that
    depend on their contents."""
    found = []
    for folder in ("weights", "metrics"):
        with suppress(FileNotFoundError), os.scandir(assets / folder) as entries:
            found += [(each.name, each.stat()) for each in entries]
    return tuple(sorted((name, each.st_mtime_ns, each.st_size) for name, each in found))


def load_record(name: str, assets: Path = ASSETS) -> Record:
    """Read the record of ``name``.

    Raises:
        WeightsError: It is missing or not a record.
    """
    title, path = get(name).title, record_path(name, assets)
    try:
        content = dict(read_json(path))
    except FileNotFoundError:
        raise WeightsError(
            f"There are no weights for {title} in this copy of the project."
        ) from None
    except (OSError, TypeError, ValueError):
        raise WeightsError(f"The record of {title}'s weights cannot be read.") from None
    known = {key: content.pop(key, None) for key in Record.__dataclass_fields__ if key != "extra"}
    missing = [key for key, value in known.items() if value is None]
    if missing:
        raise WeightsError(f"The record of {title}'s weights lacks {', '.join(missing)}.")
    return Record(**known, extra=content)


def verify_weights(name: str, assets: Path = ASSETS) -> Record:
    """Check that the weights files of ``name`` have the recorded SHA-256, and return its record.

    Raises:
        WeightsError: The record or a file is missing, or a file is not the recorded one.
    """
    record, spec = load_record(name, assets), get(name)
    if spec.members:
        _verify_members(spec, record, assets)
    else:
        _verify_file(spec, record, assets)
    return record


def _verify_members(spec: ModelSpec, record: Record, assets: Path) -> None:
    try:
        found = {member: verify_weights(member, assets).sha256 for member in spec.members}
    except WeightsError as error:
        raise WeightsError(f"{error} {spec.title} cannot answer without it.") from None
    recorded = record.extra.get(MEMBERS_KEY) or {}
    for member, sha256 in found.items():
        if sha256 != recorded.get(member):
            raise WeightsError(
                f"The weights file of {get(member).title} is not the one that {spec.title} was put "
                f"together from: its SHA-256 starts with {sha256[:12]}, the record of {spec.title} "
                f"says {recorded.get(member, 'nothing')[:12]}. It is not used."
            )
    if record.sha256 != members_sha256(found):
        raise WeightsError(f"The record of {spec.title}'s weights does not fit its members.")


def _verify_file(spec: ModelSpec, record: Record, assets: Path) -> None:
    title, path = spec.title, weights_path(spec.name, assets)
    try:
        stamp = os.stat(path)
        found = _sha256_of(path, stamp.st_mtime_ns, stamp.st_size)
    except FileNotFoundError:
        raise WeightsError(f"The weights file of {title} is missing.") from None
    if found != record.sha256:
        raise WeightsError(
            f"The weights file of {title} has been altered: its SHA-256 starts with {found[:12]}, "
            f"its record says {record.sha256[:12]}. It is not used."
        )


def verify_graph(name: str, assets: Path = ASSETS) -> Record:
    """Check that graph and weights of ``name`` have the recorded SHA-256, and return its record.

    Raises:
        GraphError: The graph is missing or altered, or the record names none.
        WeightsError: As `verify_weights`.
    """
    record, path = verify_weights(name, assets), graph_path(name, assets)
    title = get(name).title
    try:
        stamp = os.stat(path)
        found = _sha256_of(path, stamp.st_mtime_ns, stamp.st_size)
    except FileNotFoundError:
        raise GraphError(f"There is no finished graph of {title}.") from None
    if found != record.extra.get(GRAPH_KEY):
        raise GraphError(f"The graph of {title} is not the one that its record names.")
    return record


def read_graph(name: str, assets: Path = ASSETS) -> tuple[bytes, Record]:
    """Return the verified graph of ``name`` and its record; raises as `verify_graph`."""
    record = verify_graph(name, assets)
    return graph_path(name, assets).read_bytes(), record


@lru_cache(maxsize=64)
def _sha256_of(path: Path, mtime_ns: int, size: int) -> str:
    # Keyed by time and size, so that a check on each page run costs only one stat call.
    return hashlib.sha256(path.read_bytes()).hexdigest()
