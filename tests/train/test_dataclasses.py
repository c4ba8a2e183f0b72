"""Values that hold arrays compare by identity: ``==`` of arrays has no truth value, and no hash."""

from __future__ import annotations

import collections.abc
import dataclasses
import importlib
import sys
import typing

import numpy as np

from tests.test_imports import modules_of


def dataclasses_of(*parts: str) -> list[type]:
    """Every dataclass that a module below the folders defines."""
    found = []
    for name in (name for part in parts for name in modules_of(part)):
        module = importlib.import_module(name)
        found += [
            each
            for each in vars(module).values()
            if isinstance(each, type) and dataclasses.is_dataclass(each) and each.__module__ == name
        ]
    return found


def types_in(hint: object) -> set[object]:
    """The types that a hint is made of: ``tuple[int, np.ndarray] | None`` holds three."""
    if typing.get_origin(hint) is collections.abc.Callable:  # holds none of what it takes
        return set()
    parts = typing.get_args(hint)
    return set().union(*map(types_in, parts)) if parts else {hint}


def hints_of(each: type, classes: list[type]) -> list[object]:
    """The types of a dataclass's fields, also those that are imported for type checkers alone."""
    known = {other.__name__: other for other in classes} | vars(sys.modules[each.__module__])
    return list(typing.get_type_hints(each, globalns=known).values())


def holding_arrays(classes: list[type]) -> set[type]:
    """Those of the dataclasses with an array in a field, or in a field of a field."""
    parts = {each: set().union(*map(types_in, hints_of(each, classes))) for each in classes}
    holding: set[type] = set()
    while True:
        more = {each for each, types in parts.items() if types & ({np.ndarray} | holding)}
        if more == holding:
            return holding
        holding = more


def test_dataclasses_with_arrays_compare_by_identity():
    holding = holding_arrays(dataclasses_of("btmodels", "ui", "train"))
    names = {each.__name__ for each in holding}
    assert {"Slice", "Analysis", "MLPEnsemble", "Thresholds", "Stack"} <= names
    wrong = [
        f"{each.__module__}.{each.__qualname__}"
        for each in holding
        if each.__eq__ is not object.__eq__
    ]
    assert sorted(wrong) == [], "@dataclass(..., eq=False)"


def test_a_slice_is_found_among_others_and_can_be_a_key():
    from btmodels.slices import Slice

    one, other = (Slice("x", np.zeros((2, 2, 3), np.uint8)) for _ in range(2))
    assert [other, one].index(one) == 1 and one != other and len({one, other}) == 2
