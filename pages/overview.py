"""Overview: a patient segmented by the engine of this very process, why, and three ways on."""

import streamlit as st

from btmodels.errors import CohortError
from ui.session import analysis, samples
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared import badges
from ui.shared.content import sections
from ui.site import status
from ui.viewer.workbench import workbench

text = sections("cards/overview.md")
sample, chosen = samples.library().featured()


def beside(analyzed: Analyzed, view: View) -> None:
    """Tell whose slices these are, and why people want them marked by machine."""
    badges.draw(analyzed.stack.provenance[view.slice])
    st.markdown(text.get(f"Featured: {chosen}", ""))
    if analyzed.message and not analyzed.pending:
        st.warning(analyzed.message, icon=":material/do_not_disturb_on:")
    st.header("Why by machine", anchor=False)
    st.markdown(text.get("Why by machine", ""))


st.title(text.get("Headline", "Brain tumor segmentation"), anchor=False)
st.markdown(text.get("Sentence", ""))
with st.container(horizontal=True, gap="medium"):
    st.page_link(
        "pages/analyze.py",
        label="Take this patient apart",
        icon=":material/biotech:",
        query_params={"patient": sample.patient.folder} if sample else None,
    )
    st.page_link(
        "pages/analyze.py",
        label="Analyze your own slice",
        icon=":material/upload_file:",
        query_params={"source": "files"},
    )
    st.page_link(
        "pages/analyze.py",
        label="Present five views",
        icon=":material/slideshow:",
        query_params={"present": "1"},
    )
    st.page_link("pages/learn.py", label="Learn how it works", icon=":material/school:")
    st.page_link("pages/about.py", label="Read what stands behind it", icon=":material/menu_book:")

if sample is None:
    st.info("This copy of the project has no samples: set BT_DATA_DIR or restore assets/samples.")
else:
    try:
        stack = samples.stack_of(sample, sample.patient.folder)
    except CohortError as error:
        st.error(str(error))
    else:
        threshold = analysis.stored_threshold()
        start = View(stack.largest_lesion_slice(), 0.5 if threshold is None else threshold)
        workbench(stack, start, beside, shares=(2, 1))
status.draw_status()
