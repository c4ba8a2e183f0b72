// What the viewer shows: a slice as pixels, masks as color and lines, figures, and the controls' state.

class Screen {
  constructor(parent) {
    this.find = (selector) => parent.querySelector(selector);
    this.all = (selector) => [...parent.querySelectorAll(selector)];
  }

  draw(meta, state, slice) {
    Object.assign(this, { meta, state, entry: meta.slices[state.slice] });
    const { rows, cols, levels } = slice;
    const smallest = Math.ceil(meta.minPixels / this.entry.step ** 2);
    const mask = levels && cut(levels, rows, cols, state.threshold, smallest);
    this.drawImage(slice);
    this.drawMask(slice, mask);
    this.tell(slice, mask);
    this.setControls(slice);
    this.place();
    const stage = this.find(".stage");
    stage.dataset.slice = this.entry.name;
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
    const { entry } = this;
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
    const { meta, state, entry } = this;
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
    const { entry } = this;
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
