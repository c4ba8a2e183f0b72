// One convolution of a slice by one kernel, as the first layer of a network computes it; a test holds it
// to SciPy.

// What a network sees of a slice: each byte looked up in its channel's table.
export function standardized(channels, tables) {
  return channels.map((bytes, channel) => {
    const values = new Float32Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) values[i] = tables[channel][bytes[i]];
    return values;
  });
}

// Weighted sum about each pixel over all channels; beyond the border all is 0 ("same").
// `kernel` has rows, cols, channels in C order; `stride` takes every so many pixels.
export function convolve(channels, rows, cols, kernel, size, stride = 1) {
  const half = (size - 1) >> 1;
  const [down, right] = [Math.ceil(rows / stride), Math.ceil(cols / stride)];
  const map = new Float32Array(down * right);
  for (let r = 0; r < down; r++) {
    for (let c = 0; c < right; c++) {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        const row = r * stride + i - half;
        if (row < 0 || row >= rows) continue;
        for (let j = 0; j < size; j++) {
          const col = c * stride + j - half;
          if (col < 0 || col >= cols) continue;
          const [at, first] = [row * cols + col, (i * size + j) * 3];
          sum += channels[0][at] * kernel[first] + channels[1][at] * kernel[first + 1] + channels[2][at] * kernel[first + 2];
        }
      }
      map[r * right + c] = sum;
    }
  }
  return map;
}

// Bytes from a map: gray is 0, bright above and dark below it, or with ReLU black is 0 and below.
// The hundredth part of the pixels that are farthest out is cut off.
export function shades(map, relu) {
  const sizes = Float32Array.from(map, Math.abs).sort();
  const most = sizes[Math.floor(0.99 * (sizes.length - 1))] || 1;
  const bytes = new Uint8ClampedArray(map.length);
  for (let i = 0; i < map.length; i++) {
    bytes[i] = relu ? (255 * Math.max(0, map[i])) / most : 127.5 + (127.5 * map[i]) / most;
  }
  return bytes;
}
