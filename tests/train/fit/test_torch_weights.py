"""Reading what PyTorch saved, from files made here byte by byte."""

import os
import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import numpy as np
import pytest

from train.fit.torch_weights import MAGIC, read_state_dict


class Storage:
    def __init__(self, key, kind, count):
        self.key, self.kind, self.count = key, kind, count


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.args = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.args


class Writer(pickle.Pickler):
    def persistent_id(self, each):
        if type(each) is Storage:
            return "storage", each.kind, each.key, "cpu", each.count, None
        return None


@pytest.fixture
def kinds(monkeypatch):
    """Give the names that such a file refers to something to refer to; PyTorch itself is not needed."""

    def _rebuild_tensor_v2():
        pass

    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def write(path, tensors, numbers, magic=MAGIC):
    with path.open("wb") as file:
        for part in (magic, 1001, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        Writer(file, protocol=2).dump(tensors)
        pickle.dump(list(numbers), file, protocol=2)
        for each in numbers.values():
            file.write(len(each).to_bytes(8, "little") + each.tobytes())
    return path


def test_each_tensor_is_read_in_its_order_with_offset_and_strides(tmp_path, kinds):
    floats, counts = Storage("a", kinds.FloatStorage, 6), Storage("b", kinds.LongStorage, 1)
    path = write(
        tmp_path / "some.pth",
        OrderedDict(
            turned=Tensor(floats, 0, (3, 2), (1, 3)),
            tail=Tensor(floats, 4, (2,), (1,)),
            seen=Tensor(counts, 0, (), ()),
        ),
        {"a": np.arange(6, dtype="<f4"), "b": np.array([7], "<i8")},
    )
    found = read_state_dict(path)
    assert list(found) == ["turned", "tail", "seen"]
    assert found["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["tail"].tolist() == [4, 5] and found["tail"].dtype == np.float32
    assert found["seen"].shape == () and found["seen"] == 7 and found["seen"].dtype == np.int64


def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(tmp_path, kinds):
    floats = Storage("a", kinds.FloatStorage, 6)
    path = write(
        tmp_path / "long.pth",
        OrderedDict(long=Tensor(floats, 3, (4,), (1,))),
        {"a": np.zeros(6, "<f4")},
    )
    with pytest.raises(ValueError, match=r"long\.pth"):
        read_state_dict(path)


def test_numbers_of_another_kind_are_refused(tmp_path, kinds):
    halves = Storage("a", kinds.HalfStorage, 1)
    path = write(
        tmp_path / "half.pth",
        OrderedDict(half=Tensor(halves, 0, (1,), (1,))),
        {"a": np.zeros(1, "<f2")},
    )
    with pytest.raises(ValueError, match="HalfStorage is not allowed"):
        read_state_dict(path)


class Command:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def test_a_pickle_that_would_run_something_is_refused_and_does_not(tmp_path, kinds, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "bad.pth", OrderedDict(bad=Command()), {})
    with pytest.raises(ValueError, match="mkdir is not allowed"):
        read_state_dict(path)
    assert os.listdir(tmp_path) == ["bad.pth"]


@pytest.mark.parametrize("length", [0, 1, 40, 120, 200, -1])
def test_a_file_cut_short_is_refused(tmp_path, kinds, length):
    floats = Storage("a", kinds.FloatStorage, 6)
    tensors = OrderedDict(one=Tensor(floats, 0, (2, 3), (3, 1)))
    path = write(tmp_path / "cut.pth", tensors, {"a": np.zeros(6, "<f4")})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"cut\.pth"):
        read_state_dict(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"no pickle at all", pickle.dumps([1, 2])])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.pth is no file of PyTorch's tensors"):
        read_state_dict(path)
