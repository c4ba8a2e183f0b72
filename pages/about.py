"""About: what gliomas are, how the two steps work, what they are worth, and what runs here."""

import streamlit as st

from ui import scores, status
from ui.content import sections

st.title("About")
with st.container(width=760):
    for heading, text in sections("lessons/about.md").items():
        if heading:
            st.header(heading)
        st.markdown(text)

    st.header("How well it does")
    scores.draw()

    st.header("This installation")
    status.strip()
    for problem in status.problems():
        st.warning(problem, icon=":material/warning:")
    st.dataframe(status.versions(), hide_index=True)
