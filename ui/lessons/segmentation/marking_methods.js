// One slice, four ways to mark the tumor in it, each scored as it moves.

import { Sheet, bestLevel, brighter, grow, typical } from "./draw.js";
import { Picture, Pointing, cross } from "../shared/picture.js";
import { SlicePanel } from "../shared/slice_panel.js";
import { binarize, count, dice, outline, pixels } from "../../viewer/masks.js";
import { mount } from "../../viewer/panel.js";

const FLAIR = 1;
const WAYS = { hand: "You", threshold: "Threshold", region: "Grown from a click", network: "Network" };
const SHEETS = new Map(); // drawings by slice: they stay while the document is open, whichever page is on show
const MARK = [255, 176, 0, 105];
const KEYS = {
  region: "Click into the tumor; or move the cross with the arrow keys, with Shift by eight, and press Space.",
  hand: "Draw with mouse, pen or finger; or move the cross with the arrow keys and press Space to put the pen down and to lift it.",
};
export default (component) => mount(MarkingMethods, component);

class MarkingMethods extends SlicePanel {
  static figure = "marking-methods";

  constructor(parent) {
    super(parent);
    this.picture = new Picture(this.find(".frame"), ["network", "truth", "prediction", "cursor"]);
    this.pointing = new Pointing(this.picture, this.hand());
    this.state = { tool: "border", radius: 4, compare: false };
    this.listen();
  }

  take(meta, channels, maps) {
    const { rows, cols } = meta;
    if (this.meta?.slice !== meta.slice) { // another slice, and not the same with its analysis
      if (!SHEETS.has(meta.slice)) SHEETS.set(meta.slice, { sheet: new Sheet(rows, cols), compare: false });
      const { sheet, compare } = SHEETS.get(meta.slice);
      Object.assign(this.state, meta.start, { compare });
      this.sheet = sheet;
      this.pointing.at = null;
      this.down = false;
    }
    Object.assign(this, { meta, rows, cols, gray: channels[FLAIR] });
    this.probabilityMap = meta.hasProbabilityMap ? maps[0] : null;
    this.truth = meta.hasTruth ? maps[1] : null;
    this.empty = Boolean(this.truth && !this.truth.some(Boolean));
    this.best = this.truth && bestLevel(this.gray, this.truth);
    this.picture.set(rows, cols, channels, FLAIR, meta.window);
    this.show();
  }

  // A task is about the best of all levels, or about a region that grows from within the tumor.
  adopt({ way }) {
    const change = { way };
    if (way === "threshold" && this.best) change.level = this.best.level;
    if (way === "region") change.seed = this.state.seed ?? (this.truth && typical(this.gray, this.truth, this.rows, this.cols));
    super.adopt(change);
  }

  // --- from hand to state ---

  listen() {
    this.radios(".way input", (way) => this.set({ way }));
    this.radios(".tool input", (tool) => this.set({ tool }));
    this.bind(["level", "tolerance", "threshold", "radius"]);
    this.find("[name=compare]").onclick = () => {
      const compare = !this.state.compare;
      SHEETS.get(this.meta.slice).compare = compare;
      this.set({ compare });
      this.commit();
    };
    this.find("[name=best]").onclick = () => {
      this.set({ level: this.best.level });
      this.commit();
    };
    for (const name of ["undo", "redo", "clear"]) {
      this.find(`[name=${name}]`).onclick = () => {
        this.sheet[name](performance.now());
        this.set({});
        this.commit();
      };
    }
    this.all("input").forEach((input) => (input.onchange = () => this.commit()));
  }

  hand() {
    const drawing = () => this.state.way === "hand" && this.sheet;
    const draw = (from, to) => {
      const { tool, radius } = this.state;
      if (tool === "border") {
        this.border.push(to);
        this.sheet.draw(from, to, 0, 1, performance.now());
      } else this.sheet.draw(from, to, radius, tool === "brush" ? 1 : 0, performance.now());
      this.at = to;
      this.set({});
    };
    const begin = (cell) => {
      this.border = [];
      this.sheet.begin(performance.now());
      draw(cell, cell);
    };
    const end = () => {
      if (this.state.tool === "border" && this.border?.length > 2) this.sheet.fill(this.border, performance.now());
      this.border = [];
      this.set({});
      this.commit();
    };
    return {
      over: (cell) => this.cursor(cell),
      down: (cell) => {
        this.cursor(cell);
        if (this.state.way === "region") this.seed(cell);
        if (drawing()) begin(cell);
      },
      drag: (cell) => {
        this.cursor(cell);
        if (drawing()) draw(this.at, cell);
      },
      up: () => (drawing() ? end() : this.commit()),
      leave: () => this.cursor(null),
      // By key the brush stays down from one Space to the next.
      steer: (cell) => {
        this.cursor(cell);
        if (drawing() && this.down) draw(this.at, cell);
      },
      press: (cell) => {
        this.cursor(cell);
        if (this.state.way === "region") this.seed(cell);
        if (!drawing()) return;
        this.down = !this.down;
        if (this.down) begin(cell);
        else end();
        this.say(`Pen ${this.down ? "down" : "up"}.`);
      },
    };
  }

  seed(cell) {
    this.set({ seed: cell });
    this.commit();
  }

  cursor(cell) {
    const { way, radius } = this.state;
    if (way !== "hand" && way !== "region") cell = null;
    const arm = way === "hand" && this.state.tool !== "border" ? Math.max(3, radius + 3) : 6;
    this.picture.line("cursor", cell ? cross(cell, arm) : "");
  }

  // The hand rests: Python hears of what a link carries, never of what was drawn.
  view() {
    const { way, level, tolerance, threshold, seed } = this.state;
    return { way, level, tolerance, threshold, seed };
  }

  commit() {
    if (!this.meta) return;
    super.commit();
    this.show();
    this.say(`${WAYS[this.state.way]}: ${this.find("[data-number=marked]").textContent} marked, Dice ${this.find("[data-number=dice]").textContent}.`);
  }

  // --- from state to screen ---

  maskOf(way) {
    const { state, gray, rows, cols, probabilityMap, meta, sheet } = this;
    if (way === "threshold") return brighter(gray, state.level);
    if (way === "region") return state.seed ? grow(gray, rows, cols, state.seed, state.tolerance) : null;
    if (way === "network") return probabilityMap && binarize(probabilityMap, rows, cols, state.threshold, meta.minPixels);
    return sheet.past.length || pixels(sheet.mask) ? sheet.mask : null;
  }

  show() {
    if (!this.meta) return;
    const { state, picture, rows, cols, truth } = this;
    const { way } = state;
    const open = state.compare; // until it is asked for, the truth is nowhere on the screen
    const masks = Object.fromEntries(Object.keys(WAYS).map((each) => [each, this.maskOf(each)]));
    const mask = masks[way];
    picture.fill(mask, { 1: [MARK] });
    picture.line("prediction", mask ? outline(mask, rows, cols) : "");
    picture.line("truth", truth && open ? outline(truth, rows, cols) : "");
    const beside = way === "hand" && state.compare && masks.network;
    picture.line("network", beside ? outline(beside, rows, cols) : "");
    this.find("[data-key=truth]").hidden = !truth || !open;
    this.find("[data-key=network]").hidden = !beside;
    if (way !== "hand" && way !== "region") picture.line("cursor", "");
    this.setControls();
    this.tell(mask, open);
    this.rank(masks);
    picture.say(`FLAIR of ${this.meta.name}, marked by ${WAYS[way].toLowerCase()}.`);
    picture.stage.dataset.way = way;
  }

  setControls() {
    const { state, meta, sheet } = this;
    this.slide("level", `${state.level} of 255`);
    this.slide("tolerance", `${state.tolerance} of 255`);
    this.slide("threshold", state.threshold.toFixed(2) + (state.threshold === meta.threshold ? ", default" : ""));
    this.slide("radius", `${state.radius} px`);
    this.select(".way input", state.way);
    this.select(".tool input", state.tool);
    this.find(".radius").hidden = state.tool === "border";
    this.all(".of").forEach((box) => (box.hidden = !box.classList.contains(state.way)));
    this.find(".marking").classList.toggle("by-hand", state.way === "hand");
    const compare = this.find("[name=compare]");
    const mine = state.way === "hand" && (sheet.past.length || pixels(sheet.mask));
    compare.textContent = state.compare ? "Hide the truth" : mine ? "Score my mask" : "Show the truth and the scores";
    compare.setAttribute("aria-pressed", String(state.compare));
    this.find("[name=best]").disabled = !this.best;
    this.find("[name=threshold]").disabled = !this.probabilityMap;
    this.find("[name=undo]").disabled = !sheet.past.length;
    this.find("[name=redo]").disabled = !sheet.future.length;
    this.find("#marking-keys").textContent = KEYS[state.way] ?? "";
  }

  tell(mask, open) {
    const { truth, sheet, meta, state } = this;
    const counts = mask && truth && open && count(mask, truth);
    const score = counts && dice(counts);
    const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)}%` : "–");
    const numbers = {
      marked: mask ? `${pixels(mask).toLocaleString("en-US")} px` : "–",
      found: counts ? share(counts.tp, counts.tp + counts.fn) : "–",
      wrong: counts ? `${counts.fp.toLocaleString("en-US")} px` : "–",
      dice: typeof score === "number" ? score.toFixed(3) : counts ? "undefined" : "–",
    };
    this.write(numbers);
    const none = !truth ? " No true mask came with this slice, so nothing is scored."
      : this.empty && open ? " There is no tumor in this slice: every pixel that is marked is wrong, and no level can be the best one. Choose another patient to score a mask."
        : "";
    this.find("[data-say=what]").textContent = {
      threshold: "One limit for every pixel. Scalp and fat are bright too, and a rule that sees single pixels cannot tell them apart.",
      region: state.seed ? "The tumor, and every pixel connected to it that is about as bright."
        : "Click into the tumor: the pixels connected to it that are about as bright are marked.",
      network: this.probabilityMap ? "It learned from patients whose slices experts had marked. Nobody wrote a rule for it." : meta.message,
      hand: this.pace(sheet.seconds),
    }[state.way] + none;
  }

  // What the hand's own speed would mean for patients; figures come with the message.
  pace(seconds) {
    const { slices } = this.meta;
    const start = "Where would you draw the border? Only this browser sees your drawing.";
    if (seconds < 3 || !slices) return start;
    const minutes = Math.max(1, Math.round((seconds * slices.tumor) / slices.patients / 60));
    return `This slice took you ${Math.round(seconds)} s. The ${slices.patients} test patients have ${slices.tumor} slices with tumor: ` +
      `about ${minutes} min for each patient, and ${((seconds * slices.tumor) / 3600).toFixed(1)} hours for all.`;
  }

  rank(masks) {
    const { truth, state } = this;
    const rows = Object.entries(WAYS).map(([way, name]) => {
      const hidden = !state.compare;
      const score = truth && masks[way] && !hidden ? dice(count(masks[way], truth)) : null;
      const item = document.createElement("li");
      item.innerHTML = `<span></span><strong></strong><div class="bar" aria-hidden="true"><i></i></div>`;
      item.dataset.way = way;
      item.querySelector("span").textContent = name;
      item.querySelector("strong").textContent = score === null ? "–" : score.toFixed(3);
      item.style.setProperty("--score", `${100 * (score ?? 0)}%`);
      if (way === state.way) item.setAttribute("aria-current", "true");
      return item;
    });
    this.find(".scores ul").replaceChildren(...rows);
  }
}
