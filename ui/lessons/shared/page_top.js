// Shows the top of the page when another lesson has come: a link within a page leaves the page where it was.

import { mount, Panel } from "../../viewer/panel.js";

let last = null; // outlives the panel: who comes back from another page begins at the top, too

export default (component) => mount(PageTop, component);

class PageTop extends Panel {
  receive({ address }) {
    if (address === last) return;
    // The first page of a visit may have been asked for with a section's anchor.
    if (last !== null) document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
    last = address;
  }

  close() {
    super.close();
    last = "";
  }
}
