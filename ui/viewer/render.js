// What the viewer shows: a slice as pixels, masks as color and lines, figures, and the controls' state.

import {
  binarize, count, dice, heatColor, mapColor, outline, paint, paintMap, pixels, sides, smallestPart, tint, windowTable,
} from "./masks.js";

const CHANNEL_NAMES = { flair: "FLAIR", pre: "Pre-contrast", post: "Post-contrast", composite: "Composite" };
const LAYER_NAMES = { prediction: "prediction", truth: "truth", probability: "probability map", head: "head", gradcam: "Grad-CAM" };

const PREDICTION = [255, 176, 0]; // --prediction in viewer.css
const BARS = [1, 2, 5, 10, 20, 50, 100, 200]; // millimeters that a scale bar may show
const BAR_SHARE = 0.25; // of the frame's width, at most

export class SliceRenderer {
  constructor(parent) {
    this.find = (selector) => parent.querySelector(selector);
    this.all = (selector) => [...parent.querySelectorAll(selector)];
    for (const [legend, color] of [[".of-map", mapColor], [".of-heat", heatColor]]) {
      const ramp = this.find(`${legend} canvas`).getContext("2d");
      for (let level = 0; level < 256; level++) {
        ramp.fillStyle = `rgb(${color(level).slice(0, 3)})`;
        ramp.fillRect(level, 0, 1, 1);
      }
    }
  }

  draw(meta, state, slice, volume) {
    Object.assign(this, { meta, state, entry: meta.slices[state.slice] });
    const mask = this.maskOf(slice);
    const [left, right] = sides(volume ? { ...state, wipe: "" } : state, meta.link.channels);
    this.shown = left;
    this.drawSide(this.find(".side"), slice, mask, left);
    const other = this.otherSide(right);
    if (right) this.drawSide(other, slice, mask, right);
    this.tell(slice, mask, left, right);
    this.setControls(slice, volume);
    this.orient();
    this.drawAreas();
    if (right && state.at === null) this.divideMarks(slice, mask);
    this.place();
    const stage = this.find(".stage");
    stage.dataset.slice = this.entry.name;
    stage.dataset.mask = mask ? "drawn" : "none";
  }

  // A slice's mask at the threshold that is set, cut once.
  maskOf(slice) {
    const { probabilityMap, rows, cols } = slice;
    const { threshold } = this.state;
    if (probabilityMap && slice.maskThreshold !== threshold) {
      slice.mask = binarize(probabilityMap, rows, cols, threshold, smallestPart(this.meta.minPixels, rows, cols));
      slice.maskThreshold = threshold;
    }
    return probabilityMap && slice.mask;
  }

  // The right side is a copy of the left one's elements, there only while something is compared.
  otherSide(wanted) {
    let other = this.find(".side.other");
    if (wanted && !other) {
      other = this.find(".side").cloneNode(true);
      other.classList.add("other");
      other.ariaHidden = "true";
      other.querySelector(".stage").removeAttribute("role");
      other.querySelector(".stage").removeAttribute("aria-label");
      this.find(".side").after(other);
    }
    if (!wanted) other?.remove();
    return other;
  }

  drawSide(side, { rows, cols, channels, probabilityMap, truth, head, heat }, mask, shown) {
    const { state } = this;
    const onto = (selector, paints) => {
      const canvas = side.querySelector(selector);
      if (canvas.width !== cols || canvas.height !== rows) Object.assign(canvas, { width: cols, height: rows });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      if (!paints) return context.clearRect(0, 0, cols, rows);
      const image = context.createImageData(cols, rows);
      paints(image.data);
      return context.putImageData(image, 0, 0);
    };
    const tables = this.entry.window.map((each) => windowTable(state.brightness, state.contrast, each));
    let shownPixels;
    onto(".image", (data) => {
      paint(channels, shown.channel, tables, data);
      shownPixels = data;
    });
    onto(".map", probabilityMap && shown.probability && ((data) => paintMap(probabilityMap, data, mapColor)));
    onto(".heat", heat && shown.gradcam && ((data) => paintMap(heat, data, heatColor)));
    // Over the map's colors a fill would hide what the map says: there the border alone is drawn.
    const colored = shown.probability || shown.gradcam;
    const fill = mask && shown.prediction && state.style === "fill" && !colored;
    onto(".mask", fill && ((data) => tint(mask, PREDICTION, shownPixels, data)));
    side.querySelector(".mask").style.opacity = state.opacity / 100;
    side.querySelector(".map").style.opacity = Math.sqrt(state.opacity / 100); // nearer to its legend
    side.querySelector(".heat").style.opacity = Math.sqrt(state.opacity / 100);
    side.querySelector(".lines").setAttribute("viewBox", `0 0 ${cols} ${rows}`);
    for (const [layer, marked] of Object.entries({ prediction: mask, truth, head })) {
      const path = marked && shown[layer] ? outline(marked, rows, cols) : "";
      side.querySelectorAll(`path.${layer}`).forEach((line) => line.setAttribute("d", path));
    }
  }

  tell(slice, mask, left, right) {
    const size = slice.rows * slice.cols;
    const marked = mask && pixels(mask);
    const head = mask && slice.head && pixels(slice.head);
    const score = mask && slice.truth && dice(count(mask, slice.truth));
    const { entry, state, meta } = this;
    const about = entry.step > 1 ? "≈ " : "";
    const numbers = {
      marked: mask ? `${about}${areaOf(marked, entry)}` : "–",
      slice: mask ? percent(marked / size) : "–",
      head: head ? percent(pixels(mask, slice.head) / head) : "–",
      dice: typeof score === "number" ? score.toFixed(3) : slice.truth && mask ? "undefined" : "–",
    };
    for (const [name, text] of Object.entries(numbers)) {
      this.find(`[data-number=${name}]`).textContent = text;
    }
    const figures = mask ? `${numbers.marked} marked, ${numbers.slice} of the slice.` : entry.message;
    this.find(".caption").textContent = entry.label;
    const message = this.find(".message");
    message.hidden = Boolean(mask);
    message.textContent = entry.message;
    const [here, there] = [left, right].map((side) => side && this.name(side, slice));
    const names = there ? `Left of the divider: ${here}. Right of it: ${there}.` : `${here}.`;
    this.find(".stage").setAttribute("aria-label", `${entry.label}. ${names} ${figures}`);
    const place = meta.slices.length > 1 ? `Slice ${state.slice + 1} of ${meta.slices.length}. ` : "";
    this.summary = `${place}${names} ${figures}`;
    this.find(".tags").hidden = !there;
    this.all(".tags span").forEach((tag, i) => (tag.textContent = [here, there][i] ?? ""));
    this.find(".divider").hidden = !there;
    this.between = there && `left ${here}, right ${there}`;
    const hot = left.gradcam || right?.gradcam;
    this.find(".of-heat").hidden = !(hot && slice.heat);
    if (mask && hot && !slice.heat) {
      message.hidden = false;
      message.textContent = "Grad-CAM of this slice follows.";
    }
    this.find(".of-map").hidden = !((left.probability || right?.probability) && slice.probabilityMap);
  }

  // What is drawn on a side, in words: "FLAIR with prediction and truth".
  name(side, slice) {
    const { channels } = this.meta.link;
    const channel = CHANNEL_NAMES[Object.keys(channels).find((word) => channels[word] === side.channel)];
    const there = { prediction: slice.probabilityMap, probability: slice.probabilityMap, truth: slice.truth, head: slice.head, gradcam: slice.heat };
    const layers = Object.keys(LAYER_NAMES).filter((layer) => side[layer] && there[layer]);
    const words = layers.map((layer) => LAYER_NAMES[layer]);
    const last = words.pop();
    return last ? `${channel} with ${words.length ? `${words.join(", ")} and ` : ""}${last}` : channel;
  }

  setControls({ truth, probabilityMap, head }, volume) {
    const { meta, state, entry } = this;
    const put = (name, value, text) => {
      const input = this.find(`[name=${name}]`);
      if (+input.value !== value) input.value = value;
      input.setAttribute("aria-valuetext", text);
      input.parentElement.querySelector("output").textContent = text;
    };
    this.find("[name=slice]").max = meta.slices.length - 1;
    this.find(".slice").hidden = meta.slices.length < 2;
    put("slice", state.slice, this.placeOf(state.slice));
    const stored = state.threshold === meta.threshold;
    put("threshold", state.threshold, state.threshold.toFixed(2) + (stored ? ", default" : ""));
    this.find(".ramp i").style.left = `${100 * state.threshold}%`;
    put("opacity", state.opacity, `${state.opacity}%`);
    put("brightness", state.brightness, `${state.brightness > 0 ? "+" : ""}${state.brightness}%`);
    put("contrast", state.contrast, `${state.contrast}%`);
    this.find("[name=threshold]").disabled = !probabilityMap;
    this.find("[name=opacity]").disabled = !probabilityMap || (state.style === "outline" && !state.probability && !state.gradcam);
    this.find(".of-truth").textContent = entry.truthLabel;
    this.check("prediction", probabilityMap);
    this.check("truth", truth);
    this.check("probability", probabilityMap);
    this.check("head", head);
    this.check("gradcam", probabilityMap);
    this.find("[name=wipe]").value = state.wipe;
    this.find("[name=wipe]").disabled = Boolean(volume);
    this.find(".three-planes").hidden = meta.slices.length < 2;
    this.all(".three-planes input").forEach((radio) => {
      radio.checked = (radio.value === "1") === Boolean(volume);
      radio.disabled = radio.value === "1" && entry.volume === null;
    });
    this.find(".flat").hidden = !entry.flat;
    this.find(".flat").textContent = entry.flat;
    this.find("[value=truth]").disabled = !truth;
    this.all(".channel input").forEach((radio) => (radio.checked = radio.value === String(state.channel)));
    this.all(".style input").forEach((radio) => (radio.checked = radio.value === state.style));
    this.find("[name=copy]").hidden = !meta.link.query;
    this.find(".unlinked").hidden = Boolean(meta.link.query);
    this.find(".viewer").classList.toggle("bare", meta.bare);
  }

  // Letters at the edges, where the file says which way they lie: the patient's right, left, front and back.
  orient() {
    const { marks } = this.entry;
    for (const edge of ["left", "right", "top", "bottom"]) {
      this.find(`.frame .mark.${edge}`).textContent = marks?.[edge] ?? "";
    }
  }

  // Which slice of how many, and its name where that says something else.
  placeOf(index) {
    const { slices } = this.meta;
    const place = `${index + 1} of ${slices.length}`;
    return slices[index].number === index + 1 ? place : `${place} · ${slices[index].short}`;
  }

  // Marked pixels of each slice, over the slider that turns them.
  drawAreas() {
    const { meta } = this;
    // The words beside the slider have room for the longest of them, so that it stays where it is.
    const longest = Math.max(...meta.slices.map((_, index) => this.placeOf(index).length));
    this.find(".row.slice").style.setProperty("--place", `${longest}ch`);
    const box = this.find(".areas");
    const curve = (name) => meta.slices.map((entry) => entry[name]);
    const [predicted, truth] = [curve("area"), curve("truthArea")];
    const most = Math.max(1, ...predicted.filter((area) => area), ...truth.filter((area) => area));
    box.toggleAttribute("hidden", meta.slices.length < 2 || ![...predicted, ...truth].some((area) => area));
    box.setAttribute("viewBox", `0 0 ${Math.max(1, meta.slices.length - 1)} 1`);
    const points = (areas) => areas.map((area, i) => `${i} ${(1 - (area ?? 0) / most).toFixed(3)}`);
    const last = meta.slices.length - 1;
    box.querySelector(".prediction").setAttribute("d", `M0 1L${points(predicted).join("L")}L${last} 1Z`);
    const known = truth.some((area) => area !== null);
    box.querySelector(".truth").setAttribute("d", known ? `M${points(truth).join("L")}` : "");
  }

  // The longest round length that fits into a quarter of the frame, where millimeters of a pixel are known.
  drawScale(bar, mm, scale, width) {
    const pixels = (length) => (length / mm) * scale;
    const length = mm ? BARS.findLast((each) => pixels(each) <= BAR_SHARE * width) : undefined;
    bar.hidden = !length;
    if (!length) return;
    bar.querySelector("i").style.width = `${pixels(length)}px`;
    bar.querySelector("span").textContent = length < 10 ? `${length} mm` : `${length / 10} cm`;
  }

  // Put the divider over the middle of what is marked, so that both sides have something of it.
  divideMarks({ rows, cols, truth }, mask) {
    const marks = [truth, mask].find((each) => each?.some(Boolean));
    let [sum, columns] = [0, 0];
    marks?.forEach((marked, i) => {
      if (marked) [sum, columns] = [sum + 1, columns + (i % cols) + 0.5];
    });
    const frame = this.find(".frame");
    const scale = Math.min(frame.clientWidth / cols, frame.clientHeight / (rows * this.entry.tall));
    const offset = sum ? columns / sum - cols / 2 : 0;
    this.state.at = frame.clientWidth ? 0.5 + (offset * scale) / frame.clientWidth : 0.5;
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
    const { zoom, at } = this.state;
    const scale = zoom * Math.min(frame.clientWidth / entry.cols, frame.clientHeight / (entry.rows * entry.tall));
    const [width, height] = [entry.cols * scale, entry.rows * entry.tall * scale];
    const keep = (offset, room) => Math.max(-room, Math.min(room, offset));
    const right = keep(this.state.x * frame.clientWidth, Math.max(0, (width - frame.clientWidth) / 2));
    const down = keep(this.state.y * frame.clientHeight, Math.max(0, (height - frame.clientHeight) / 2));
    this.state.x = right / frame.clientWidth;
    this.state.y = down / frame.clientHeight;
    for (const stage of frame.querySelectorAll(".stage")) this.fit(stage, frame, width, height, right, down);
    frame.classList.toggle("zoomed", zoom > 1);
    this.drawScale(frame.querySelector(".scale"), entry.millimeters, scale, frame.clientWidth);
    frame.style.setProperty("--at", `${100 * at}%`);
    this.find(".zoom output").textContent = `${Math.round(100 * zoom)}%`;
    const divider = this.find(".divider");
    divider.ariaValueNow = String(Math.round(100 * at));
    divider.ariaValueText = `${Math.round(100 * at)}%: ${this.between}`;
  }

  // Give a stage its size in the middle of a frame, moved by so many pixels.
  fit(stage, frame, width, height, right = 0, down = 0) {
    Object.assign(stage.style, {
      width: `${width}px`,
      height: `${height}px`,
      left: `${(frame.clientWidth - width) / 2 + right}px`,
      top: `${(frame.clientHeight - height) / 2 + down}px`,
    });
  }
}

function areaOf(marked, { millimeters, tall, step }) {
  const [area, unit] = millimeters ? [marked * millimeters ** 2 * tall, "mm²"] : [marked * step ** 2, "px"];
  return `${area.toLocaleString("en-US", { maximumFractionDigits: 0 })} ${unit}`;
}

function percent(share) {
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)}%`;
}
