"""A network with members has the weights of its members, and refuses others than the recorded ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from btmodels import registry
from btmodels.errors import WeightsError
from btmodels.inference.engine import Engine
from tests.btmodels.conftest import of_members, write_record

JOINED = "ensemble"
MEMBERS = registry.get(JOINED).members


@pytest.fixture
def assets(tmp_path) -> Path:
    """Weights that are a few bytes each, with the records of all."""
    for name in MEMBERS:
        put(name, name.encode(), tmp_path)
    write_record(JOINED, tmp_path, **of_members(JOINED, tmp_path))
    return tmp_path


def put(name: str, content: bytes, assets: Path) -> None:
    write_record(name, assets, sha256=hashlib.sha256(content).hexdigest())
    registry.weights_path(name, assets).write_bytes(content)


def state(assets: Path) -> str:
    return Engine(assets, (JOINED,)).status().networks[JOINED].state


def test_members_are_networks_with_weights_of_their_own():
    for spec in registry.SPECS.values():
        assert all(not registry.get(member).members for member in spec.members)
        assert all(registry.get(member).task == spec.task for member in spec.members)


def test_its_files_are_those_of_its_members(assets):
    files = registry.weights_files(JOINED, assets)
    assert files == {name: registry.weights_path(name, assets) for name in MEMBERS}
    assert registry.weights_size(JOINED, assets) == sum(map(len, MEMBERS))
    path = registry.weights_path("unet", assets)
    assert registry.weights_files("unet", assets) == {"": path}
    with pytest.raises(ValueError, match="only those of its members"):
        registry.weights_path(JOINED, assets)


def test_its_sha256_is_that_of_the_list_of_its_files(assets):
    lines = [
        f"{hashlib.sha256(name.encode()).hexdigest()}  {name}.weights.h5\n" for name in MEMBERS
    ]
    record = registry.verify_weights(JOINED, assets)
    assert record.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert state(assets) == "verified"


@pytest.mark.parametrize("member", MEMBERS)
def test_an_altered_member_is_refused(assets, member):
    registry.weights_path(member, assets).write_bytes(b"altered")
    title = registry.get(member).title
    said = f"file of {title} has been altered: .* Ensemble cannot answer without it"
    with pytest.raises(WeightsError, match=said):
        registry.verify_weights(JOINED, assets)
    assert state(assets) == "altered"


@pytest.mark.parametrize("gone", [registry.weights_path, registry.record_path])
def test_a_missing_member_is_said(assets, gone):
    gone(MEMBERS[1], assets).unlink()
    with pytest.raises(WeightsError, match=r"EfficientNet U-Net .* cannot answer without it"):
        registry.verify_weights(JOINED, assets)
    assert state(assets) == "missing"


def test_other_weights_of_a_member_are_refused(assets):
    put("unet", b"trained anew", assets)
    assert registry.verify_weights("unet", assets)
    with pytest.raises(WeightsError, match="not the one that Ensemble was put together from"):
        registry.verify_weights(JOINED, assets)
    assert state(assets) == "altered"


def test_a_record_that_does_not_fit_its_members_is_refused(assets):
    recorded = of_members(JOINED, assets)
    write_record(JOINED, assets, **recorded | {"sha256": "0" * 64})
    with pytest.raises(WeightsError, match="does not fit"):
        registry.verify_weights(JOINED, assets)
    write_record(JOINED, assets, sha256=recorded["sha256"])
    with pytest.raises(WeightsError, match="says nothing"):
        registry.verify_weights(JOINED, assets)
