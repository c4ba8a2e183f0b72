// Other parts of a page may turn the viewer's slices, and hear what it shows: events of the window that
// carry {id, slice, threshold}. Asked to turn without a slice, the viewer says where it stands.

export const VIEWER_SHOWN = "slice-viewer:shown";
export const VIEWER_TURN = "slice-viewer:turn";

export class ViewerEvents {
  constructor(viewer) {
    this.viewer = viewer;
    this.asked = ({ detail }) => this.obey(detail);
    window.addEventListener(VIEWER_TURN, this.asked);
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
  }
}
