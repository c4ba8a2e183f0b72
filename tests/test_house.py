"""`make demo` names missing parts and the site's address, in one sentence each."""

from __future__ import annotations

import os
import runpy
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SH = shutil.which("sh")
pytestmark = pytest.mark.skipif(SH is None, reason="there is no sh here")


def install(folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run the installer where there is no .venv yet, with nothing but ``folder`` on the path."""
    return subprocess.run(
        [SH, str(ROOT / ".ci" / "install.sh"), "requirements.txt", "stamp"],
        cwd=folder,
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def fake_python(folder: Path, name: str, body: str) -> None:
    file = folder / name
    file.write_text(f"#!{SH}\n{body}\n")
    file.chmod(0o755)


def serve(**environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "serve.py")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_no_python_at_all_is_one_sentence(tmp_path):
    done = install(tmp_path)
    assert done.returncode == 1 and "no Python was found" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_old_python_is_named(tmp_path):
    fake_python(tmp_path, "python3", '[ "$1" = --version ] && echo Python 3.10.4 && exit 0; exit 1')
    done = install(tmp_path)
    assert done.returncode == 1 and "Python 3.10.4 was found" in done.stderr
    assert not (tmp_path / ".venv").exists() and not (tmp_path / "stamp").exists()


def test_a_python_without_venv_is_named(tmp_path):
    body = 'case "$*" in --version) echo Python 3.11.9;; *ensurepip*) exit 1;; esac'
    fake_python(tmp_path, "python3.11", body)
    done = install(tmp_path)
    assert done.returncode == 1
    assert "Python 3.11.9 lacks its venv module" in done.stderr and "python3-venv" in done.stderr


def test_a_shim_that_does_not_start_is_passed_over(tmp_path):
    fake_python(tmp_path, "python3.13", "exit 127")
    fake_python(
        tmp_path,
        "python3.12",
        'case "$*" in --version) echo Python 3.12.7;; *ensure*) exit 1;; esac',
    )
    assert "Python 3.12.7 lacks" in install(tmp_path).stderr


def test_the_python_that_was_named_is_the_one_that_counts(tmp_path):
    done = install(tmp_path, PYTHON=str(tmp_path / "none"))
    assert done.returncode == 1 and "no Python was found" in done.stderr


def test_uv_installs_as_well_as_pip(tmp_path):
    (tmp_path / "requirements.txt").write_text("# nothing, so that no network is needed\n")
    uv = Path(sysconfig.get_path("scripts"))
    environment = {"PATH": f"{uv}{os.pathsep}{os.defpath}", "PYTHON": sys.executable}
    for installer in ("uv", ""):  # the second time without a word: the environment has no pip
        done = subprocess.run(
            [SH, str(ROOT / ".ci" / "install.sh"), "requirements.txt", "stamp"],
            cwd=tmp_path,
            env=environment | {"INSTALLER": installer, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "stamp").exists()
        (tmp_path / "stamp").unlink()
    made = (tmp_path / ".venv" / "pyvenv.cfg").read_text()
    assert "uv = " in made and not (tmp_path / ".venv" / "bin" / "pip").exists()


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port):
    done = serve(PORT=port)
    assert done.returncode == 2 and repr(port) in done.stderr


@pytest.mark.parametrize(("chosen", "heaps"), [(None, "1"), ("4", "4")])
def test_threads_of_the_site_share_one_heap(monkeypatch, chosen, heaps):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if chosen:
        monkeypatch.setenv("MALLOC_ARENA_MAX", chosen)
    monkeypatch.setenv("PORT", "18501")
    started = []
    monkeypatch.setattr(os, "execve", lambda *words: started.append(words))
    runpy.run_path(str(ROOT / ".ci" / "serve.py"))["main"]()
    ((_, command, environment),) = started
    assert "streamlit" in command and "18501" in command
    assert environment["MALLOC_ARENA_MAX"] == heaps


def test_a_port_in_use_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = serve(PORT=str(port), HOST="127.0.0.1")
    assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
