// Coronal and sagittal plane beside the axial slice, and the crosshair in which all three meet.

import { PlaneInput } from "./plane_input.js";
import { extent, MARKS, middle, nearest, planeOf, pointAt, shareOf, step } from "./volume.js";

const PLANES = ["coronal", "sagittal"];
const FEW = 8; // slices after which the planes are drawn anew, while a volume arrives

export class PlaneViews {
  constructor(viewer, screen) {
    Object.assign(this, { viewer, screen });
    for (const plane of PLANES) new PlaneInput(this.frameOf(plane), plane, viewer);
  }

  frameOf(plane) {
    return this.viewer.find(`.plane.${plane}`);
  }

  // A plane's canvases are a copy of the axial slice's, there only while three planes are shown.
  sideOf(plane) {
    const frame = this.frameOf(plane);
    if (!frame.querySelector(".side")) {
      const side = this.viewer.find(".side").cloneNode(true);
      side.querySelector(".stage").setAttribute("aria-label", `The ${plane} plane`);
      frame.prepend(side);
    }
    return frame.querySelector(".side");
  }

  // The volume of the slice on show, where three planes are wanted and its files say how it lies.
  get volume() {
    const { state, meta } = this.viewer;
    return (state.planes && meta.volumes[meta.slices[state.slice].volume]) || null;
  }

  get sizes() {
    const { rows, cols } = this.entry;
    return { slot: this.volume.slots.length, row: rows, col: cols };
  }

  get entry() {
    const { state, meta } = this.viewer;
    return meta.slices[state.slice];
  }

  // Where the planes meet: the middle of what is marked, until it was moved.
  get place() {
    const { state } = this.viewer;
    const { row, col } = state.row === null ? this.start : state;
    return { slot: this.volume.slots.indexOf(state.slice), row, col };
  }

  pointTo(plane, x, y) {
    this.go(pointAt(this.place, plane, x, y, this.sizes));
  }

  move(plane, by) {
    this.go(step(this.place, plane, by, this.sizes));
  }

  go({ slot, row, col }) {
    const { viewer, volume } = this;
    Object.assign(viewer.state, { row, col });
    viewer.turnTo(nearest(volume.slots, slot));
  }

  // Turning slices keeps the other planes where they are.
  hold() {
    const { state } = this.viewer;
    if (this.volume && this.start && state.row === null) Object.assign(state, this.start);
  }

  draw(slice) {
    const { viewer, screen, volume } = this;
    viewer.find(".planes").classList.toggle("three", Boolean(volume));
    for (const plane of PLANES) this.frameOf(plane).hidden = !volume;
    this.drawn = volume;
    if (!volume) {
      for (const plane of PLANES) this.frameOf(plane).querySelector(".side")?.remove();
      this.filling = null;
      return;
    }
    screen.place(); // the axial slice has a frame of another size now
    this.start = middle(screen.maskOf(slice), slice.rows, slice.cols);
    const slots = volume.slots.map((index) => viewer.unpacked.get(index)?.slice ?? null);
    const masks = slots.map((each) => each && screen.maskOf(each));
    for (const plane of PLANES) {
      const { mask, ...cut } = planeOf(slots, masks, plane, this.place[plane === "coronal" ? "row" : "col"], this.sizes);
      const frame = this.frameOf(plane);
      screen.drawSide(this.sideOf(plane), cut, mask, screen.shown);
      for (const [edge, letter] of Object.entries(MARKS[plane])) {
        frame.querySelector(`.mark.${edge}`).textContent = this.entry.marks ? letter : "";
      }
    }
    this.placeStages();
    this.fill(volume);
  }

  // Fit both planes into their frames, in the proportions of millimeters, and put the crosshair everywhere.
  placeStages() {
    const { viewer, screen, drawn } = this;
    if (!drawn || drawn !== this.volume) return;
    for (const plane of PLANES) {
      const frame = this.frameOf(plane);
      const { width, height, cols } = extent(plane, this.sizes, drawn.spacing);
      const scale = Math.min(frame.clientWidth / width, frame.clientHeight / height);
      const stage = frame.querySelector(".stage");
      screen.fit(stage, frame, width * scale, height * scale);
      screen.drawScale(frame.querySelector(".scale"), width / cols, (scale * width) / cols, frame.clientWidth);
      this.cross(stage, plane);
    }
    this.cross(viewer.find(".frame .stage"), "axial");
  }

  cross(stage, plane) {
    const [x, y] = shareOf(this.place, plane, this.sizes);
    stage.style.setProperty("--x", `${100 * x}%`);
    stage.style.setProperty("--y", `${100 * y}%`);
    stage.dataset.cross = Object.values(this.place).join("-");
  }

  // Fetch and unpack the whole volume, what is near the slice on show first.
  async fill(volume) {
    const { viewer } = this;
    if (this.filling === volume) return;
    this.filling = volume;
    const at = viewer.state.slice;
    const near = volume.slots.filter((index) => index !== null).sort((a, b) => Math.abs(a - at) - Math.abs(b - at));
    viewer.want(near);
    for (const [done, index] of near.entries()) {
      await viewer.load(index).catch(() => {});
      if (viewer.closed || this.filling !== volume) return;
      if (done % FEW === FEW - 1 || done === near.length - 1) viewer.redraw();
    }
  }
}
