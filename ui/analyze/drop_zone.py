"""The start of Analyze without files: a place to drop them, the formats, and samples to try."""

from __future__ import annotations

import streamlit as st

from btmodels.errors import CohortError
from btmodels.visualize.overlay import png
from btmodels.visualize.window import shown_flair
from ui.analyze import uploader
from ui.session import samples
from ui.shared import badges
from ui.shared.content import sections
from ui.viewer.gallery import turner

MOST_SAMPLES = 4


def draw() -> None:
    """Draw the drop zone beside the list of formats."""
    text = sections("cards/analyze.md")
    with st.container(key="welcome"):
        st.title(text.get("Headline", "Analyze"), anchor=False)
    _gone()
    _render_ahead()
    left, right = st.columns([1.5, 1], gap="large")
    with right:
        st.markdown(text.get("What to upload", ""))
    with left:
        uploader.draw()
        st.caption(f":material/lock: {text.get('Upload', '')}")


def _render_ahead() -> None:
    """Draw one of each element that shows a result, hidden.

    Streamlit's frontend loads the script of an element when it first draws one. Until it has, React keeps
    the page as it is, and starts again with each result that arrives: the first answer of a study of 60
    slices came a second later.
    """
    with st.container(key="ahead"):
        st.metric("Ahead", "")
        st.selectbox("Ahead", [""], key="ahead.selectbox")
        st.checkbox("Ahead", key="ahead.checkbox")
        turner()


def draw_samples() -> None:
    """Draw a few samples, which open on a click, and one of them to download."""
    found = [sample for sample in samples.library().samples.values() if sample.bundled]
    if not found:
        return
    st.markdown("**No scan at hand?** Open a sample.")
    for column, sample in zip(st.columns(MOST_SAMPLES), found[:MOST_SAMPLES], strict=False):
        folder = sample.patient.folder
        try:
            stack = samples.stack_of(sample, folder)
        except CohortError:
            continue
        index = stack.largest_lesion_slice()
        each = stack.slices[index]
        # The style sheet stretches the button over the picture, since a link would open another tab.
        with column, st.container(key=f"thumbnail-{folder}", width=150):
            picture = png(shown_flair(each.pixels, stack.windows[index][1])[..., None].repeat(3, 2))
            st.image(picture, width=150, alt=f"A slice of {folder}.")
            badges.draw(sample.provenance)
            st.button("Open", key=f"sample.{folder}", on_click=_open, args=(folder,))
    sample = found[0]
    stack = samples.stack_of(sample, sample.patient.folder)
    each = stack.slices[stack.largest_lesion_slice()]
    file = next((f for f in sample.patient.files if f.number == each.number), None)
    if file is None:
        return
    with st.container(horizontal=True):
        for label, path in (("Download a sample to try", file.image), ("Its mask", file.mask)):
            if path:
                st.download_button(
                    label,
                    path.read_bytes(),
                    path.name,
                    "image/tiff",
                    on_click="ignore",
                    icon=":material/download:",
                    type="tertiary",
                )


def _open(folder: str) -> None:
    st.query_params.from_dict({"patient": folder})
    st.session_state["analyze.source"] = "Samples"


def _gone() -> None:
    asked = st.query_params.get("files", "")
    if not asked.isdecimal() or uploader.count():
        return
    one = asked == "1"
    gone = "The file you uploaded is" if one else f"The {int(asked[:6]):,} files you uploaded are"
    st.info(
        f"{gone} gone: this page keeps files only while it stays open, and it was reloaded. "
        f"Drop {'it' if one else 'them'} here again.",
        icon=":material/history:",
    )
