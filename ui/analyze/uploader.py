"""The uploader: a visitor's files, kept in memory and in this session only."""

from __future__ import annotations

import streamlit as st

from btmodels.filenames import plain_path
from btmodels.io.batch import InputFile, some
from ui.analyze.upload_batch import UploadBatch, UploadOverrides, read_batch
from ui.session.cache import forget_uploads, keep, upload_key
from ui.session.stack import Stack

OWN = upload_key("uploads.own")
"""Session key of the last uploaded stack, for other pages; None without one."""

FILES, FOLDER = "Files or a zip", "A folder"

_STATE, _KEPT = upload_key("uploads"), upload_key("uploads.batch")
_BEFORE, _LAST = upload_key("uploads.before"), upload_key("uploads.last")
_CHANGED, _ADDED = upload_key("uploads.changed"), upload_key("uploads.added")
_HOW, _ROUND = "uploads.how", "uploads.round"


def stack() -> Stack | None:
    """Return the last uploaded stack, which can still be analyzed; None without one."""
    return st.session_state.get(OWN)


def count() -> int:
    """Return the number of files that this session holds."""
    return len(st.session_state.get(_BEFORE, [])) + len(st.session_state.get(_LAST, []))


def times_added() -> int:
    """Return how often files were added to those that this session holds."""
    return st.session_state.get(_ADDED, 0)


def read(overrides: UploadOverrides) -> UploadBatch:
    """Read the uploaded files, which the widget's state holds before `draw` runs.

    Most reruns leave the files unchanged, so the decoded batch is kept.
    """
    uploads = st.session_state.get(_widget()) or []
    files = _carried(
        [InputFile(u.file_id, own_name(u.name), u.getvalue(), _folder()) for u in uploads]
    )
    mark = tuple(file.id for file in files), overrides.mark
    kept = st.session_state.get(_KEPT)
    if kept is None or kept[0] != mark:
        with st.spinner("Reading your files…"):
            batch = read_batch(files, overrides, st.session_state.setdefault(_STATE, {}))
        kept = keep(_KEPT, (mark, batch))
    keep(OWN, kept[1].stack)
    return kept[1]


def draw() -> None:
    """Draw the uploader."""
    st.segmented_control(
        "What to upload",
        [FILES, FOLDER],
        default=FILES,
        required=True,
        key=_HOW,
        label_visibility="collapsed",
    )
    st.file_uploader(
        "Drag a patient's folder here"
        if _folder()
        else "Drag a slice, a whole scan or a zip here, along with any masks",
        accept_multiple_files="directory" if _folder() else True,
        key=_widget(),
        on_change=_changed,
        help="Pictures (TIFF, PNG, JPEG, WebP, BMP), DICOM files, NIfTI volumes (.nii, .nii.gz) or a "
        "zip of them. Name a mask like its slice, with _mask before the extension: x.tif and "
        "x_mask.tif. FLAIR and T1 with and without contrast agent are told apart by their names.",
    )
    if before := st.session_state.get(_BEFORE):
        many = "1 file" if len(before) == 1 else f"{len(before)} files"
        st.caption(f"{many} from before: {some(before)}")


def _folder() -> bool:
    return st.session_state.get(_HOW) == FOLDER


def _widget() -> str:
    kind = "folder" if _folder() else "files"
    return f"uploads.{kind}.{st.session_state.get(_ROUND, 0)}"


def own_name(sent: str) -> str:
    """Return a file's name, or its path in a folder, as the visitor knows it.

    Browsers percent-encode only quotation marks and line breaks ("multipart/form-data encoding
    algorithm" of the HTML standard) and leave percent signs as they are, so nothing else is decoded.
    """
    return plain_path(sent.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n"))


def _carried(files: list[InputFile]) -> list[InputFile]:
    """Return the uploader's files, preceded by those that it has lost.

    An uploader that was off the screen comes back empty, although nobody removed a file.
    """
    taken_out = st.session_state.pop(_CHANGED, False)
    before: list[InputFile] = st.session_state.get(_BEFORE, [])
    last: list[InputFile] = st.session_state.get(_LAST, [])
    if not files and last and not taken_out:
        before = [*before, *last]
    if len(files) > len(last):
        keep(_ADDED, times_added() + 1)
    keep(_BEFORE, before)
    keep(_LAST, files)
    return [*before, *files]


def _changed() -> None:
    st.session_state[_CHANGED] = True


def forget() -> None:
    """Drop the uploaded files and everything that the session derived from them."""
    forget_uploads()
    # A new key makes the uploader release its files.
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
