// Keys, wheel and pointer on a plane: they move the crosshair.

export const STEPS = { // of the crosshair: right, down and through the plane
  ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0],
  PageUp: [0, 0, -1], PageDown: [0, 0, 1],
};

// Put the crosshair where a pointer is on a plane.
export function point(viewer, frame, plane, { clientX, clientY }) {
  const { left, top, width, height } = frame.querySelector(".stage").getBoundingClientRect();
  viewer.views.pointTo(plane, (clientX - left) / width, (clientY - top) / height);
}

// Hand on a coronal or sagittal plane: it moves the crosshair, and with the right button the window.
export class PlaneInput {
  constructor(frame, plane, viewer) {
    Object.assign(this, { frame, plane, viewer });
    frame.oncontextmenu = (event) => event.preventDefault();
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.onkeydown = (event) => this.key(event);
    frame.onpointerdown = (event) => {
      this.last = [event.clientX, event.clientY];
      this.windowing = event.button === 2;
      frame.setPointerCapture(event.pointerId);
      this.drag(event);
    };
    frame.onpointermove = (event) => frame.hasPointerCapture(event.pointerId) && this.drag(event);
    frame.onpointerup = frame.onpointercancel = () => viewer.settle();
  }

  drag(event) {
    const { clientX: x, clientY: y } = event;
    if (this.windowing) this.viewer.adjust(x - this.last[0], y - this.last[1]);
    else point(this.viewer, this.frame, this.plane, event);
    this.last = [x, y];
  }

  wheel(event) {
    if (event.ctrlKey || event.shiftKey || !event.deltaY) return;
    event.preventDefault();
    this.viewer.views.move(this.plane, [0, 0, Math.sign(event.deltaY)]);
    this.viewer.settle();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in STEPS)) return;
    event.preventDefault();
    this.viewer.views.move(this.plane, STEPS[event.key]);
    this.viewer.settle();
  }
}
