// The slice viewer. Whatever a hand drags is drawn here at once; Python hears of it on release.
// ui/viewer/viewer.py puts mount.js, masks.js, copy.js, hand.js, turning.js and screen.js before this file: the
// browser gets them as one module.

const START = {
  style: "fill", wipe: "", probability: false, head: false, gradcam: false, opacity: 45, brightness: 0, contrast: 100,
  zoom: 1, x: 0, y: 0, at: null, // the divider: null is over the middle of what is marked
};
const SETTLE_MS = 350; // after the last turn of the wheel or key, the hand is taken to rest

export default (component) => mount(Viewer, component);

class Viewer {
  constructor(parent) {
    this.screen = new Screen(parent);
    this.find = this.screen.find;
    this.all = this.screen.all;
    this.state = { ...START };
    this.unpacked = new Map();
    const group = Math.random().toString(36).slice(2); // radio groups of two viewers stay apart
    this.all(".choices").forEach((box, i) =>
      box.querySelectorAll("input").forEach((radio) => (radio.name = `${group}-${i}`)),
    );
    this.listen();
    new Hand(this.find(".frame"), this);
    this.resizing = new ResizeObserver(() => this.screen.place());
    this.resizing.observe(this.find(".frame"));
    this.turning = new Turning(this);
  }

  receive(data, send) {
    this.send = send;
    const head = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
    const meta = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + head)));
    if (this.meta?.version === meta.version) return;
    if (this.meta?.id !== meta.id) Object.assign(this.state, START, meta.view);
    // Alone on the screen, the picture has the keys that turn and zoom.
    if (meta.bare && !this.meta) this.find(".frame").focus({ preventScroll: true });
    this.meta = meta;
    this.planes = data.slice(4 + head); // a copy: the buffer belongs to Streamlit
    this.unpacked.clear();
    this.state.slice = Math.min(this.state.slice, meta.slices.length - 1);
    this.show();
  }

  close() {
    this.closed = true;
    clearTimeout(this.settling);
    this.resizing.disconnect();
    this.turning.close();
  }

  // --- from hand to state ---

  listen() {
    for (const name of ["threshold", "opacity", "brightness", "contrast"]) {
      this.find(`[name=${name}]`).oninput = ({ target }) => this.set({ [name]: +target.value });
    }
    this.find("[name=slice]").oninput = ({ target }) => this.turnTo(+target.value);
    for (const name of ["prediction", "truth", "probability", "head", "gradcam"]) {
      this.find(`[name=${name}]`).oninput = ({ target }) => this.set({ [name]: target.checked });
    }
    this.all(".channel input").forEach((radio) => (radio.oninput = () => {
      this.set({ channel: radio.value === "composite" ? "composite" : +radio.value });
    }));
    this.all(".style input").forEach((radio) => (radio.oninput = () => this.set({ style: radio.value })));
    this.find("[name=wipe]").oninput = ({ target }) => this.set({ wipe: target.value, at: null });
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
    this.set({ slice: Math.max(0, Math.min(this.meta.slices.length - 1, slice)) });
  }

  // Zoom about a point, in pixels from the frame's middle; factor 0 shows the whole slice again.
  zoomBy(factor, x = 0, y = 0) {
    const { state } = this;
    const zoom = Math.max(1, Math.min(12, factor ? state.zoom * factor : 1));
    const ratio = zoom / state.zoom;
    Object.assign(state, { zoom, x: x + (state.x - x) * ratio, y: y + (state.y - y) * ratio });
    this.screen.place();
  }

  pan(dx, dy) {
    this.state.x += dx;
    this.state.y += dy;
    this.screen.place();
  }

  divideAt(share) {
    this.state.at = Math.max(0, Math.min(1, share));
    this.screen.place();
  }

  set(change) {
    Object.assign(this.state, change);
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.show();
    });
  }

  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.commit(), SETTLE_MS);
  }

  // The hand is at rest: Python hears of what a link can carry, a screen reader of slice and layers.
  commit() {
    clearTimeout(this.settling);
    if (this.closed) return;
    const view = Object.fromEntries(Object.keys(this.meta.view).map((key) => [key, this.state[key]]));
    if (JSON.stringify(view) !== this.sent) this.send("view", view);
    this.sent = JSON.stringify(view);
    this.say(`${this.find(".caption").textContent}. ${this.screen.summary}`);
  }

  say(words) {
    this.find("[role=status]").textContent = words;
  }

  link() {
    const { link, slices } = this.meta;
    const address = new URL(link.page, document.baseURI);
    address.search = new URLSearchParams(linkQuery(link, this.state, slices[this.state.slice].number));
    return address.href;
  }

  // --- from state to screen ---

  part([offset, length]) {
    return this.planes.subarray(offset, offset + length);
  }

  // Slices are unpacked when they are first looked at; two more wait on either side.
  load(index) {
    const entry = this.meta.slices[index];
    if (!entry) return null;
    if (!this.unpacked.has(index)) {
      const { rows, cols } = entry;
      this.unpacked.set(index, Promise.all([
        unpack(this.part(entry.image), 3, rows, cols),
        entry.maps ? unpack(this.part(entry.maps), entry.hasHeat ? 4 : 3, rows, cols) : [],
      ]).then(([channels, [levels, truth, head, heat]]) => ({
        rows, cols, channels,
        levels: entry.hasLevels ? levels : null,
        truth: entry.hasTruth ? truth : null,
        head: entry.hasHead ? head : null,
        heat: entry.hasHeat ? heat : null,
      })));
    }
    return this.unpacked.get(index);
  }

  async show() {
    const { meta, state } = this;
    const slice = await this.load(state.slice);
    if (this.closed || meta !== this.meta || slice !== (await this.load(state.slice))) return;
    [1, -1, 2, -2].forEach((step) => this.load(state.slice + step));
    this.screen.draw(meta, state, slice);
    this.turning.announce();
  }
}
