// Tasks beside a figure: say what will happen, try it, and read what does. What was predicted stays while
// the document is open, whichever page is on show.

import { ask, forget, mount, Panel } from "../../viewer/panel.js";

const PREDICTED = new Map(); // by task: index of the answer, and whether what happens is unfolded

export default (component) => mount(Tasks, component);

class Tasks extends Panel {
  receive({ tasks, widgets }, _, setTriggerValue) {
    Object.assign(this, { widgets, ask: setTriggerValue });
    const told = JSON.stringify(tasks);
    if (told === this.told) return;
    this.told = told;
    this.find("ol").replaceChildren(...tasks.map((task, number) => this.build(task, number)));
  }

  build(task, number) {
    const known = PREDICTED.get(task.id) ?? { chosen: null, open: false };
    PREDICTED.set(task.id, known);
    const item = document.createElement("li");
    item.dataset.task = task.id;
    item.innerHTML = `<p class="what"></p><fieldset class="expect"><legend>What do you expect?</legend></fieldset>
      <div class="buttons"><button type="button" name="show">Show me</button>
      <button type="button" name="answer" aria-expanded="false"></button></div>
      <div class="answer" role="status" hidden></div>`;
    // All of it was made by ui/lessons/markup.py of the lesson's own Markdown, in which HTML is escaped.
    item.querySelector(".what").innerHTML = task.words;
    const name = Math.random().toString(36).slice(2);
    item.querySelector(".expect").append(...task.answers.map((html, index) => {
      const label = document.createElement("label");
      label.innerHTML = `<input type="radio"><span>${html}</span>`;
      Object.assign(label.firstChild, { name, checked: known.chosen === index });
      label.firstChild.oninput = () => {
        known.chosen = index;
        this.show(item, task, known);
      };
      return label;
    }));
    const shown = item.querySelector("[name=show]");
    shown.hidden = !task.show;
    shown.onclick = () => {
      const [figure, state] = task.show;
      if (figure === this.widgets) {
        this.ask("asked", number);
        const widget = document.querySelector(`.${task.place}`); // its chart stands below it
        widget.style.scrollMarginTop = "4.5rem"; // below the bar at the top
        widget.scrollIntoView({ block: "start", behavior: "smooth" });
      } else ask(figure, state);
    };
    item.querySelector("[name=answer]").onclick = () => {
      known.open = !known.open;
      this.show(item, task, known);
    };
    this.show(item, task, known);
    return item;
  }

  close() {
    super.close();
    forget();
  }

  show(item, { answers, right, because, why }, { chosen, open }) {
    const button = item.querySelector("[name=answer]");
    button.textContent = open ? "Hide what happens" : "What happens";
    button.setAttribute("aria-expanded", String(open));
    const box = item.querySelector(".answer");
    box.hidden = !open;
    if (!open) return;
    const verdict = chosen === null ? "" : chosen === right
      ? "<strong>As you expected.</strong> "
      : `<strong>Not what you expected.</strong> ${because[chosen]} `;
    const answer = chosen === null ? `<strong>${answers[right]}</strong>: ` : "";
    box.innerHTML = `${verdict}${answer}${why}`;
    box.dataset.right = String(chosen === right);
  }
}
