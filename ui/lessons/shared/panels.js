// Masks of one slice side by side. Switches choose among masks that are all here already.

import { Picture } from "./picture.js";
import { SlicePanel } from "./slice_panel.js";
import { outline, unpack } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";

const FLAIR = 1;
const MARK = [255, 176, 0, 90];
export default (component) => mount(MaskPanels, component);

// Index of a setting among the masks of a panel: all on comes first, the last switch changes fastest.
export function settingIndex(on) {
  return on.reduce((total, each) => 2 * total + (each ? 0 : 1), 0);
}

class MaskPanels extends SlicePanel {
  static figure = "skips";

  // `on` is a digit a switch, as in the address.
  adopt({ on }) {
    if (!this.meta?.switches || on.length !== this.on.length) return false; // panels without switches hear it, too
    this.on = [...on].map((digit) => digit === "1");
    this.build();
    this.show();
    this.commit();
    return true;
  }

  load({ rows, cols, planes }, part) {
    return Promise.all([unpack(part("image"), 3, rows, cols), unpack(part("masks"), planes, rows, cols)]);
  }

  take(meta, channels, [truth, ...masks]) {
    this.on ??= [...(meta.start ?? "")].map((digit) => digit === "1");
    Object.assign(this, { meta, channels, masks, truth: meta.hasTruth ? truth : null });
    this.build();
    this.show();
  }

  build() {
    const { meta } = this;
    const switches = meta.switches ?? [];
    this.find(".switches").hidden = !switches.length;
    this.find(".switches div").replaceChildren(...switches.map((words, index) => {
      const label = document.createElement("label");
      const input = Object.assign(document.createElement("input"), {
        type: "checkbox", role: "switch", checked: this.on[index], name: `skip${index + 1}`,
      });
      input.oninput = () => {
        this.on[index] = input.checked;
        this.show();
      };
      input.onchange = () => this.commit();
      label.append(input, words);
      return label;
    }));
    this.find("[data-key=truth]").hidden = !this.truth;
    this.figures = meta.panels.map((panel, index) => {
      const figure = document.createElement("figure");
      figure.className = `panel-${index + 1}`;
      figure.innerHTML = `<figcaption><strong class="title"></strong></figcaption><div class="frame"></div>
        <dl class="numbers"><div><dt>Dice</dt><dd data-number="dice"></dd></div>
        <div><dt title="95% Hausdorff distance between the two borders">Border off by</dt><dd data-number="border"></dd></div>
        <div><dt>Marked</dt><dd data-number="marked"></dd></div></dl><p class="note"></p>`;
      figure.querySelector(".title").textContent = panel.title;
      figure.querySelector(".note").textContent = panel.note;
      figure.picture = new Picture(figure.querySelector(".frame"), ["truth", "prediction"]);
      figure.picture.set(meta.rows, meta.cols, this.channels, FLAIR, meta.window);
      return figure;
    });
    this.find(".pictures").replaceChildren(...this.figures);
  }

  view() {
    return { on: this.on.map((each) => (each ? "1" : "0")).join("") };
  }

  show() {
    const { meta, truth, masks } = this;
    const { rows, cols } = meta;
    meta.panels.forEach((panel, number) => {
      const figure = this.figures[number];
      const setting = panel.answers.length > 1 ? settingIndex(this.on) : 0;
      const { plane, dice: score, border, marked } = panel.answers[setting];
      const mask = masks[plane - 1];
      figure.picture.fill(mask, { 1: [MARK] });
      figure.picture.line("prediction", outline(mask, rows, cols));
      figure.picture.line("truth", truth ? outline(truth, rows, cols) : "");
      const said = score === null ? "–" : score.toFixed(3);
      const off = border === null ? "–" : `${border.toFixed(1)} px`;
      figure.querySelector("[data-number=dice]").textContent = said;
      figure.querySelector("[data-number=border]").textContent = off;
      figure.querySelector("[data-number=marked]").textContent = `${marked.toLocaleString("en-US")} px`;
      figure.picture.say(`FLAIR of ${meta.name}, marked by: ${panel.title}. ${marked} pixels, Dice ${said}, border distance ${off}.`);
      figure.picture.stage.dataset.setting = panel.answers.length > 1 ? this.on.map((on) => (on ? 1 : 0)).join("") : "one";
    });
  }
}
