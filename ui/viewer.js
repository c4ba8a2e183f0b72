// The slice viewer. Whatever a hand drags is drawn here at once; Python hears of it on release.
// ui/viewer.py puts masks.js before this file: the browser gets the two as one module.

const TEMPLATE = `
<div class="viewer">
  <div class="left">
    <div class="frame" tabindex="0" role="group" aria-label="Slice viewer" aria-describedby="keys">
      <div class="stage" role="img">
        <canvas class="image"></canvas>
        <canvas class="mask"></canvas>
        <svg class="lines" aria-hidden="true">
          <path class="halo prediction"></path><path class="line prediction"></path>
          <path class="halo truth"></path><path class="line truth"></path>
          <path class="halo head"></path><path class="line head"></path>
        </svg>
      </div>
      <p class="caption"></p>
      <p class="message" hidden></p>
    </div>
    <p id="keys" class="unseen">Arrow keys, Page up and Page down change the slice. Plus, minus and 0
      zoom. Shift with arrow keys moves a zoomed slice.</p>
    <label class="row slice"><span>Slice</span>
      <input type="range" name="slice" min="0" step="1"><output></output></label>
    <dl class="numbers">
      <div><dt>Marked</dt><dd data-number="marked"></dd></div>
      <div><dt>Of the slice</dt><dd data-number="slice"></dd></div>
      <div><dt>Of the head</dt><dd data-number="head"></dd></div>
      <div><dt>Dice</dt><dd data-number="dice"></dd></div>
    </dl>
    <p class="unseen" role="status"></p>
  </div>
  <div class="controls">
    <fieldset><legend>Channel</legend><div class="choices channel">
      <label><input type="radio" value="1"><span>FLAIR</span></label>
      <label><input type="radio" value="0"><span>Pre-contrast</span></label>
      <label><input type="radio" value="2"><span>Post-contrast</span></label>
      <label><input type="radio" value="composite"><span>Composite</span></label>
    </div></fieldset>
    <fieldset><legend>Layers</legend><div class="layers">
      <label><input type="checkbox" name="prediction"><i class="swatch"></i>Prediction</label>
      <label><input type="checkbox" name="truth"><i class="swatch dashed"></i><span class="of-truth"></span></label>
      <label><input type="checkbox" name="head"><i class="swatch dotted"></i>Head</label>
    </div></fieldset>
    <fieldset><legend>Draw the prediction as</legend><div class="choices style">
      <label><input type="radio" value="fill"><span>Fill</span></label>
      <label><input type="radio" value="outline"><span>Outline</span></label>
    </div></fieldset>
    <label class="row"><span>Threshold</span>
      <input type="range" name="threshold" min="0" max="1" step="0.01"><output></output></label>
    <label class="row"><span>Opacity of the fill</span>
      <input type="range" name="opacity" min="0" max="100" step="1"><output></output></label>
    <label class="row"><span>Brightness</span>
      <input type="range" name="brightness" min="-100" max="100" step="1"><output></output></label>
    <label class="row"><span>Contrast</span>
      <input type="range" name="contrast" min="50" max="300" step="1"><output></output></label>
    <div class="buttons">
      <button type="button" name="out" aria-label="Zoom out">−</button>
      <button type="button" name="in" aria-label="Zoom in">+</button>
      <button type="button" name="reset">Reset view</button>
    </div>
  </div>
</div>`;

const START = { style: "fill", head: false, opacity: 45, brightness: 0, contrast: 100, zoom: 1, x: 0, y: 0 };
const SETTLE_MS = 350; // after the last turn of the wheel or key, the hand is taken to rest
const instances = new WeakMap();

export default function (component) {
  const { parentElement } = component;
  if (!instances.has(parentElement)) instances.set(parentElement, new Viewer(parentElement));
  const viewer = instances.get(parentElement);
  viewer.receive(component);
  return () => {
    viewer.close();
    instances.delete(parentElement);
  };
}

class Viewer {
  constructor(parent) {
    const root = document.createElement("div");
    root.innerHTML = TEMPLATE;
    parent.append(root);
    this.find = (selector) => root.querySelector(selector);
    this.all = (selector) => [...root.querySelectorAll(selector)];
    this.state = { ...START };
    this.unpacked = new Map();
    const group = Math.random().toString(36).slice(2); // radio groups of two viewers stay apart
    this.all(".choices").forEach((box, i) =>
      box.querySelectorAll("input").forEach((radio) => (radio.name = `${group}-${i}`)),
    );
    this.listen();
    this.resizing = new ResizeObserver(() => this.place());
    this.resizing.observe(this.find(".frame"));
  }

  receive({ data, setStateValue }) {
    this.send = setStateValue;
    const head = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
    const meta = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + head)));
    if (this.meta?.version === meta.version) return;
    if (this.meta?.id !== meta.id) Object.assign(this.state, meta.view, { zoom: 1, x: 0, y: 0 });
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
  }

  // --- from hand to state ---

  listen() {
    const state = this.state;
    for (const name of ["threshold", "opacity", "brightness", "contrast"]) {
      this.find(`[name=${name}]`).oninput = ({ target }) => this.set({ [name]: +target.value });
    }
    this.find("[name=slice]").oninput = ({ target }) => this.turnTo(+target.value);
    for (const name of ["prediction", "truth", "head"]) {
      this.find(`[name=${name}]`).oninput = ({ target }) => this.set({ [name]: target.checked });
    }
    this.all(".channel input").forEach((radio) => (radio.oninput = () => {
      this.set({ channel: radio.value === "composite" ? "composite" : +radio.value });
    }));
    this.all(".style input").forEach((radio) => (radio.oninput = () => this.set({ style: radio.value })));
    this.all("input").forEach((input) => (input.onchange = () => this.commit()));
    this.find("[name=in]").onclick = () => this.zoomBy(1.4);
    this.find("[name=out]").onclick = () => this.zoomBy(1 / 1.4);
    this.find("[name=reset]").onclick = () => {
      this.set({ ...START, threshold: this.meta.threshold });
      this.commit();
    };
    const frame = this.find(".frame");
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.onkeydown = (event) => this.key(event);
    frame.ondblclick = () => this.zoomBy(state.zoom > 1 ? 0 : 2);
    frame.onpointerdown = (event) => {
      if (state.zoom > 1) frame.setPointerCapture(event.pointerId);
    };
    frame.onpointermove = (event) => {
      if (frame.hasPointerCapture(event.pointerId)) this.pan(event.movementX, event.movementY);
    };
  }

  wheel(event) {
    const step = Math.sign(event.deltaY);
    if (event.ctrlKey) {
      event.preventDefault();
      this.zoomBy(step > 0 ? 1 / 1.1 : 1.1);
      return;
    }
    const target = this.state.slice + step;
    if (target < 0 || target >= this.meta.slices.length) return; // at the ends the page scrolls on
    event.preventDefault();
    this.turnTo(target);
    this.settle();
  }

  key(event) {
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const last = this.meta.slices.length - 1;
    const turns = {
      ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1,
      PageUp: -5, PageDown: 5, Home: -last, End: last,
    };
    if (event.shiftKey && event.key in arrows) this.pan(...arrows[event.key].map((d) => d * 40));
    else if (event.key in turns) this.turnTo(this.state.slice + turns[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoomBy(1.4);
    else if (event.key === "-") this.zoomBy(1 / 1.4);
    else if (event.key === "0") this.zoomBy(0);
    else return;
    event.preventDefault();
    this.settle();
  }

  turnTo(slice) {
    this.set({ slice: Math.max(0, Math.min(this.meta.slices.length - 1, slice)) });
  }

  zoomBy(factor) {
    const zoom = Math.max(1, Math.min(12, factor ? this.state.zoom * factor : 1));
    const ratio = zoom / this.state.zoom;
    Object.assign(this.state, { zoom, x: this.state.x * ratio, y: this.state.y * ratio });
    this.place();
  }

  pan(dx, dy) {
    this.state.x += dx;
    this.state.y += dy;
    this.place();
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

  // The hand is at rest: Python hears of what a link can carry, a screen reader of the numbers.
  commit() {
    clearTimeout(this.settling);
    if (this.closed) return;
    const { slice, threshold, channel, prediction, truth } = this.state;
    const view = { slice, threshold, channel, prediction, truth };
    if (JSON.stringify(view) !== this.sent) this.send("view", view);
    this.sent = JSON.stringify(view);
    this.find("[role=status]").textContent = `${this.find(".caption").textContent}. ${this.summary}`;
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
        entry.maps ? unpack(this.part(entry.maps), 3, rows, cols) : [null, null, null],
      ]).then(([channels, [levels, truth, head]]) => ({
        rows, cols, channels,
        levels: entry.hasLevels ? levels : null,
        truth: entry.hasTruth ? truth : null,
        head: entry.hasHead ? head : null,
      })));
    }
    return this.unpacked.get(index);
  }

  async show() {
    const { meta, state } = this;
    const slice = await this.load(state.slice);
    if (this.closed || meta !== this.meta || slice !== (await this.load(state.slice))) return;
    [1, -1, 2].forEach((step) => this.load(state.slice + step));
    const { step } = meta.slices[state.slice];
    const smallest = Math.ceil(meta.minPixels / step ** 2);
    const mask = slice.levels && cut(slice.levels, slice.rows, slice.cols, state.threshold, smallest);
    this.drawImage(slice);
    this.drawMask(slice, mask);
    this.tell(slice, mask);
    this.setControls(slice);
    this.place();
    const stage = this.find(".stage");
    stage.dataset.slice = meta.slices[state.slice].name;
    stage.dataset.mask = mask ? "drawn" : "none";
  }

  drawImage({ rows, cols, channels }) {
    const canvas = this.find(".image");
    const context = canvas.getContext("2d");
    if (canvas.width !== cols || canvas.height !== rows) Object.assign(canvas, { width: cols, height: rows });
    const image = context.createImageData(cols, rows);
    const { channel, brightness, contrast } = this.state;
    paint(channels, channel, windowTable(brightness, contrast), image.data);
    context.putImageData(image, 0, 0);
  }

  drawMask({ rows, cols, truth, head }, mask) {
    const { state } = this;
    const canvas = this.find(".mask");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    Object.assign(canvas, { width: cols, height: rows });
    if (mask && state.prediction && state.style === "fill") {
      const image = context.createImageData(cols, rows);
      const [red, green, blue] = [255, 176, 0]; // --prediction in viewer.css
      for (let i = 0; i < mask.length; i++) if (mask[i]) image.data.set([red, green, blue, 255], 4 * i);
      context.putImageData(image, 0, 0);
    }
    canvas.style.opacity = state.opacity / 100;
    this.find(".lines").setAttribute("viewBox", `0 0 ${cols} ${rows}`);
    for (const [layer, marked] of Object.entries({ prediction: mask, truth, head })) {
      const path = marked && state[layer] ? outline(marked, rows, cols) : "";
      this.all(`path.${layer}`).forEach((line) => line.setAttribute("d", path));
    }
  }

  tell(slice, mask) {
    const size = slice.rows * slice.cols;
    const marked = mask && pixels(mask);
    const head = mask && slice.head && pixels(slice.head);
    const score = mask && slice.truth && dice(count(mask, slice.truth));
    const entry = this.meta.slices[this.state.slice];
    const about = entry.step > 1 ? "≈ " : "";
    const numbers = {
      marked: mask ? `${about}${(marked * entry.step ** 2).toLocaleString("en-US")} px` : "–",
      slice: mask ? percent(marked / size) : "–",
      head: head ? percent(pixels(mask, slice.head) / head) : "–",
      dice: typeof score === "number" ? score.toFixed(3) : slice.truth && mask ? "undefined" : "–",
    };
    for (const [name, text] of Object.entries(numbers)) {
      this.find(`[data-number=${name}]`).textContent = text;
    }
    this.summary = mask ? `${numbers.marked} marked, ${numbers.slice} of the slice.` : entry.message;
    this.find(".caption").textContent = entry.label;
    const message = this.find(".message");
    message.hidden = Boolean(mask);
    message.textContent = entry.message;
    this.find(".stage").setAttribute("aria-label", `${entry.label}. ${this.summary}`);
  }

  setControls({ truth, levels, head }) {
    const { meta, state } = this;
    const entry = meta.slices[state.slice];
    const put = (name, value, text) => {
      const input = this.find(`[name=${name}]`);
      if (+input.value !== value) input.value = value;
      input.setAttribute("aria-valuetext", text);
      input.parentElement.querySelector("output").textContent = text;
    };
    this.find("[name=slice]").max = meta.slices.length - 1;
    this.find(".slice").hidden = meta.slices.length < 2;
    put("slice", state.slice, `${entry.short} · ${state.slice + 1} of ${meta.slices.length}`);
    const stored = state.threshold === meta.threshold;
    put("threshold", state.threshold, state.threshold.toFixed(2) + (stored ? ", stored" : ""));
    put("opacity", state.opacity, `${state.opacity} %`);
    put("brightness", state.brightness, `${state.brightness > 0 ? "+" : ""}${state.brightness} %`);
    put("contrast", state.contrast, `${state.contrast} %`);
    this.find("[name=threshold]").disabled = !levels;
    this.find("[name=opacity]").disabled = !levels || state.style === "outline";
    this.find(".of-truth").textContent = entry.truthLabel;
    this.check("prediction", levels);
    this.check("truth", truth);
    this.check("head", head);
    this.all(".channel input").forEach((radio) => (radio.checked = radio.value === String(state.channel)));
    this.all(".style input").forEach((radio) => (radio.checked = radio.value === state.style));
  }

  check(name, there) {
    const box = this.find(`[name=${name}]`);
    box.checked = Boolean(there && this.state[name]);
    box.disabled = !there;
  }

  // Fit the slice into the frame, then zoom and pan; the box itself changes size, so lines stay thin.
  place() {
    const entry = this.meta?.slices[this.state.slice];
    const frame = this.find(".frame");
    if (!entry || !frame.clientWidth) return;
    const { zoom } = this.state;
    const scale = zoom * Math.min(frame.clientWidth / entry.cols, frame.clientHeight / entry.rows);
    const [width, height] = [entry.cols * scale, entry.rows * scale];
    const keep = (offset, room) => Math.max(-room, Math.min(room, offset));
    this.state.x = keep(this.state.x, Math.max(0, (width - frame.clientWidth) / 2));
    this.state.y = keep(this.state.y, Math.max(0, (height - frame.clientHeight) / 2));
    Object.assign(this.find(".stage").style, {
      width: `${width}px`,
      height: `${height}px`,
      left: `${(frame.clientWidth - width) / 2 + this.state.x}px`,
      top: `${(frame.clientHeight - height) / 2 + this.state.y}px`,
    });
    frame.classList.toggle("zoomed", zoom > 1);
  }
}

function percent(share) {
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
}
