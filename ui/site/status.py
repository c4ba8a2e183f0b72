"""The site's status in words: weights, device, data, and whether the networks are ready."""

from __future__ import annotations

import platform
from importlib import metadata

import streamlit as st

from btmodels import registry
from btmodels.inference import engine
from ui.session import samples

LOOK_AGAIN_SECONDS = 2.0

_STATES = {
    "off": ("Networks switched off", "gray", ":material/power_settings_new:"),
    "warming": ("Warming up", "orange", ":material/hourglass_top:"),
    "warm": ("Ready", "green", ":material/bolt:"),
    "failed": ("Networks failed", "red", ":material/error:"),
}
_NETWORKS = {
    "verified": ("verified", "green", ":material/verified:"),
    "unfinished": ("verified, training unfinished", "orange", ":material/hourglass_bottom:"),
    "altered": ("altered, not used", "red", ":material/gpp_bad:"),
    "missing": ("missing", "red", ":material/block:"),
}


def draw_status() -> None:
    """Draw one pill with the networks' status, which opens to show each network, device and data.

    While the engine warms up, the pill refreshes itself.
    """
    warming = engine.get_engine().status().state == "warming"
    st.fragment(_draw_pill, run_every=LOOK_AGAIN_SECONDS if warming else None)(warming)


def _draw_pill(was_warming: bool) -> None:
    status = engine.get_engine().status()
    if was_warming and status.state != "warming":
        st.rerun()  # the whole page must change, and needs no more refreshes
    words, icon = summary(status)
    with st.popover(words, icon=icon, key="status"):
        for name, network in status.networks.items():
            state, color, icon = _NETWORKS[network.state]
            st.badge(
                f"{registry.get(name).title}: {state}",
                color=color,
                icon=icon,
                help=network.message or None,
            )
        if status.device:
            st.badge(status.device, color="gray", icon=":material/memory:")
        st.badge(_data(), color="gray", icon=":material/folder_open:")
        words, color, icon = _STATES[status.state]
        st.badge(words, color=color, icon=icon, help=status.message or None)


def summary(status: engine.EngineStatus) -> tuple[str, str]:
    """Return the number of verified networks and their state in a few words, and an icon."""
    networks = status.networks.values()
    verified = sum(network.state in ("verified", "unfinished") for network in networks)
    words = f"{verified} of {len(networks)} networks verified"
    if status.state != "warm":
        words += f", {_STATES[status.state][0].lower()}"
    sound = verified == len(networks) and status.state in ("warm", "warming")
    return words, ":material/verified:" if sound else ":material/warning:"


def problems() -> list[str]:
    """Return one sentence for each problem that keeps the networks from answering."""
    status = engine.get_engine().status()
    found = [n.message for n in status.networks.values() if n.state in ("missing", "altered")]
    if status.state in ("off", "failed"):
        found.append(status.message)
    return [sentence for sentence in found if sentence]


def versions() -> list[dict[str, str]]:
    """Return the versions of Python and of the packages that process slices."""
    packages = ("streamlit", "tensorflow", "keras", "numpy", "opencv-python-headless", "tifffile")
    rows = [{"Part": "python", "Version": platform.python_version()}]
    for package in (*packages, "pillow"):
        try:
            rows.append({"Part": package, "Version": metadata.version(package)})
        except metadata.PackageNotFoundError:
            rows.append({"Part": package, "Version": "not installed"})
    return rows


def _data() -> str:
    library = samples.library()
    own = sum(not sample.bundled for sample in library.samples.values())
    bundled = len(library.samples) - own
    words = f"{bundled} synthetic patient{'s' * (bundled != 1)}"
    return f"{words}, {own} in the data folder" if own else f"{words}, no data folder"
