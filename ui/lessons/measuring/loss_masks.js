// The masks that five losses lead to, side by side under one threshold.

import { OUTCOME_COLORS, outcomes } from "../shared/confusion.js";
import { radioLabels } from "../shared/figures.js";
import { Picture } from "../shared/picture.js";
import { binarize, count, dice, outline, unpack } from "../../viewer/masks.js";
import { readMessage } from "../../viewer/message.js";
import { mount, Panel } from "../../viewer/panel.js";

export default (component) => mount(LossMasks, component);

class LossMasks extends Panel {
  constructor(parent) {
    super(parent);
    const slider = this.find("[name=at]");
    slider.oninput = () => this.set({ at: +slider.value, best: false });
    slider.onchange = () => this.commit();
    this.find("[name=best]").onclick = () => this.set({ best: true });
  }

  async receive(data, send) {
    this.send = send;
    const { meta, part } = readMessage(data);
    if (this.meta?.version === meta.version) return;
    Object.assign(this.state, { shown: meta.shown, at: meta.at, best: false });
    this.meta = meta;
    this.slices = meta.slices.map(async ({ rows, cols, window }, index) => {
      const [gray, truth, ...maps] = await unpack(part(String(index)), 2 + meta.arms.length, rows, cols);
      return { rows, cols, gray, truth, maps, window };
    });
    this.build();
    this.show();
  }

  build() {
    const { slices, arms } = this.meta;
    const words = slices.map(({ title, tumor }) => (tumor ? `${title}: ${tumor} px of tumor` : `${title}: no tumor`));
    this.find(".shown").replaceChildren(...radioLabels([...words.entries()]));
    this.radios(".shown input", (index) => {
      this.set({ shown: +index });
      this.commit();
    });
    this.panels = arms.map(({ title }) => {
      const item = document.createElement("li");
      item.innerHTML = `<div class="frame"></div><p><span></span><strong></strong></p><small></small>`;
      item.querySelector("span").textContent = title;
      return { item, picture: new Picture(item.querySelector(".frame"), ["truth"]) };
    });
    this.find(".networks").replaceChildren(...this.panels.map(({ item }) => item));
  }

  view() {
    const { shown, at } = this.state;
    return { shown, at };
  }

  async show() {
    const { state, meta } = this;
    const slice = await this.slices[state.shown];
    if (slice !== (await this.slices[state.shown])) return;
    const { rows, cols, gray, truth, maps, window } = slice;
    this.select(".shown input", state.shown);
    this.slide("at", state.best ? "each its own" : state.at.toFixed(2));
    const words = this.panels.map(({ item, picture }, index) => {
      const { title, best, score } = meta.arms[index];
      const at = state.best ? best : state.at;
      const mask = binarize(maps[index], rows, cols, at, 0);
      const counts = count(mask, truth);
      const made = dice(counts);
      if (picture.gray !== gray) picture.set(rows, cols, [gray], 0, window);
      picture.gray = gray;
      picture.fill(outcomes(mask, truth), OUTCOME_COLORS);
      picture.line("truth", outline(truth, rows, cols));
      const said = made === null ? "undefined" : made.toFixed(3);
      picture.say(`${title} at threshold ${at.toFixed(2)}: ${counts.tp} pixels found, ${counts.fp} marked wrongly, ${counts.fn} missed.`);
      item.querySelector("strong").textContent = said;
      item.querySelector("small").textContent =
        `at ${at.toFixed(2)}; validation patients at 0.50: ${score === null ? "undefined" : score.toFixed(3)}`;
      return `${title} ${said}`;
    });
    this.find(".networks").dataset.shown = state.shown;
    this.say(`Dice: ${words.join(", ")}.`);
  }
}
