"""Without a data folder: say that the patients are synthetic, and offer to download the real ones."""

from __future__ import annotations

import os
from collections.abc import Mapping

import streamlit as st

from btmodels.dataset.download import get_download

LOOK_AGAIN_SECONDS = 1.0

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def offer(text: Mapping[str, str]) -> None:
    """Draw the notice, and the download's button or progress.

    Args:
        text: Text of the page, by heading.
    """
    with st.container(border=True):
        st.markdown(f":material/science: {text.get('Synthetic', '')}")
        if not allowed():
            st.markdown(text.get("No download", ""))
            return
        running = get_download().progress().step == "running"
        again = LOOK_AGAIN_SECONDS if running else None
        st.fragment(_download, run_every=again)(text.get("Download", ""), running)


def allowed() -> bool:
    """Return whether this visitor may make the server download a gigabyte.

    If ``BT_DATA_DIR`` is set, only its folder counts, and nothing is downloaded.
    """
    if "BT_DATA_DIR" in os.environ:
        return False
    if os.environ.get("BT_ALLOW_DOWNLOAD", "").strip() == "1":
        return True
    # Behind a proxy, too, the server listens on loopback, while its visitors come from anywhere.
    visitor = _visitor()
    local = visitor is None or visitor in _LOOPBACK
    return st.get_option("server.address") in _LOOPBACK and local


def _visitor() -> str | None:
    return st.context.ip_address  # None on this machine


def _download(words: str, was_running: bool) -> None:
    download = get_download()
    progress = download.progress()
    if was_running and progress.step != "running":
        st.rerun()  # the patients are there, or it failed: the whole page must change
    if progress.step == "running":
        st.progress(progress.share, f"Downloading the LGG data set: {progress.message}")
        st.button("Stop", on_click=download.stop, icon=":material/stop:")
        return
    st.markdown(words)
    if progress.step == "failed":
        st.error(progress.message, icon=":material/cloud_off:")
    label = "Try again" if progress.step == "failed" else "Download the real patients"
    if st.button(label, icon=":material/download:"):
        download.start()
        st.rerun()
