"""Overview: a patient segmented live by this server's engine, one honest score, and three links."""

import streamlit as st

from btmodels.errors import CohortError
from ui.results import headline
from ui.results.slice_answer import draw_slice_answer
from ui.session import analysis, samples
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared import badges
from ui.shared.content import sections
from ui.site import status
from ui.surface.rotating_head import can_rotate, rotating_head
from ui.viewer.workbench import workbench

text = sections("cards/overview.md")
sample, chosen = samples.library().featured()

WAYS = (
    ("Show me", "pages/analyze.py", ":material/slideshow:", {"present": "1"}),
    ("Try my own", "pages/analyze.py", ":material/upload_file:", {"source": "files"}),
    ("Teach me", "pages/learn.py", ":material/school:", None),
)


def draw_answer(analyzed: Analyzed, view: View) -> None:
    """Draw the answer for the slice in the viewer, the rotating head, the score, and the three links."""
    with st.container(key="origin", gap="xsmall"):
        badges.draw(analyzed.stack.provenance[view.slice])
        st.markdown(text.get(f"Featured: {chosen}", ""))
    found = analyzed.analyses[view.slice]
    shown = found and analysis.at_threshold(found, view.threshold)
    if can_rotate(analyzed):
        left, right = st.columns([1, 1.65], gap="small")
        with left:
            draw_slice_answer(shown, fill=True)
        with right:
            rotating_head(analyzed, view.threshold, "overview.head")
    else:
        draw_slice_answer(shown)
    if not shown and not analyzed.pending and analyzed.message:
        st.warning(analyzed.message, icon=":material/do_not_disturb_on:")
    with st.container(key="score", gap="xsmall"):
        st.markdown(headline.short_sentence())
        st.page_link("pages/scoreboard.py", label="How good is it?", icon=":material/leaderboard:")
    draw_ways_on()


def draw_ways_on() -> None:
    """Draw three links: see a presentation, try it, learn how it works."""
    with st.container(key="ways", horizontal=True, gap="small"):
        for key, page, icon, query in WAYS:
            st.page_link(
                page,
                label=key,
                icon=icon,
                query_params=query,
                help=text.get(key),
                width="stretch",
            )


def draw_reasons() -> None:
    """Draw the reasons for outlining tumors with a network, one per column."""
    st.header(text.get("Reasons", "Why use a network?"), anchor=False)
    reasons = [(key, words) for key, words in text.items() if key.startswith("Reason: ")]
    for column, (key, words) in zip(
        st.columns(len(reasons) or 1, gap="large"), reasons, strict=True
    ):
        column.markdown(f"**{key.removeprefix('Reason: ')}**  \n{words}")


st.title(text.get("Headline", "Brain tumor segmentation"), anchor=False)
st.markdown(text.get("Sentence", ""))
if sample is None:
    st.info("This copy of the project has no samples: set BT_DATA_DIR or restore assets/samples.")
    draw_ways_on()
else:
    try:
        stack = samples.stack_of(sample, sample.patient.folder)
    except CohortError as error:
        st.error(str(error))
    else:
        threshold = analysis.stored_threshold()
        start = View(stack.largest_lesion_slice(), 0.5 if threshold is None else threshold)
        workbench(stack, start, draw_answer, shares=(1, 1))
draw_reasons()
status.draw_status()
