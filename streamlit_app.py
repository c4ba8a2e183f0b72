"""The list of pages and the frame around them."""

from pathlib import Path

import streamlit as st

from ui.shared.content import sections
from ui.shared.deferred import page_first
from ui.site import garbage, login, server

ROOT = Path(__file__).parent
FIGURES = ROOT / "assets" / "figures"
NAME = "Margin"


def frame() -> None:
    """Draw one page between the navigation and the notice."""
    notice = sections("cards/notice.md").get("", "")
    title = f"{NAME}: brain tumor segmentation"
    st.set_page_config(title, FIGURES / "favicon.png", "wide", menu_items={"About": notice})
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.logo(FIGURES / f"logo_{theme}.svg", size="large")
    pages = [
        st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("pages/analyze.py", title="Analyze", icon=":material/biotech:"),
        st.Page("pages/patients.py", title="Patients", icon=":material/groups:"),
        st.Page("pages/learn.py", title="Learn", icon=":material/school:"),
        st.Page("pages/scoreboard.py", title="Scoreboard", icon=":material/leaderboard:"),
        st.Page("pages/about.py", title="About", icon=":material/info:"),
    ]
    st.html(ROOT / "ui" / "site" / "site.css")
    with page_first():
        st.navigation(pages, position="top").run()
        st.caption(notice)
        if login.is_on():
            st.button("Log out", on_click=st.logout, type="tertiary")
    garbage.page_served()


# `streamlit run` finds `app` by reading this file, serves it, and runs the file again as a script
# for each visit. Imported, it is the server; run, it is the site.
if __name__ == "__main__":
    frame()
else:
    app = st.App(
        __file__,
        lifespan=server.lifespan,
        routes=server.routes(),
        middleware=server.middleware(),
    )
