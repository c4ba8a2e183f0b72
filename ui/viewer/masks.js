// What the viewer computes of a slice, free of the page: binarize, count, outline, unpack, window.
// The same rules as btmodels/measurement/measure.py and btmodels/metrics/overlap.py; tests hold the two together.

// The lowest value (of 255) that counts as marked at a threshold from 0 to 1.
// 0 is never marked: at threshold 0 the mask is "anything at all", not the whole slice.
export function quantizedThreshold(threshold) {
  return Math.max(1, Math.ceil(threshold * 255 - 1e-9));
}

// Pixels of the smallest part that is kept, which the record counts in a slice of 256 x 256, as
// btmodels.transforms.postprocess.smallest_part.
export function smallestPart(minPixels, rows, cols) {
  return Math.ceil(minPixels * (Math.max(rows, cols) / 256) ** 2 - 1e-9);
}

// Mask (0 or 1 a pixel) of a probability map at a threshold, without 8-connected parts below minPixels.
export function binarize(probabilityMap, rows, cols, threshold, minPixels) {
  const lowest = quantizedThreshold(threshold);
  const mask = new Uint8Array(probabilityMap.length);
  for (let i = 0; i < probabilityMap.length; i++) mask[i] = probabilityMap[i] >= lowest ? 1 : 0;
  if (minPixels > 1) dropSmall(mask, rows, cols, minPixels);
  return mask;
}

function dropSmall(mask, rows, cols, minPixels) {
  const seen = new Uint8Array(mask.length);
  const part = new Int32Array(mask.length);
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || seen[start]) continue;
    let size = 0;
    seen[start] = 1;
    part[size++] = start;
    for (let next = 0; next < size; next++) {
      const row = Math.floor(part[next] / cols);
      const col = part[next] % cols;
      for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
        for (let c = Math.max(0, col - 1); c <= Math.min(cols - 1, col + 1); c++) {
          const i = r * cols + c;
          if (!mask[i] || seen[i]) continue;
          seen[i] = 1;
          part[size++] = i;
        }
      }
    }
    if (size < minPixels) for (let i = 0; i < size; i++) mask[part[i]] = 0;
  }
}

// Pixels by outcome, as btmodels.metrics.overlap.count.
export function count(mask, truth) {
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
  for (let i = 0; i < mask.length; i++) {
    if (mask[i]) truth[i] ? counts.tp++ : counts.fp++;
    else truth[i] ? counts.fn++ : counts.tn++;
  }
  return counts;
}

// 2 TP / (2 TP + FP + FN); null where both masks are empty, as btmodels.metrics.overlap.dice.
export function dice({ tp, fp, fn }) {
  return 2 * tp + fp + fn ? (2 * tp) / (2 * tp + fp + fn) : null;
}

export function pixels(mask, within = null) {
  let sum = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] && (!within || within[i])) sum++;
  return sum;
}

// Borders of a mask as an SVG path that runs along the edges of pixels, marked side to the right.
export function outline(mask, rows, cols) {
  const width = cols + 1;
  const steps = [1, width, -1, -width]; // east, south, west, north
  const edges = new Uint8Array(width * (rows + 1)); // directions that leave each corner, as bits
  const marked = (r, c) => r >= 0 && r < rows && c >= 0 && c < cols && mask[r * cols + c];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      if (!mask[r * cols + c]) continue;
      const corner = r * width + c;
      if (!marked(r - 1, c)) edges[corner] |= 1;
      if (!marked(r, c + 1)) edges[corner + 1] |= 2;
      if (!marked(r + 1, c)) edges[corner + width + 1] |= 4;
      if (!marked(r, c - 1)) edges[corner + width] |= 8;
    }
  }
  let path = "";
  for (let start = 0; start < edges.length; start++) {
    while (edges[start]) {
      let corner = start;
      let last = -1;
      path += `M${corner % width} ${Math.floor(corner / width)}`;
      do {
        // Where two borders touch in a corner, turning right first keeps each part its own loop.
        let turn = last < 0 ? 0 : (last + 1) % 4;
        while (!(edges[corner] & (1 << turn))) turn = (turn + 3) % 4;
        edges[corner] &= ~(1 << turn);
        if (last >= 0 && turn !== last) path += `L${corner % width} ${Math.floor(corner / width)}`;
        corner += steps[turn];
        last = turn;
      } while (corner !== start);
      path += "Z";
    }
  }
  return path;
}

// Undo ui/viewer/packing.py: deflated planes of one byte a pixel, each row as differences along it.
export async function unpack(bytes, planes, rows, cols) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = rows * cols;
  if (data.length !== planes * size) throw new Error("A slice arrived incomplete.");
  for (let row = 0; row < planes * rows; row++) {
    for (let i = row * cols + 1; i < (row + 1) * cols; i++) data[i] = (data[i] + data[i - 1]) & 255;
  }
  return Array.from({ length: planes }, (_, plane) => data.subarray(plane * size, (plane + 1) * size));
}

// What each level becomes on screen. The automatic window, two levels that become black and white, comes
// first, as btmodels.visualize.window; brightness then shifts by -100 to 100%, and contrast of 50 to 300%
// stretches about mid-gray.
export function windowTable(brightness, contrast, [low, high] = [0, 255]) {
  const table = new Uint8ClampedArray(256);
  for (let i = 0; i < 256; i++) {
    const shown = Math.max(0, Math.min(255, (i - low) * (255 / (high - low))));
    table[i] = contrast === 100 && !brightness ? shown
      : (shown - 127.5) * (contrast / 100) + 127.5 + brightness * 2.55;
  }
  return table;
}

// RGBA of a slice: one channel in gray, or all three as red, green and blue ("composite").
// `table` is one for all channels, or an array of one each.
export function paint(channels, channel, table, target) {
  const tables = Array.isArray(table) ? table : channels.map(() => table);
  const three = channel === "composite" ? [0, 1, 2] : [channel, channel, channel];
  const [red, green, blue] = three.map((each) => channels[each]);
  const [ofRed, ofGreen, ofBlue] = three.map((each) => tables[each]);
  for (let i = 0; i < red.length; i++) {
    target[4 * i] = ofRed[red[i]];
    target[4 * i + 1] = ofGreen[green[i]];
    target[4 * i + 2] = ofBlue[blue[i]];
    target[4 * i + 3] = 255;
  }
}

// Color of a mask by the brightness below it, as btmodels.visualize.overlay.tint: darker where the slice is
// dark, so that texture stays visible.
const TINT_BASE = 0.45;

export function tint(mask, [red, green, blue], shown, target) {
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const gray = (shown[4 * i] + shown[4 * i + 1] + shown[4 * i + 2]) / 3;
    const share = TINT_BASE + (1 - TINT_BASE) * (gray / 255);
    target[4 * i] = red * share;
    target[4 * i + 1] = green * share;
    target[4 * i + 2] = blue * share;
    target[4 * i + 3] = 255;
  }
}

// Colors of the probability map, dark violet to yellow: viridis, whose brightness grows evenly for
// every kind of color vision. What is hardly probable is see-through, so that the slice stays seen.
const VIRIDIS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

export function mapColor(level) {
  return [...mixed(VIRIDIS, level), Math.min(255, level * 10)];
}

// Colors of Grad-CAM, violet to pale yellow: magma without its black end, to be told from the other map.
const MAGMA = [[59, 15, 112], [183, 55, 121], [252, 137, 97], [252, 253, 191]];

export function heatColor(level) {
  return [...mixed(MAGMA, level), Math.min(255, level * 3)];
}

export function mixed(stops, level) {
  const at = (level / 255) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return stops[low].map((c, i) => Math.round(c + (stops[low + 1][i] - c) * (at - low)));
}

// RGBA of a map of levels, 0 to 255.
export function paintMap(levels, target, color) {
  const table = Array.from({ length: 256 }, (_, level) => color(level));
  for (let i = 0; i < levels.length; i++) if (levels[i]) target.set(table[levels[i]], 4 * i);
}

// What is drawn left and right of the divider; the right side is null where nothing is compared.
// `channels` are the words of a link by the viewer's name of the channel.
export function sides(state, channels) {
  const { channel, prediction, truth, probability, head, gradcam, wipe } = state;
  const set = { channel, prediction, truth, probability, head, gradcam };
  const bare = {
    channel, prediction: false, truth: false, probability: false, head: false, gradcam: false,
  };
  if (wipe === "plain") return [set, bare];
  if (wipe === "truth") return [{ ...set, truth: false }, { ...bare, truth: true }];
  return [set, wipe in channels ? { ...set, channel: channels[wipe] } : null];
}

// Query of the address that leads back to a view, as write_link in ui/session/view_state.py.
export function linkQuery({ query, channels, layers, usual }, state, number) {
  const found = { ...query };
  if (number !== null) found.slice = number;
  found.threshold = state.threshold;
  found.layers = layers.filter((layer) => state[layer]).join(",");
  found.channel = Object.keys(channels).find((word) => channels[word] === state.channel);
  for (const [key, value] of Object.entries(usual)) if (state[key] !== value) found[key] = state[key];
  return found;
}

// A probability in words that leave room for doubt, as btmodels.measurement.study.percent.
export function percent(probability) {
  if (probability > 0.9995) return "> 99.9%";
  return probability < 0.0005 ? "< 0.1%" : `${(100 * probability).toFixed(1)}%`;
}
