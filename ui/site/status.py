"""What the site runs on, in words: weights, device, data, warmth."""

from __future__ import annotations

import platform
from importlib import metadata

import streamlit as st

from btmodels import registry
from btmodels.inference import engine
from ui.session import samples

LOOK_AGAIN_SECONDS = 2.0

_STATES = {
    "off": ("Engine off", "gray", ":material/power_settings_new:"),
    "warming": ("Warming up", "orange", ":material/hourglass_top:"),
    "warm": ("Warm", "green", ":material/bolt:"),
    "failed": ("Engine failed", "red", ":material/error:"),
}
_NETWORKS = {
    "verified": ("verified", "green", ":material/verified:"),
    "unfinished": ("verified, training unfinished", "orange", ":material/hourglass_bottom:"),
    "altered": ("altered, not used", "red", ":material/gpp_bad:"),
    "missing": ("missing", "red", ":material/block:"),
}


def draw_status() -> None:
    """Draw one line of badges: each network's weights, the device, the data, the engine.

    While the engine warms up the line looks again by itself.
    """
    warming = engine.get_engine().status().state == "warming"
    st.fragment(_draw_badges, run_every=LOOK_AGAIN_SECONDS if warming else None)(warming)


def _draw_badges(was_warming: bool) -> None:
    status = engine.get_engine().status()
    if was_warming and status.state != "warming":
        st.rerun()  # the page as a whole has news, and no more need to look again
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for name, network in status.networks.items():
            words, color, icon = _NETWORKS[network.state]
            title = registry.get(name).title
            st.badge(
                f"{title}: weights {words}", color=color, icon=icon, help=network.message or None
            )
        if status.device:
            st.badge(status.device, color="gray", icon=":material/memory:")
        st.badge(_data(), color="gray", icon=":material/folder_open:")
        words, color, icon = _STATES[status.state]
        st.badge(words, color=color, icon=icon, help=status.message or None)


def problems() -> list[str]:
    """Return one sentence for each thing that keeps the networks from answering."""
    status = engine.get_engine().status()
    found = [n.message for n in status.networks.values() if n.state in ("missing", "altered")]
    if status.state in ("off", "failed"):
        found.append(status.message)
    return [sentence for sentence in found if sentence]


def versions() -> list[dict[str, str]]:
    """Return what runs here: Python and the packages that touch a slice."""
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
