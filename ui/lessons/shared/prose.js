// Words of a lesson. A click on a term explains it right below the paragraph that it stands in.

import { mount, Panel } from "../../viewer/panel.js";

export default (component) => mount(Prose, component);

class Prose extends Panel {
  receive({ html, terms }) {
    if (html === this.html) return;
    Object.assign(this, { html, terms });
    // Made by ui/lessons/glossary.py of the lesson's own Markdown, in which HTML is escaped.
    this.find("article").innerHTML = html;
    this.all("button.term").forEach((button) => (button.onclick = () => this.explain(button)));
  }

  explain(button) {
    const open = button.getAttribute("aria-expanded") === "true";
    this.all("aside").forEach((aside) => aside.remove());
    this.all("button.term").forEach((each) => each.setAttribute("aria-expanded", "false"));
    if (open) return;
    button.setAttribute("aria-expanded", "true");
    const aside = document.createElement("aside");
    aside.setAttribute("role", "status");
    aside.innerHTML = `<strong></strong> ${this.terms[button.dataset.term] ?? ""}`;
    aside.querySelector("strong").textContent = `${button.dataset.term}.`;
    const block = button.closest("p, h4, blockquote, table");
    if (block) block.after(aside);
    else button.closest("li").append(aside);
  }
}
