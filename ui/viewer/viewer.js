// The slice viewer. Whatever a hand drags is drawn here at once; Python hears of it on release.

import { copyText } from "./copy.js";
import { PointerInput } from "./input.js";
import { linkQuery, unpack } from "./masks.js";
import { readMessage } from "./message.js";
import { mount, Panel } from "./panel.js";
import { PlaneViews } from "./three_planes/plane_views.js";
import { PlaneLoader } from "./planes.js";
import { SliceRenderer } from "./render.js";
import { ViewerEvents } from "./sync.js";

const START = {
  style: "fill", wipe: "", probability: false, head: false, gradcam: false, opacity: 60, brightness: 0, contrast: 100,
  zoom: 1, x: 0, y: 0, // shares of the frame's width and height
  at: null, divider: null, // where the divider is, and where it was put: null is over the middle of what is marked
  planes: 0, row: null, col: null, // 1 shows three planes, which meet in this pixel: null is the middle of what is marked
};
const UNPACKED = 24; // slices: of a long stack, those looked at last
const TOGETHER = 16; // slices a request
const UNREACHED = "This slice could not be fetched from the server. Select it again, or reload the page.";
const BESIDE = 640; // pixels of the viewer's width; the same as in viewer.css
const SETTLE_MS = 150; // after the last turn of the wheel or key, the hand is taken to rest

export default (component) => mount(Viewer, component);

class Viewer extends Panel {
  constructor(parent) {
    super(parent);
    this.screen = new SliceRenderer(parent);
    this.views = new PlaneViews(this, this.screen);
    this.state = { ...START };
    this.planes = new PlaneLoader();
    this.unpacked = new Map(); // slices by index, those looked at last at the end
    this.listen();
    new PointerInput(this.find(".frame"), this);
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.find(".frame"));
    this.resizing.observe(this.find(".viewer"));
    this.events = new ViewerEvents(this);
  }

  receive(data, send) {
    this.send = send;
    const { meta } = readMessage(data);
    // Another session of the same visitor has another store of the same planes.
    this.find(".frame").ariaBusy = String(meta.pending);
    this.planes.use(meta.store, meta.slices.flatMap(({ image, maps }) => [image, maps]));
    if (this.meta?.version === meta.version) return;
    if (this.meta?.id !== meta.id) {
      Object.assign(this.state, START, stateOf(meta.view));
      this.touched = false;
    } else if (!this.touched && meta.view.slice !== this.meta.view.slice) {
      this.state.slice = meta.view.slice; // results have come; who has turned slices stays where they are
    }
    // Alone on the screen, the picture has the keys that turn and zoom.
    if (meta.bare && !this.meta) this.find(".frame").focus({ preventScroll: true });
    this.meta = meta;
    this.unpacked.clear();
    this.state.slice = Math.min(this.state.slice, meta.slices.length - 1);
    this.show();
  }

  close() {
    super.close();
    clearTimeout(this.settling);
    this.resizing.disconnect();
    this.events.close();
  }

  // --- from hand to state ---

  listen() {
    this.bind(["threshold", "opacity", "brightness", "contrast"]);
    this.bind(["prediction", "truth", "probability", "head", "gradcam"], ({ checked }) => checked);
    this.find("[name=slice]").oninput = ({ target }) => this.turnTo(+target.value);
    this.radios(".channel input", (channel) => {
      this.set({ channel: channel === "composite" ? channel : +channel });
    });
    this.radios(".style input", (style) => this.set({ style }));
    this.radios(".three-planes input", (planes) => this.set({ planes: +planes }));
    this.find("[name=wipe]").oninput = ({ target }) => this.set({ wipe: target.value, at: null, divider: null });
    this.all("input, select").forEach((input) => (input.onchange = () => this.commit()));
    this.find("[name=in]").onclick = () => this.zoomBy(1.4);
    this.find("[name=out]").onclick = () => this.zoomBy(1 / 1.4);
    this.find("[name=reset]").onclick = () => {
      this.set({ ...START, threshold: this.meta.threshold });
      this.settle();
    };
    this.find("[name=copy]").onclick = async ({ target }) => {
      this.say(`${await copyText(this.link(), this.find("[name=link]"), target)}.`);
    };
  }

  turnTo(slice) {
    this.touched = true;
    this.views.hold();
    this.set({ slice: Math.max(0, Math.min(this.meta.slices.length - 1, slice)) });
  }

  // Zoom about a point, in pixels from the frame's middle; factor 0 shows the whole slice again.
  zoomBy(factor, x = 0, y = 0) {
    const { state } = this;
    const zoom = Math.max(1, Math.min(12, factor ? state.zoom * factor : 1));
    const ratio = zoom / state.zoom;
    const [right, down] = this.shares(x, y);
    Object.assign(state, { zoom, x: right + (state.x - right) * ratio, y: down + (state.y - down) * ratio });
    this.screen.place();
    this.settle();
  }

  // Pixels of the screen as shares of the frame.
  shares(x, y) {
    const { clientWidth, clientHeight } = this.find(".frame");
    return [x / Math.max(1, clientWidth), y / Math.max(1, clientHeight)];
  }

  pan(dx, dy) {
    const [right, down] = this.shares(dx, dy);
    this.state.x += right;
    this.state.y += down;
    this.screen.place();
  }

  // Window and level by drag: sideways is contrast, up and down is brightness.
  adjust(dx, dy) {
    const { contrast, brightness } = this.state;
    this.set({
      contrast: Math.round(Math.max(50, Math.min(300, contrast + dx / 2))),
      brightness: Math.round(Math.max(-100, Math.min(100, brightness - dy / 4))),
    });
  }

  // Controls stand beside the picture where there is room, the last of them below it, so that neither
  // column ends far above the other; else all are folded away below the picture.
  resize() {
    const wide = this.find(".viewer").clientWidth >= BESIDE;
    if (wide !== this.wide) {
      this.find(".controls").open = this.wide = wide;
      this.find(wide ? ".left" : ".settings").append(this.find(".more"));
    }
    this.screen.place();
    this.views.placeStages();
  }

  divideAt(share) {
    this.state.at = Math.max(0, Math.min(1, share));
    this.state.divider = Math.round(100 * this.state.at);
    this.screen.place();
  }

  // A pressed button or finger: what came before is reported with what the hand does now.
  hold() {
    clearTimeout(this.settling);
  }

  settle() {
    this.hold();
    this.settling = setTimeout(() => this.commit(), SETTLE_MS);
  }

  // The hand is at rest: Python hears of what a link can carry, a screen reader of slice and layers.
  commit() {
    this.hold();
    if (this.closed) return;
    this.touched = true; // what Python hears of names the slice, too
    super.commit();
    this.say(`${this.find(".caption").textContent}. ${this.screen.summary}`);
  }

  view() {
    const now = viewOf(this.state);
    return Object.fromEntries(Object.keys(this.meta.view).map((key) => [key, now[key]]));
  }

  link() {
    const { link, slices } = this.meta;
    const address = new URL(link.page, document.baseURI);
    address.search = new URLSearchParams(linkQuery(link, viewOf(this.state), slices[this.state.slice].number));
    return address.href;
  }

  // --- from state to screen ---

  // Slices are unpacked when they are first looked at; two more wait on either side.
  load(index) {
    const entry = this.meta.slices[index];
    if (!entry) return null;
    const slice = this.unpacked.get(index) ?? this.unpack(entry);
    this.unpacked.delete(index);
    this.unpacked.set(index, slice);
    const most = this.views.volume ? this.meta.slices.length : UNPACKED; // other planes need all of them
    while (this.unpacked.size > most) this.unpacked.delete(this.unpacked.keys().next().value);
    return slice;
  }

  // Fetch slices, a few with each request.
  want(indices) {
    for (let i = 0; i < indices.length; i += TOGETHER) {
      this.planes.want(indices.slice(i, i + TOGETHER).flatMap((index) => this.namesOf(index)));
    }
  }

  namesOf(index) {
    const { image, maps } = this.meta.slices[index];
    return [image, maps];
  }

  unpack({ rows, cols, image, maps, hasProbabilityMap, hasTruth, hasHead, hasHeat }) {
    this.planes.want([image, maps]);
    const unpacked = async (name, planes) => (name ? unpack(await this.planes.get(name), planes, rows, cols) : []);
    const slice = Promise.all([unpacked(image, 3), unpacked(maps, hasHeat ? 4 : 3)])
      .then(([channels, [probabilityMap, truth, head, heat]]) => (slice.slice = {
        rows, cols, channels,
        probabilityMap: hasProbabilityMap ? probabilityMap : null,
        truth: hasTruth ? truth : null,
        head: hasHead ? head : null,
        heat: hasHeat ? heat : null,
      }));
    return slice; // which has the slice itself, once it is there
  }

  async show() {
    const { meta, state } = this;
    const index = state.slice;
    try {
      const slice = await this.load(index);
      if (this.closed || meta !== this.meta || index !== state.slice) return;
      [1, -1, 2, -2].forEach((step) => this.load(index + step)?.catch(() => {}));
      this.screen.draw(meta, state, slice, this.views.volume);
      this.views.draw(slice);
      this.events.announce();
      this.fetchOthers();
    } catch {
      this.unpacked.delete(index); // the next look asks again
      if (this.closed || meta !== this.meta || index !== state.slice) return;
      Object.assign(this.find(".message"), { hidden: false, textContent: UNREACHED });
    }
  }

  // Those near the slice on show first, so that turning waits for nobody.
  async fetchOthers() {
    const { meta, state } = this;
    if (this.fetching === meta) return;
    this.fetching = meta;
    const near = [...meta.slices.keys()].sort((a, b) => Math.abs(a - state.slice) - Math.abs(b - state.slice));
    for (let i = 0; i < near.length; i += TOGETHER) {
      const names = near.slice(i, i + TOGETHER).flatMap((index) => this.namesOf(index));
      this.planes.want(names);
      try {
        await Promise.all(names.filter(Boolean).map((name) => this.planes.get(name)));
      } catch {
        return; // said when such a slice is looked at
      }
      if (this.closed || this.meta !== meta) return;
    }
  }
}

// A view as Python and links have it, in whole percent, and the viewer's own state.
function stateOf(view) {
  const { zoom = 100, x = 0, y = 0, divider = null } = view;
  return { ...view, zoom: zoom / 100, x: x / 100, y: y / 100, divider, at: divider === null ? null : divider / 100 };
}

function viewOf(state) {
  const percent = (share) => Math.round(100 * share) + 0; // no -0
  return { ...state, zoom: percent(state.zoom), x: percent(state.x), y: percent(state.y) };
}
