"""The engine answers from another process, whatever happens to that process."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from btmodels import registry
from btmodels.errors import EngineError, WeightsError
from btmodels.inference import dispatcher, introspect_tasks, worker, worker_process
from btmodels.inference import engine as engine_module
from btmodels.inference.engine import Engine, get_engine
from btmodels.inference.graph import GraphPredictor
from btmodels.slices import Prediction
from tests.btmodels.conftest import SMALL

if sys.platform != "win32":
    import resource

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.slow
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="stops a process by a signal")


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def same(found: list[Prediction], expected: list[Prediction]) -> bool:
    return len(found) == len(expected) and all(
        (a.probability_map == b.probability_map).all()
        and a.tumor_probability == pytest.approx(b.tumor_probability, abs=1e-6)
        for a, b in zip(found, expected, strict=True)
    )


@contextlib.contextmanager
def one_byte_altered(path: Path) -> Iterator[None]:
    with path.open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    yield
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(byte)


class SmallEngine(Engine):
    """An engine whose default networks are those of `SMALL`."""

    def submit(self, images, segmenter=SMALL[0], classifier=SMALL[1]):
        return super().submit(images, segmenter, classifier)

    def predict(self, images, segmenter=SMALL[0], classifier=SMALL[1]):
        return super().predict(images, segmenter, classifier)


def small_engine(assets: Path, **changes) -> SmallEngine:
    return SmallEngine(assets, SMALL, **changes)


@pytest.fixture(scope="module")
def engine(small_assets) -> Iterator[Engine]:
    engine = small_engine(small_assets)
    engine.start()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def expected(small_assets, noise) -> list[Prediction]:
    """What the networks say when they are asked in this very process."""
    locate, judge = (GraphPredictor(name, small_assets) for name in SMALL)
    pairs = zip(judge.classify(noise), locate.segment(noise), strict=True)
    return [Prediction(float(verdict), probability_map) for verdict, probability_map in pairs]


def test_starting_returns_at_once(small_assets):
    engine = small_engine(small_assets)
    assert engine.status().state == "warming"
    begin = time.monotonic()
    engine.start()
    assert time.monotonic() - begin < 1
    assert engine.status().state == "warming"
    engine.close()


def test_it_answers_from_another_process(engine, noise, expected):
    assert same(engine.predict(noise), expected)
    status = engine.status()
    assert status.state == "warm"
    assert status.device.startswith("CPU") and "Keras" not in status.device
    assert status.pid not in (None, os.getpid())
    assert {network.state for network in status.networks.values()} == {"verified"}
    assert status.lessons == "cold", "nobody has asked for Keras"
    assert not has_tensorflow(status.pid)
    assert list(status.networks) == ["sequential", "resnet50"]


def test_many_at_once_each_get_their_own(engine, noise, expected):
    with ThreadPoolExecutor(8) as threads:
        jobs = [threads.submit(engine.predict, noise[i:]) for i in range(8)]
        assert all(same(job.result(), expected[i:]) for i, job in enumerate(jobs))


def test_a_worker_with_keras_prepares_full_batches_aside(
    small_assets, noise, expected, monkeypatch
):
    """Once it was idle for a moment: until then it takes one slice at a time."""
    monkeypatch.setenv("BT_ENGINE", "keras")
    engine = small_engine(small_assets)
    try:
        (first,) = engine.predict(noise[:1])
        assert np.abs(first.probability_map.astype(int) - expected[0].probability_map).max() <= 4
        status = engine.status()
        assert status.state == "warm" and "Keras" in status.device
        assert has_tensorflow(status.pid)
        wait_for(lambda: time.sleep(0.6) or engine.ask(_batch_sizes) > 1)
        (again, *_) = engine.predict(noise)
        assert np.abs(again.probability_map.astype(int) - first.probability_map).max() <= 1
    finally:
        engine.close()


def _batch_sizes(assets: Path) -> int:
    """Slices that all the networks held are ready for at once."""
    return worker._batch_size(*worker._predictors.values())


def test_lessons_have_a_worker_of_their_own_which_ends_when_idle(small_assets, noise, expected):
    engine = small_engine(small_assets, idle_seconds=3.0)
    try:
        engine.predict(noise[:1])
        answering = engine.status().pid
        (maps,) = engine.ask(introspect_tasks.activations, noise[0], SMALL[0], ["conv1"], 4)
        assert maps.maps.shape == (4, 128, 128)
        assert engine.status().lessons == "warm" and engine.status().pid == answering
        pid = engine.ask(_pid)
        assert pid != answering and has_tensorflow(pid)
        assert same(engine.predict(noise[:1]), expected[:1])
        # Every fault of either worker is met alike; a death in mid-request stands for them here.
        os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as threads:
            job = threads.submit(engine.ask, _pid)
            time.sleep(0.3)
            os.kill(pid, signal.SIGKILL)
            killed, pid = pid, job.result(120)
        assert pid not in (killed, answering)
        wait_for(lambda: engine.status().lessons == "cold" and not psutil.pid_exists(pid), 30)
        assert engine.status().state == "warm" and engine.status().pid == answering
        engine.start()
        assert engine.status().lessons == "cold", "only a question starts another"
    finally:
        engine.close()


def _pid(assets: Path) -> int:
    return os.getpid()


@pytest.mark.parametrize("fault", ["missing", "altered"])
def test_without_its_graph_keras_answers(small_assets, tmp_path, fault):
    shutil.copytree(small_assets, tmp_path / "assets")
    graph = registry.graph_path(SMALL[0], tmp_path / "assets")
    if fault == "missing":
        graph.unlink()
    else:
        graph.write_bytes(graph.read_bytes() + b" ")
    engine = small_engine(tmp_path / "assets")
    try:
        assert engine._answering(SMALL) is engine._keras
        assert engine._answering([SMALL[1]]) is engine._graphs
    finally:
        engine.close()


def test_a_gpu_is_looked_for_once(small_assets, monkeypatch):
    """By the worker with Keras, for only TensorFlow knows whether it can use what the system shows."""
    started = []
    monkeypatch.setattr(engine_module, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(
        dispatcher.Dispatcher, "start", lambda self, names=(): started.append(self.runtime)
    )
    engine = small_engine(small_assets)
    for device, expected in (
        ("", ["graph", "keras"]),
        ("GPU, H200", ["graph", "keras"]),
        ("CPU, 2 cores", ["graph"]),
    ):
        engine._keras._device = device
        started.clear()
        engine.start()
        assert started == expected, device


def test_without_a_runtime_keras_answers(small_assets, monkeypatch):
    engine = small_engine(small_assets)
    assert engine._answering(SMALL) is engine._graphs
    monkeypatch.setattr(engine_module, "_has_runtime", lambda: False)
    assert engine._answering(SMALL) is engine._keras


def test_on_a_gpu_keras_answers_once_it_is_warm(small_assets, monkeypatch):
    engine = small_engine(small_assets)
    assert engine._answering(SMALL) is engine._graphs
    for device, answering in (("GPU, NVIDIA H200", engine._keras), ("CPU", engine._graphs)):
        info = worker.WorkerInfo(1, device, {})
        monkeypatch.setattr(dispatcher.Dispatcher, "info", property(lambda _, info=info: info))
        assert engine._answering(SMALL) is answering


def test_a_page_may_ask_for_more_than_predictions(engine):
    assert engine.ask(_name_of) == (engine.status().pid, engine.assets)
    with pytest.raises(EngineError, match="failed .ZeroDivisionError"):
        engine.ask(_divide, 1, 0)


@worker.by_graphs
def _name_of(assets: Path) -> tuple[int, Path]:
    return os.getpid(), assets


@worker.by_graphs
def _divide(above: int, below: int, assets: Path) -> float:
    return above / below


def test_a_worker_stays_although_it_grows(engine, noise):
    engine.predict(noise[:1])
    first = engine.status().pid
    for _ in range(3):
        engine.predict(noise)
        time.sleep(1.1)  # loky would look once a second
    assert engine.status().pid == first
    assert psutil.pid_exists(first)


def test_no_slices_no_answers(engine):
    assert engine.predict([]) == []


def test_what_is_no_slice_is_refused_before_it_is_sent(engine, noise):
    with pytest.raises(ValueError, match="uint8"):
        engine.predict([noise[0].astype(float)])
    with pytest.raises(ValueError, match="rows, cols, 3"):
        engine.predict([noise[0][..., 0]])
    with pytest.raises(KeyError, match="nonsense"):
        engine.predict(noise[:1], segmenter="nonsense")


@posix_only
def test_a_worker_killed_in_mid_request_is_replaced(engine, noise, expected):
    engine.predict(noise[:1])
    first = engine.status().pid
    # Stopped, it takes the request and can surely not have answered when it is killed.
    os.kill(first, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(engine.predict, noise)
        time.sleep(0.5)
        assert not job.done()
        os.kill(first, signal.SIGKILL)
        assert same(job.result(120), expected)
    assert engine.status().pid not in (None, first)
    assert not psutil.pid_exists(first)


@posix_only
def test_a_worker_that_hangs_is_replaced(engine, noise, expected, monkeypatch):
    engine.predict(noise[:1])
    first = engine.status().pid
    monkeypatch.setattr(dispatcher, "ANSWER_SECONDS", 6.0)
    os.kill(first, signal.SIGSTOP)
    assert same(engine.predict(noise[:2]), expected[:2])
    assert engine.status().pid not in (None, first)


@worker.by_graphs
def _exhaust(assets: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, -1))
    np.ones(1 << 34, np.uint8)


@posix_only
def test_a_worker_without_memory_is_replaced_and_the_next_request_answered(engine, noise, expected):
    engine.predict(noise[:1])
    first = engine.status().pid
    with pytest.raises(EngineError, match="ran out of memory and was replaced"):
        engine.ask(_exhaust)
    assert same(engine.predict(noise[:2]), expected[:2])
    assert engine.status().pid not in (None, first)


def test_running_out_of_memory_is_told_from_other_failures():
    def fail(error: Exception) -> None:
        raise error

    named = type("ResourceExhaustedError", (Exception,), {})  # as TensorFlow's
    for error, lacks in ((named("OOM"), True), (MemoryError(), True), (KeyError("x"), False)):
        with pytest.raises(worker_process.CallFailedError) as raised:
            worker_process.guarded(fail, error)
        assert raised.value.lacks_memory is lacks
        assert pickle.loads(pickle.dumps(raised.value)).kind == type(error).__name__
    with pytest.raises(WeightsError):
        worker_process.guarded(fail, WeightsError("x"))


def test_no_exception_brings_tensorflow_into_the_web_process():
    done = subprocess.run(
        [sys.executable, "-m", "tests.btmodels.failing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    said, loaded = done.stdout.splitlines()
    assert "failed (InvalidArgumentError)" in said and loaded == "False"


def test_a_second_worker_gets_no_gpu(monkeypatch, tmp_path):
    given = []

    class Refused:
        def __init__(self, **options):
            given.append(options["env"])

        def submit(self, *task):
            future = Future()
            failure = worker_process.CallFailedError("InternalError", "CUDA initialization failed")
            info = worker.WorkerInfo(7, "CPU, 2 cores", {})
            done = future.set_result if len(given) == 2 else future.set_exception
            done(info if len(given) == 2 else failure)
            return future

        def shutdown(self, **_):
            pass

    monkeypatch.setattr(worker_process.loky, "ProcessPoolExecutor", Refused)
    assert worker_process.WorkerProcess((), tmp_path).start().device == "CPU, 2 cores"
    assert [each.get("CUDA_VISIBLE_DEVICES") for each in given] == [None, "-1"]
    assert all(each["TF_FORCE_GPU_ALLOW_GROWTH"] == "true" for each in given)


@posix_only
def test_a_worker_that_dies_idle_is_replaced_unasked(engine, noise, monkeypatch):
    engine.predict(noise[:1])
    first = engine.status().pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: engine.status().pid not in (None, first))


def test_altered_weights_give_a_status_and_no_mask(engine, small_assets, noise, expected):
    engine.predict(noise[:1])
    for name in SMALL:
        with one_byte_altered(registry.weights_path(name, small_assets)):
            network = engine.status().networks[name]
            assert network.state == "altered"
            assert "altered" in network.message
            with pytest.raises(WeightsError, match="altered"):
                engine.predict(noise[:1])
            cold = small_engine(small_assets)
            with pytest.raises(WeightsError, match="altered"):
                cold.predict(noise[:1])
    assert same(engine.predict(noise[:1]), expected[:1])


def test_missing_weights_are_said_before_any_waiting(tmp_path, noise):
    engine = small_engine(tmp_path)
    assert {n.state for n in engine.status().networks.values()} == {"missing"}
    with pytest.raises(WeightsError, match="no weights for Sequential"):
        engine.predict(noise[:1])


def test_switched_off_it_says_so(small_assets, noise, monkeypatch):
    monkeypatch.setenv("BT_ENGINE", "off")
    engine = small_engine(small_assets)
    engine.start()
    status = engine.status()
    assert (status.state, status.pid) == ("off", None)
    assert "BT_ENGINE=off" in status.message
    with pytest.raises(EngineError, match="BT_ENGINE=off"):
        engine.predict(noise[:1])


def test_closing_fails_what_waits(small_assets, noise):
    engine = small_engine(small_assets)
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(engine.predict, noise)
        time.sleep(0.3)
        engine.close()
        with pytest.raises(EngineError, match="closed"):
            job.result(10)


def test_one_engine_a_process():
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: get_engine(), range(8)))) == 1


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads what a process has mapped")
@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_the_site_answers_without_tensorflow_and_takes_its_worker_along(end):
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    command += ["--server.port", "0", "--server.headless", "true"]
    command += ["--server.fileWatcherType", "none"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        site = psutil.Process(server.pid)

        def workers() -> list[psutil.Process]:
            return [
                child
                for child in site.children(recursive=True)
                if maps(child.pid, "openvino", "onnxruntime")
            ]

        wait_for(workers)
        (found,) = workers()
        assert not any(has_tensorflow(each.pid) for each in (site, *site.children(recursive=True)))
        server.send_signal(getattr(signal, end))
        server.wait(30)
        wait_for(lambda: not psutil.pid_exists(found.pid), 15)
    finally:
        server.kill()


def maps(pid: int, *words: str) -> bool:
    """Whether a process has mapped a library with one of these words in its name."""
    with contextlib.suppress(OSError):
        return any(word in Path(f"/proc/{pid}/maps").read_text() for word in words)
    return False


def has_tensorflow(pid: int) -> bool:
    return maps(pid, "_pywrap_tensorflow")


def test_threads_are_gone_after_closing(small_assets, noise):
    before = threading.active_count()
    engine = small_engine(small_assets)
    engine.start()
    engine.close()
    wait_for(lambda: threading.active_count() <= before, 15)
