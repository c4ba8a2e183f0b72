// All slices of a stack at once, small, with their outlines. A click or Enter turns the viewer there.

import { binarize, outline, paint, smallestPart, unpack, windowTable } from "./masks.js";
import { readMessage } from "./message.js";
import { mount, Panel } from "./panel.js";
import { PlaneLoader } from "./planes.js";
import { VIEWER_SHOWN, VIEWER_TURN } from "./sync.js";

const TOGETHER = 48; // planes a request

export default (component) => mount(Gallery, component);

class Gallery extends Panel {
  constructor(parent) {
    super(parent);
    this.list = this.find(".gallery");
    this.planes = new PlaneLoader();
    this.list.onkeydown = (event) => this.key(event);
    this.shown = ({ detail }) => this.follow(detail);
    window.addEventListener(VIEWER_SHOWN, this.shown);
  }

  close() {
    super.close();
    window.removeEventListener(VIEWER_SHOWN, this.shown);
  }

  receive(data) {
    const { meta } = readMessage(data);
    const names = meta.slices.flatMap(({ image, maps }) => [image, maps]);
    this.planes.use(meta.store, names);
    if (this.meta?.version === meta.version) return;
    for (let i = 0; i < names.length; i += TOGETHER) this.planes.want(names.slice(i, i + TOGETHER));
    if (this.meta?.id !== meta.id) this.build(meta);
    this.meta = meta;
    this.slices = meta.slices.map(async ({ rows, cols, image, maps, hasProbabilityMap, hasTruth }) => {
      const [[gray], [probabilityMap, truth]] = await Promise.all([
        unpack(await this.planes.get(image), 1, rows, cols), unpack(await this.planes.get(maps), 2, rows, cols),
      ]);
      return { rows, cols, gray, probabilityMap: hasProbabilityMap ? probabilityMap : null, truth: hasTruth ? truth : null };
    });
    this.slices.forEach((slice, i) => slice.then((found) => this.paint(this.cells[i], found), () => {}));
    // The viewer answers with what it shows, and so which outlines to draw.
    window.dispatchEvent(new CustomEvent(VIEWER_TURN, { detail: { id: meta.id } }));
  }

  build({ id, slices, threshold }) {
    Object.assign(this, { threshold, current: -1 });
    this.cells = slices.map(({ short }, index) => {
      const item = document.createElement("li");
      item.innerHTML = `<button type="button" tabindex="-1"><span class="picture"><canvas></canvas>
        <svg aria-hidden="true"><path class="halo"></path><path class="line prediction"></path>
        <path class="line truth"></path></svg></span><span class="name"></span></button>`;
      const button = item.firstChild;
      button.querySelector(".name").textContent = short;
      button.setAttribute("aria-label", `Show slice ${short}, ${index + 1} of ${slices.length}, in the viewer`);
      button.onclick = () => {
        window.dispatchEvent(new CustomEvent(VIEWER_TURN, { detail: { id, slice: index } }));
      };
      return button;
    });
    this.cells[0].tabIndex = 0;
    this.list.replaceChildren(...this.cells.map((button) => button.parentElement));
  }

  paint(button, { rows, cols, gray }) {
    if (this.closed) return;
    const canvas = button.querySelector("canvas");
    Object.assign(canvas, { width: cols, height: rows });
    const context = canvas.getContext("2d");
    const image = context.createImageData(cols, rows);
    paint([gray], 0, windowTable(0, 100, this.meta.slices[this.cells.indexOf(button)].window), image.data);
    context.putImageData(image, 0, 0);
    button.querySelector("svg").setAttribute("viewBox", `0 0 ${cols} ${rows}`);
    this.outline(button);
  }

  async outline(button) {
    const index = this.cells.indexOf(button);
    const waited = this.slices[index];
    const slice = await waited?.catch(() => null); // what could not be fetched has no outline
    if (!slice || this.closed || this.cells[index] !== button || waited !== this.slices[index]) return;
    const { rows, cols, probabilityMap, truth } = slice;
    const smallest = smallestPart(this.meta.minPixels, rows, cols);
    const mask = probabilityMap && binarize(probabilityMap, rows, cols, this.threshold, smallest);
    const predicted = mask ? outline(mask, rows, cols) : "";
    const expected = truth ? outline(truth, rows, cols) : "";
    button.querySelector(".halo").setAttribute("d", predicted + expected);
    button.querySelector(".line.prediction").setAttribute("d", predicted);
    button.querySelector(".line.truth").setAttribute("d", expected);
    button.dataset.mask = mask ? "drawn" : "none";
  }

  follow({ id, slice, threshold }) {
    if (id !== this.meta?.id) return;
    if (slice !== this.current) this.mark(slice);
    if (threshold === this.threshold) return;
    this.threshold = threshold;
    this.redraw();
  }

  show() {
    this.cells.forEach((button) => this.outline(button));
  }

  mark(slice) {
    this.cells.forEach((button, index) => {
      const here = index === slice;
      if (here) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      button.tabIndex = here ? 0 : -1; // one stop for the tab key; arrows do the rest
    });
    this.current = slice;
    this.bringIn(this.cells[slice]);
  }

  // Within the gallery alone: the page stays where it is.
  bringIn(button) {
    const [cell, frame] = [button.parentElement, this.list];
    const top = cell.offsetTop - frame.offsetTop;
    if (top < frame.scrollTop) frame.scrollTop = top;
    const over = top + cell.offsetHeight - frame.clientHeight;
    if (over > frame.scrollTop) frame.scrollTop = over;
  }

  key(event) {
    const at = this.cells.indexOf(event.target.closest("button"));
    const tops = this.cells.map((button) => button.parentElement.offsetTop);
    const row = tops.filter((top) => top === tops[0]).length;
    const last = this.cells.length - 1;
    const to = {
      ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row, Home: 0, End: last,
    }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const button = this.cells[Math.max(0, Math.min(last, to))];
    this.cells.forEach((other) => (other.tabIndex = other === button ? 0 : -1));
    button.focus();
  }
}
