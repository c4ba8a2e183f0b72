// Carries what a measurement found to the picture of the U; draws nothing.

import { unpack } from "../../viewer/masks.js";
import { readMessage } from "../../viewer/message.js";

export default function ({ data }) {
  const { meta, part } = readMessage(data);
  unpack(part("sight"), 1, meta.size, meta.size).then(([heatmap]) => {
    window.dispatchEvent(new CustomEvent("lesson-sight", { detail: { ...meta, heatmap } }));
  });
}
