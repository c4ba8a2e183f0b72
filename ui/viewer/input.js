// Keys, wheel and fingers on the picture: what each of them asks the viewer for.

import { point, STEPS } from "./three_planes/plane_input.js";

const WHEEL_PIXELS = 40; // of a touchpad's small steps so many turn a slice; a wheel's notch is more
const SWIPE_PIXELS = 28; // a finger turns a slice every so many pixels sideways
const TURNS = {
  ArrowLeft: -1, ArrowUp: -1, PageUp: -1, ArrowRight: 1, ArrowDown: 1, PageDown: 1,
  Home: -Infinity, End: Infinity,
};
const MOVES = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };

export class PointerInput {
  constructor(frame, viewer) {
    Object.assign(this, { frame, viewer, pointers: new Map(), turned: 0, swiped: 0 });
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.onkeydown = (event) => this.key(event);
    frame.ondblclick = (event) => {
      if (event.target.closest("button, .divider")) return;
      viewer.zoomBy(viewer.state.zoom > 1 ? 0 : 2, ...this.place(event));
    };
    frame.oncontextmenu = (event) => event.preventDefault(); // the right button sets window and level
    frame.onpointerdown = (event) => this.press(event);
    frame.onpointermove = (event) => this.move(event);
    frame.onpointerup = frame.onpointercancel = (event) => this.release(event);
    const divider = frame.querySelector(".divider");
    divider.onpointerdown = (event) => {
      event.stopPropagation();
      viewer.hold();
      divider.setPointerCapture(event.pointerId);
    };
    divider.onpointerup = divider.onpointercancel = () => viewer.settle();
    divider.onpointermove = (event) => {
      const box = frame.getBoundingClientRect();
      const held = divider.hasPointerCapture(event.pointerId);
      if (held) viewer.divideAt((event.clientX - box.left) / box.width);
    };
  }

  // Pixels from the frame's middle.
  place({ clientX, clientY }) {
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    return [clientX - left - width / 2, clientY - top - height / 2];
  }

  wheel(event) {
    const { viewer } = this;
    if (event.ctrlKey) { // a touchpad's pinch arrives as this, too
      event.preventDefault();
      viewer.zoomBy(Math.exp(-Math.max(-40, Math.min(40, event.deltaY)) / 200), ...this.place(event));
      return;
    }
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    const pixels = event.deltaMode ? Math.sign(event.deltaY) * WHEEL_PIXELS : event.deltaY;
    this.turned = Math.sign(pixels) === Math.sign(this.turned) ? this.turned + pixels : pixels;
    const target = viewer.state.slice + Math.sign(pixels);
    if (target < 0 || target >= viewer.meta.slices.length) return; // at the ends the page scrolls on
    event.preventDefault();
    if (Math.abs(this.turned) < WHEEL_PIXELS) return;
    this.turned = 0;
    viewer.turnTo(target);
    viewer.settle();
  }

  key(event) {
    const { viewer } = this;
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("button")) return;
    if (event.target.closest(".divider") && this.moveDivider(key)) {
      event.preventDefault();
      viewer.settle();
      return;
    }
    if (event.shiftKey && key in MOVES) viewer.pan(...MOVES[key]);
    else if (viewer.views.volume && key in STEPS) viewer.views.move("axial", STEPS[key]);
    else if (key in TURNS) viewer.turnTo(viewer.state.slice + TURNS[key]);
    else if (key === "+" || key === "=") viewer.zoomBy(1.4);
    else if (key === "-") viewer.zoomBy(1 / 1.4);
    else if (key === "0") viewer.zoomBy(0);
    else return;
    event.preventDefault();
    viewer.settle();
  }

  moveDivider(key) {
    const { at } = this.viewer.state;
    const to = { ArrowLeft: at - 0.02, ArrowRight: at + 0.02, Home: 0, End: 1 }[key];
    if (to !== undefined) this.viewer.divideAt(to);
    return to !== undefined;
  }

  press(event) {
    if (event.target.closest("button") || event.button === 1) return;
    const { viewer } = this;
    const crossed = Boolean(viewer.views.volume);
    viewer.hold();
    this.windowing = event.pointerType !== "touch" && (event.button === 2 || (viewer.state.zoom === 1 && !crossed));
    this.pointing = crossed && !this.windowing && !event.shiftKey;
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.swiped = 0;
    const touch = event.pointerType === "touch";
    if (touch || crossed || this.windowing || viewer.state.zoom > 1) this.frame.setPointerCapture(event.pointerId);
    if (this.pointing && this.pointers.size === 1) point(viewer, this.frame, "axial", event);
  }

  move(event) {
    const { viewer, pointers } = this;
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
    const spread = this.spread();
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (pointers.size > 1) {
      const [[x1, y1], [x2, y2]] = pointers.values();
      const middle = this.place({ clientX: (x1 + x2) / 2, clientY: (y1 + y2) / 2 });
      if (spread) viewer.zoomBy(this.spread() / spread, ...middle);
      viewer.pan(dx / 2, dy / 2);
    } else if (this.windowing) {
      viewer.adjust(dx, dy);
    } else if (this.pointing) {
      point(viewer, this.frame, "axial", event);
    } else if (viewer.state.zoom > 1) {
      viewer.pan(dx, dy);
    } else if (event.pointerType === "touch") {
      this.swiped += dx;
      const steps = Math.trunc(this.swiped / SWIPE_PIXELS);
      this.swiped -= steps * SWIPE_PIXELS;
      if (steps) viewer.turnTo(viewer.state.slice - steps);
    }
  }

  // How far two fingers are apart.
  spread() {
    const [one, two] = this.pointers.values();
    return one && two ? Math.hypot(one[0] - two[0], one[1] - two[1]) : 0;
  }

  release(event) {
    if (this.pointers.delete(event.pointerId)) this.viewer.settle();
  }
}
