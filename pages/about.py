"""About: what gliomas are, how the two steps work, what they are worth, and what runs here."""

import streamlit as st

from ui.results import quality_scores, scores
from ui.shared.content import sections
from ui.site import status

CHECKUP = "Is a picture fit to be judged?"

st.title("About", anchor=False)
words, facts = st.columns([1.7, 1], gap="large")
with words:
    for heading, text in sections("lessons/about.md").items():
        if heading:
            st.header(heading)
        st.markdown(text)
        if heading == CHECKUP:
            quality_scores.draw_quality_scores()
with facts:
    st.header("This installation")
    status.draw_status()
    for problem in status.problems():
        st.warning(problem, icon=":material/warning:")
    st.dataframe(status.versions(), hide_index=True)
    st.header("How well it does")
    scores.draw_score_tables()
    st.page_link(
        "pages/scoreboard.py", label="Patient by patient, and how", icon=":material/leaderboard:"
    )
