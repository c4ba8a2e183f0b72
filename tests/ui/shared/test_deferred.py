"""Slow work starts once the page is drawn; then the page is drawn again with the result."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from ui.shared.deferred import later, page_first

    done = st.session_state.setdefault("done", [])
    with page_first():
        if len(done) < 2:
            later(lambda: done.append("drawn" in st.session_state))
        st.caption(f"{len(done)} done")
        st.session_state["drawn"] = True


def fragment():
    import streamlit as st

    from ui.shared.deferred import later

    if "done" not in st.session_state:
        later(lambda: st.session_state.update(done=True))
    st.caption("done" if "done" in st.session_state else "not done")


def test_a_page_is_drawn_before_its_slow_work_is_done():
    app = AppTest.from_function(page, default_timeout=30).run()
    assert app.session_state["done"] == [True, True]
    assert [caption.value for caption in app.caption] == ["2 done"]


def test_outside_of_a_page_work_is_done_at_once():
    app = AppTest.from_function(fragment, default_timeout=30).run()
    assert [caption.value for caption in app.caption] == ["done"]


def parts():
    import streamlit as st

    from ui.shared.deferred import later, page_first

    runs, done = st.session_state.setdefault("runs", []), st.session_state.setdefault("done", [])

    @st.fragment
    def part():
        runs.append("part")
        if len(done) < 2:
            later(lambda: done.append(len(runs)))
        st.caption(f"{len(done)} done")

    with page_first():
        runs.append("page")
        part()


def test_only_the_fragment_that_asked_is_drawn_again():
    app = AppTest.from_function(parts, default_timeout=30).run()
    assert app.session_state["runs"] == ["page", "part", "part", "part"]
    assert app.session_state["done"] == [2, 3]
    assert [caption.value for caption in app.caption] == ["2 done"]
