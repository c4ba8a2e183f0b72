"""The files for other machines say the same as the project: port, health check, Python, packages, start."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import streamlit.config
import yaml
from packaging.requirements import Requirement

from ui.site import health

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
START = ["python", ".ci/serve.py"]
PORT = "8501"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pythons() -> list[str]:
    """Versions that the installer accepts, such as 3.11."""
    low, high = re.search(r"\(3, (\d+)\) <= .* <= \(3, (\d+)\)", read(".ci/install.sh")).groups()
    return [f"3.{minor}" for minor in range(int(low), int(high) + 1)]


def unit() -> configparser.SectionProxy:
    # Keys may be there twice, and their case matters.
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(ROOT / "deploy/systemd/brain-tumor-site@.service", encoding="utf-8")
    return parser["Service"]


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.compose-spec", "compose.yaml"),
        ("vendor.github-workflows", ".github/workflows/tests.yml"),
        ("custom.github-workflows-require-timeout", ".github/workflows/tests.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
        ("vendor.citation-file-format", "CITATION.cff"),
    ],
)
def test_files_of_other_tools_follow_their_schemas(schema, file):
    command = [SCRIPTS / "check-jsonschema", "--builtin-schema", schema, ROOT / file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="hadolint comes as a package for Linux alone")
def test_the_dockerfile_has_no_findings():
    done = subprocess.run(
        [SCRIPTS / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_container_starts_as_make_demo_does_and_not_as_root():
    assert json.loads(re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1]) == START
    assert (ROOT / START[1]).is_file() and f"$(PY) {START[1]}" in read("Makefile")
    user = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)[-1]
    assert user == "1000" and f"--uid {user}" in DOCKERFILE
    assert unit()["ExecStart"].split()[-1] == START[1]


def test_one_port_everywhere():
    assert f"PORT ?= {PORT}" in read("Makefile")
    assert f"PORT={PORT}" in DOCKERFILE and f"EXPOSE {PORT}" in DOCKERFILE
    assert yaml.safe_load(read("compose.yaml"))["services"]["site"]["ports"] == [
        f"${{BIND:-127.0.0.1}}:${{PORT:-{PORT}}}:{PORT}"
    ]
    card = yaml.safe_load(read("deploy/spaces/README.md").split("---")[1])
    assert (card["sdk"], card["app_port"]) == ("docker", int(PORT))
    assert json.loads(read(".devcontainer/devcontainer.json"))["forwardPorts"] == [int(PORT)]
    assert "PORT=%i" in unit()["Environment"] and f"brain-tumor-site@{PORT}" in read(
        "deploy/README.md"
    )
    assert f"\n    server 127.0.0.1:{PORT};" in read("deploy/nginx.conf")


def test_the_container_stops_only_once_the_site_has():
    seconds = int(unit()["TimeoutStopSec"])
    assert (
        yaml.safe_load(read("compose.yaml"))["services"]["site"]["stop_grace_period"]
        == f"{seconds}s"
    )


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_asks_the_site(status, healthy):
    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == health.PATH else 404)
            self.end_headers()

        def log_message(self, *args):
            pass

    command = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1]
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = os.environ | {"PORT": str(server.server_address[1])}
        done = subprocess.run(
            [sys.executable, *json.loads(command)[1:]], env=environment, capture_output=True
        )
        server.shutdown()
    assert (done.returncode == 0) is healthy, done.stderr


def test_every_python_is_one_that_the_installer_takes():
    jobs = yaml.safe_load(read(".github/workflows/tests.yml"))["jobs"]
    matrix = jobs["suite"]["strategy"]["matrix"]
    assert matrix["python"] == pythons()
    assert {each["python"] for each in matrix["include"]} <= set(pythons())
    bases = set(re.findall(r"^FROM (python:(3\.\d+)-slim-\w+)", DOCKERFILE, re.MULTILINE))
    assert len(bases) == 1 and {version for _, version in bases} <= set(pythons())
    container = json.loads(read(".devcontainer/devcontainer.json"))["image"]
    assert re.search(r"-(3\.\d+)-", container)[1] in pythons()


def requirements(name: str) -> list[Requirement]:
    """Packages of a requirements file and of those that it names."""
    found = []
    for line in read(name).splitlines():
        if line.startswith("-r "):
            found += requirements(line[3:])
        elif line and line[0] != "#":
            found.append(Requirement(line))
    return found


def test_the_lock_fits_the_ranges():
    locked: dict[str, list[str]] = {}
    lines = re.findall(r"^([\w.-]+)==([\w.]+)", read("requirements.lock"), re.MULTILINE)
    for name, version in lines:
        locked.setdefault(name, []).append(version)
    for wanted in requirements("requirements-login.txt"):
        versions = locked.get(wanted.name.lower().replace("_", "-"), [])
        assert versions, f"make lock: {wanted.name} is missing"
        assert all(version in wanted.specifier for version in versions), wanted


def test_every_package_of_the_lock_has_a_hash():
    packages = re.split(r"\n(?=\S)", read("requirements.lock"))
    bare = [p.split(" ")[0] for p in packages if p[0] != "#" and "--hash=sha256:" not in p]
    assert bare == []


def test_what_runs_the_site_goes_into_the_image_and_nothing_else():
    lines = [line for line in read(".dockerignore").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line[0] == "!"}
    assert {"btmodels", "pages", "ui", "assets", START[1], "streamlit_app.py"} <= allowed
    assert {".streamlit/config.toml", "requirements.lock"} <= allowed
    assert all((ROOT / path).exists() for path in allowed)
    # A folder that is let in must not hold what a clone has beside the repository's own files.
    assert not any(
        path in {"data", "runs", "tests", ".git", ".streamlit", ".venv"} for path in allowed
    )


@pytest.mark.skipif(
    not (shutil.which("sh") and (ROOT / ".git").exists()), reason="needs sh and git"
)
def test_a_space_is_the_image_with_a_card(tmp_path):
    subprocess.run(["sh", ROOT / "deploy/spaces/make_space.sh", tmp_path], check=True)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == read("deploy/spaces/README.md")
    image = (tmp_path / "Dockerfile").read_text(encoding="utf-8")
    assert image.startswith(DOCKERFILE)
    added = dict(re.findall(r"(\w+)=(\S+)", image.removeprefix(DOCKERFILE)))
    assert added.pop("BT_EMBED_IN") == "https://huggingface.co"
    option = streamlit.config.get_config_options()["server.xsrfCookieSameSite"]
    assert added == {option.env_var: "none"}
    again = subprocess.run(
        ["sh", ROOT / "deploy/spaces/make_space.sh", tmp_path], capture_output=True
    )
    assert again.returncode == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_unit(tmp_path):
    file = tmp_path / f"brain-tumor-site@{PORT}.service"
    text = read("deploy/systemd/brain-tumor-site@.service")
    file.write_text(text.replace("/opt/brain-tumor-site/.venv/bin/python", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True)
    assert done.returncode == 0 and "service" not in done.stderr, done.stderr


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="asks git")
def test_a_clone_on_windows_has_the_same_files():
    listed = subprocess.run(
        ["git", "ls-files", "--eol", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    lines = [line.partition("\t") for line in listed.stdout.split("\0") if line]
    assert len(lines) > 500
    assert [name for ends, _, name in lines if "i/crlf" in ends or "i/mixed" in ends] == []
    assert [name for ends, _, name in lines if "i/lf" in ends and "eol=lf" not in ends] == []
    names = [name for _, _, name in lines]
    assert len({name.lower() for name in names}) == len(names)
    assert [name for name in names if re.search(r'[<>:"|?*\\]|[. ](/|$)', name)] == []
    # 260 characters with the folder of the clone in front.
    assert max(map(len, names)) < 180


def test_settings_of_streamlit_are_called_as_it_calls_them():
    known = {option.env_var for option in streamlit.config.get_config_options().values()}
    files = (".devcontainer/devcontainer.json", "deploy/spaces/make_space.sh", "compose.yaml")
    used = {name for file in files for name in re.findall(r"\bSTREAMLIT_\w+", read(file))}
    assert used and used <= known
