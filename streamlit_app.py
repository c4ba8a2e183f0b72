"""The list of pages and the frame around them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from btmodels.inference.engine import get_engine
from ui.shared.content import sections
from ui.shared.deferred import page_first
from ui.site import garbage, health, module_route, plane_route
from ui.site.headers import SafeHeaders
from ui.site.index_html import routes

FIGURES = Path(__file__).parent / "assets" / "figures"
NAME = "Margin"


def frame() -> None:
    """Draw one page between navigation and notice."""
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
    with page_first():
        st.navigation(pages, position="top").run()
        st.caption(notice)
    garbage.page_served()


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Warm the engine up while the server starts; end its process with the server."""
    get_engine().start()
    garbage.freeze_after_first_page()
    # Until a visit has drawn a navigation, Streamlit takes pages/ for its old kind of site: whoever
    # came first with a deep link would get a page without this frame.
    with suppress(ImportError):  # not public: a later Streamlit may do without it
        from streamlit.runtime.pages_manager import PagesManager

        PagesManager.uses_pages_directory = False
    yield
    get_engine().close()


# `streamlit run` finds `app` by reading this file, serves it, and runs the file again as a script
# for each visit: imported it is the server, run it is the site.
if __name__ == "__main__":
    frame()
else:
    app = st.App(
        __file__,
        lifespan=lifespan,
        routes=[
            health.route(),
            module_route.route(),
            plane_route.route(),
            *routes(["/", "/analyze", "/patients", "/learn", "/scoreboard", "/about"]),
        ],
        middleware=[Middleware(SafeHeaders)],
    )
