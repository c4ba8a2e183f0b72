// Other parts of a page may turn the viewer's slices, and hear what it shows: events of the window that
// carry {id, slice, threshold}. Asked to turn without a slice, the viewer says where it stands.

export const VIEWER_SHOWN = "slice-viewer:shown";
export const VIEWER_TURN = "slice-viewer:turn";
export const VIEWER_CHANGE = "slice-viewer:change"; // {toggle: a layer} or {threshold: by how much}

export class ViewerEvents {
  constructor(viewer) {
    this.viewer = viewer;
    this.asked = ({ detail }) => this.obey(detail);
    this.told = ({ detail }) => this.change(detail);
    window.addEventListener(VIEWER_TURN, this.asked);
    window.addEventListener(VIEWER_CHANGE, this.told);
  }

  change({ toggle, threshold }) {
    const { viewer } = this;
    if (toggle) viewer.set({ [toggle]: !viewer.state[toggle] });
    if (threshold) {
      const to = Math.round(100 * (viewer.state.threshold + threshold)) / 100;
      viewer.set({ threshold: Math.max(0, Math.min(1, to)) });
    }
    viewer.settle();
  }

  obey({ id, slice }) {
    const { viewer } = this;
    if (id !== viewer.meta?.id) return;
    if (slice === undefined) {
      this.announce();
      return;
    }
    viewer.turnTo(slice);
    viewer.settle();
    viewer.find(".frame").scrollIntoView({ block: "nearest" }); // who asked may stand far below
  }

  announce() {
    const { meta, state } = this.viewer;
    const detail = { id: meta.id, slice: state.slice, threshold: state.threshold };
    window.dispatchEvent(new CustomEvent(VIEWER_SHOWN, { detail }));
  }

  close() {
    window.removeEventListener(VIEWER_TURN, this.asked);
    window.removeEventListener(VIEWER_CHANGE, this.told);
  }
}
