"""A browser panel is created, updated and closed as Streamlit calls it."""

from __future__ import annotations

from tests.ui.node import run

PANEL = """(() => {
    const said = [];
    class Panel {
        constructor(parent) { said.push(`made in ${parent.name}`); }
        receive(data, state, trigger) { said.push([data, state, trigger].filter(Boolean).join(" ")); }
        close() { said.push("closed"); }
    }
    const parent = { name: "here", isConnected: true };
    const gone = (leave, at = parent) => { at.isConnected = false; leave(); at.isConnected = true; };
    const call = (data, at = parent) => mount(Panel, { parentElement: at, data, setStateValue: "state" });
    %s
    return said;
})()"""


def said(steps: str) -> list[str]:
    return run(("viewer/panel.js",), PANEL % steps)


def test_a_panel_is_made_once_told_each_time_and_closed_at_the_end():
    steps = """call(1); const leave = call(2); gone(leave); gone(leave); call(3);"""
    expected = ["made in here", "1 state", "2 state", "closed", "made in here", "3 state"]
    assert said(steps) == expected


def test_a_call_that_was_overtaken_does_not_close_the_panel_of_the_later_one():
    # Both waited for the module; Streamlit cleans up after the first once it is there.
    steps = """const first = call(1), second = call(2); first(); gone(call(3)); second();"""
    assert said(steps) == ["made in here", "1 state", "2 state", "3 state", "closed"]


def test_a_call_that_was_overtaken_may_come_last_and_is_taken_back():
    steps = """const later = call(2), overtaken = call(1); overtaken(); gone(later);"""
    assert said(steps) == ["made in here", "2 state", "1 state", "2 state", "closed"]
    steps = """call(3); const one = call(1), two = call(2); one(); two();"""
    assert said(steps) == ["made in here", "3 state", "1 state", "2 state", "3 state"]


def test_two_places_have_a_panel_each():
    steps = """const leave = call(1); call(2, { name: "there" }); gone(leave); call(3, parent);"""
    first, second = ["made in here", "1 state"], ["made in there", "2 state"]
    assert said(steps) == [*first, *second, "closed", "made in here", "3 state"]


ASKED = """(async () => {
    const said = [];
    globalThis.window = Object.assign(new EventTarget(), { innerHeight: 700 });
    globalThis.requestAnimationFrame = (draw) => draw();
    globalThis.cancelAnimationFrame = () => {};
    const figure = { offsetHeight: 500, scrollIntoView: () => said.push("in view") };
    const parent = { querySelector: () => figure, querySelectorAll: () => [] };
    class Figure extends Panel {
        static figure = "one";
        async receive(data) {
            await null; // its slice is being unpacked
            this.meta = data;
        }
        show() { said.push(`shows ${this.state.level}`); }
    }
    const come = async () => {
        const leave = mount(Figure, { parentElement: parent, data: 1 });
        await null; await null; await null;
        return leave;
    };
    %s
    return said;
})()"""


def after_asking(steps: str) -> list[str]:
    return run(("viewer/panel.js",), ASKED % steps)


def test_a_figure_shows_what_it_is_asked_for_and_comes_into_view_once():
    assert after_asking("""await come(); ask("two", { level: 1 }); ask("one", { level: 2 });
        await come();""") == ["shows 2", "in view"]


def test_a_figure_that_is_still_to_come_shows_what_it_was_asked_for():
    # Neither a script that has not come nor a slice that is being unpacked loses what was asked.
    steps = """ask("one", { level: 1 }); (await come())();
        const coming = come(); ask("one", { level: 2 }); said.push("not yet"); await coming;"""
    assert after_asking(steps) == ["shows 1", "in view", "not yet", "shows 2", "in view"]


def test_who_has_left_is_not_shown_what_was_asked_for():
    steps = """ask("one", { level: 1 }); forget(); (await come())(); ask("one", { level: 2 });"""
    assert after_asking(steps) == []
