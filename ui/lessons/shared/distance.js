// The 95% Hausdorff distance in the browser, as btmodels/metrics/overlap.py; a test holds it to the library.

const FAR = 1e20;

// Squared distance of each pixel to the nearest one that is set (Felzenszwalb and Huttenlocher 2012).
function squaredDistances(mask, rows, cols) {
  const values = Float64Array.from(mask, (set) => (set ? 0 : FAR));
  for (let col = 0; col < cols; col++) pass(values, col, cols, rows);
  for (let row = 0; row < rows; row++) pass(values, row * cols, 1, cols);
  return values;
}

// Lower envelope of the parabolas over one row or column.
function pass(values, start, step, number) {
  const line = Float64Array.from({ length: number }, (_, i) => values[start + i * step]);
  const [at, from] = [new Int32Array(number), new Float64Array(number + 1)];
  let last = 0;
  [from[0], from[1]] = [-Infinity, Infinity];
  for (let i = 1; i < number; i++) {
    let meet = 0;
    for (;;) {
      const j = at[last];
      meet = (line[i] + i * i - (line[j] + j * j)) / (2 * (i - j));
      if (meet > from[last] || !last) break;
      last--;
    }
    if (meet > from[last]) last++;
    at[last] = i;
    from[last] = last ? meet : -Infinity;
    from[last + 1] = Infinity;
  }
  for (let i = 0, k = 0; i < number; i++) {
    while (from[k + 1] < i) k++;
    values[start + i * step] = (i - at[k]) ** 2 + line[at[k]];
  }
}

// Pixels of a mask with a side at a pixel outside of it, or at the slice's edge.
function border(mask, rows, cols) {
  const found = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const [row, col] = [Math.floor(i / cols), i % cols];
    const inner = row > 0 && row < rows - 1 && col > 0 && col < cols - 1
      && mask[i - 1] && mask[i + 1] && mask[i - cols] && mask[i + cols];
    found[i] = inner ? 0 : 1;
  }
  return found;
}

// The value that a share of sorted numbers lies below, between neighbors as NumPy has it.
function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

// Pixels; null where either mask is empty.
export function hausdorff95(one, other, rows, cols) {
  if (!one.some(Boolean) || !other.some(Boolean)) return null;
  const borders = [border(one, rows, cols), border(other, rows, cols)];
  const farthest = borders.map((start, i) => {
    const squared = squaredDistances(borders[1 - i], rows, cols);
    const distances = [];
    start.forEach((set, at) => set && distances.push(Math.sqrt(squared[at])));
    return quantile(Float64Array.from(distances).sort(), 0.95);
  });
  return Math.max(...farthest);
}
