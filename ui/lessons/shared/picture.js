// A slice in a lesson: its pixels, colored masks and lines over them, and the hand on it.

import { paint, windowTable } from "../../viewer/masks.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const LEAP = 8; // pixels that an arrow key goes with Shift

export class Picture {
  // `lines` are classes of SVG paths, from bottom to top.
  constructor(frame, lines = []) {
    this.frame = frame;
    frame.innerHTML = `<div class="stage" role="img"><canvas class="image"></canvas><canvas class="mask"></canvas>
      <svg class="lines" aria-hidden="true">${lines.map((name) => `<path class="halo ${name}"></path>
      <path class="line ${name}"></path>`).join("")}</svg></div>`;
    this.stage = frame.querySelector(".stage");
  }

  // `window` has the two levels that become black and white.
  set(rows, cols, channels, channel, window) {
    Object.assign(this, { rows, cols });
    this.frame.style.aspectRatio = `${cols} / ${rows}`;
    this.frame.style.setProperty("--ratio", cols / rows);
    this.frame.querySelector(".lines").setAttribute("viewBox", `0 0 ${cols} ${rows}`);
    for (const canvas of this.frame.querySelectorAll("canvas")) Object.assign(canvas, { width: cols, height: rows });
    const context = this.context("image");
    const image = context.createImageData(cols, rows);
    paint(channels, channel, windowTable(0, 100, window), image.data);
    context.putImageData(image, 0, 0);
    this.image = image;
  }

  context(layer) {
    return this.frame.querySelector(`canvas.${layer}`).getContext("2d", { willReadFrequently: true });
  }

  // Color every pixel by its code; `colors` has by code red, green, blue, opacity, none for code 0, and
  // may have a second color with a pattern, "stripes" or "squares", that says where it is taken.
  fill(codes, colors) {
    const context = this.context("mask");
    const image = context.createImageData(this.cols, this.rows);
    for (let i = 0; codes && i < codes.length; i++) {
      if (!codes[i] || !colors[codes[i]]) continue;
      const [color, second, pattern] = colors[codes[i]];
      const [row, col] = [Math.floor(i / this.cols), i % this.cols];
      const other = pattern === "stripes" ? (row + col) % 4 < 2 : (row & 2) === (col & 2);
      image.data.set(second && other ? second : color, 4 * i);
    }
    context.putImageData(image, 0, 0);
  }

  line(name, path) {
    this.frame.querySelectorAll(`path.${name}`).forEach((line) => line.setAttribute("d", path));
  }

  say(words) {
    this.stage.setAttribute("aria-label", words);
  }

  // Row and column that a pointer is over, within the slice.
  cell({ clientX, clientY }) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    const within = (share, size) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
    return [within((clientY - top) / height, this.rows), within((clientX - left) / width, this.cols)];
  }
}

// Pointer and keys on a picture. `hand` may have over(cell), down(cell), drag(cell), up(), press(cell):
// the last for Space and Enter; arrow keys go from pixel to pixel and are over it.
export class Pointing {
  constructor(picture, hand) {
    Object.assign(this, { picture, hand, at: null, held: false });
    const { frame } = picture;
    frame.tabIndex = 0;
    frame.onkeydown = (event) => this.key(event);
    frame.onpointermove = (event) => {
      this.at = picture.cell(event);
      if (this.held) hand.drag?.(this.at, event);
      else hand.over?.(this.at, event);
    };
    frame.onpointerdown = (event) => {
      if (event.button > 0) return;
      this.at = picture.cell(event);
      this.held = true;
      frame.setPointerCapture(event.pointerId);
      hand.down?.(this.at, event);
    };
    frame.onpointerup = frame.onpointercancel = () => {
      if (this.held) hand.up?.();
      this.held = false;
    };
    frame.onpointerleave = () => hand.leave?.();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { rows, cols } = this.picture;
    this.at ??= [rows >> 1, cols >> 1];
    if (event.key in STEPS) {
      const far = event.shiftKey ? LEAP : 1;
      const [down, right] = STEPS[event.key];
      const within = (value, size) => Math.max(0, Math.min(size - 1, value));
      this.at = [within(this.at[0] + down * far, rows), within(this.at[1] + right * far, cols)];
      (this.hand.steer ?? this.hand.over)?.(this.at, event);
    } else if (event.key === " " || event.key === "Enter") {
      this.hand.press?.(this.at, event);
    } else return;
    event.preventDefault();
  }
}

// A cross about a pixel, as an SVG path.
export function cross([row, col], arm = 6) {
  const [x, y] = [col + 0.5, row + 0.5];
  return `M${x - arm} ${y}H${x - 1.5}M${x + 1.5} ${y}H${x + arm}M${x} ${y - arm}V${y - 1.5}M${x} ${y + 1.5}V${y + arm}`;
}
