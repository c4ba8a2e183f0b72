"""About: gliomas, the two-step method, its limits, and this installation."""

import streamlit as st

from ui.results import headline, quality_scores
from ui.shared.content import sections
from ui.site import status

text = sections("lessons/about.md")

# Headings of the text, by tab.
TABS = {
    "Gliomas and MRI": (
        "What a glioma is",
        "Grades 2 to 4",
        "Symptoms by location",
        "Why MRI",
        "Follow-up",
    ),
    "How it works": ("The two-step method", "The input check"),
    "Data and limits": ("Limits", "The data", "The synthetic cohort", "Licenses", "How to cite"),
    "Sources": ("Sources",),
}

MEASURED = "The input check"


def draw_section(heading: str) -> None:
    """Draw a section of the text; the section on the input check also shows its measured quality."""
    st.header(heading, anchor=False)
    st.markdown(text.get(heading, ""))
    if heading == MEASURED:
        with st.expander("How well the input check works", icon=":material/fact_check:"):
            quality_scores.draw_quality_scores()


st.title("About", anchor=False)
st.markdown(text.get("", ""))
for problem in status.problems():
    st.warning(problem, icon=":material/warning:")
*tabs, installation = st.tabs([*TABS, "This installation"])
for tab, headings in zip(tabs, TABS.values(), strict=True):
    with tab, st.container(width=820):
        for heading in headings:
            draw_section(heading)
        if "Limits" in headings:
            st.markdown(headline.short_sentence())
            st.page_link(
                "pages/scoreboard.py", label="How good is it?", icon=":material/leaderboard:"
            )
with installation:
    status.draw_status()
    st.dataframe(status.versions(), hide_index=True, width="content")
