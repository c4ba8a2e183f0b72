// Carries what Python asks to the viewer of the page: each turn once, and none from before this was drawn.

import { VIEWER_TURN } from "./sync.js";

const stamps = new WeakMap();

export default function ({ parentElement, data }) {
  const last = stamps.get(parentElement) ?? data.stamp;
  stamps.set(parentElement, data.stamp);
  if (data.stamp === last) return;
  window.dispatchEvent(new CustomEvent(VIEWER_TURN, { detail: { id: data.id, slice: data.slice } }));
}
