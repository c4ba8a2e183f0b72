// A panel that shows a slice. What Python says is unpacked once for each version of it; of two versions
// whose unpacking overlaps, the older is dropped.

import { unpack } from "../../viewer/masks.js";
import { readMessage } from "../../viewer/message.js";
import { Panel } from "../../viewer/panel.js";

// A panel defines take(meta, channels, maps): the slice's three channels, and three planes over it: the
// probability map, the truth and the head, none where nothing is over it. One with other planes has its own load().
export class SlicePanel extends Panel {
  async receive(data, send) {
    this.send = send;
    const { meta, part } = readMessage(data);
    if (this.version === meta.version) return;
    this.version = meta.version;
    const planes = await this.load(meta, part);
    if (this.version === meta.version && !this.closed) this.take(meta, ...planes);
  }

  load({ rows, cols }, part) {
    const maps = part("maps");
    return Promise.all([unpack(part("image"), 3, rows, cols), maps ? unpack(maps, 3, rows, cols) : []]);
  }
}
