// Masks made by hand and by simple rules; tests hold these to scikit-image and to the library.


// Pixels at least as bright as `level`.
export function brighter(gray, level) {
  const mask = new Uint8Array(gray.length);
  for (let i = 0; i < gray.length; i++) mask[i] = gray[i] >= level ? 1 : 0;
  return mask;
}

// The level whose mask overlaps the truth best, and that Dice; null where the truth is empty.
export function bestLevel(gray, truth) {
  const [all, inside] = [new Uint32Array(256), new Uint32Array(256)];
  let marked = 0;
  for (let i = 0; i < gray.length; i++) {
    all[gray[i]]++;
    if (truth[i]) [inside[gray[i]], marked] = [inside[gray[i]] + 1, marked + 1];
  }
  let best = null;
  for (let level = 255, tp = 0, sum = 0; marked && level >= 0; level--) {
    tp += inside[level];
    sum += all[level];
    const score = (2 * tp) / (sum + marked);
    if (!best || score > best.dice) best = { level, dice: score };
  }
  return best;
}

// Mean brightness of a pixel and its neighbors: one pixel alone is half noise.
export function around(gray, rows, cols, [row, col]) {
  let [sum, number] = [0, 0];
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
    for (let c = Math.max(0, col - 1); c <= Math.min(cols - 1, col + 1); c++) {
      [sum, number] = [sum + gray[r * cols + c], number + 1];
    }
  }
  return sum / number;
}

// A pixel of the tumor about as bright as most of it; null where there is no tumor.
export function typical(gray, truth, rows, cols) {
  const inside = [...truth.keys()].filter((i) => truth[i]);
  if (!inside.length) return null;
  const median = inside.map((i) => gray[i]).sort((a, b) => a - b)[inside.length >> 1];
  const cell = (i) => [Math.floor(i / cols), i % cols];
  const off = inside.map((i) => Math.abs(around(gray, rows, cols, cell(i)) - median));
  return cell(inside[off.indexOf(Math.min(...off))]);
}

// The seed, and pixels connected to it, side by side, that differ from the mean brightness
// about the seed by `tolerance` at most.
export function grow(gray, rows, cols, seed, tolerance) {
  const mask = new Uint8Array(gray.length);
  const start = seed[0] * cols + seed[1];
  const mean = around(gray, rows, cols, seed);
  const near = (i) => !mask[i] && Math.abs(gray[i] - mean) <= tolerance;
  const waiting = [start];
  mask[start] = 1;
  while (waiting.length) {
    const i = waiting.pop();
    const c = i % cols;
    const sides = [[i - 1, c > 0], [i + 1, c < cols - 1], [i - cols, i >= cols], [i + cols, i < gray.length - cols]];
    for (const [next, there] of sides) {
      if (!there || !near(next)) continue;
      mask[next] = 1;
      waiting.push(next);
    }
  }
  return mask;
}

// Set all pixels whose middle lies within `radius` of one's middle.
export function dab(mask, rows, cols, [row, col], radius, value) {
  const reach = Math.floor(radius);
  for (let r = Math.max(0, row - reach); r <= Math.min(rows - 1, row + reach); r++) {
    for (let c = Math.max(0, col - reach); c <= Math.min(cols - 1, col + reach); c++) {
      if ((r - row) ** 2 + (c - col) ** 2 <= radius ** 2) mask[r * cols + c] = value;
    }
  }
}

// What a border encloses: the pixels whose middle lies within the polygon through its cells, and the border
// itself. Its ends are joined by a straight line.
export function enclosed(cells, rows, cols) {
  const mask = new Uint8Array(rows * cols);
  cells.forEach((cell, i) => stroke(mask, rows, cols, cell, cells[(i + 1) % cells.length], 0, 1));
  for (let row = 0; row < rows; row++) {
    const crossed = [];
    cells.forEach(([r1, c1], i) => {
      const [r2, c2] = cells[(i + 1) % cells.length];
      if (r1 <= row !== r2 <= row) crossed.push(c1 + ((row - r1) / (r2 - r1)) * (c2 - c1));
    });
    crossed.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossed.length; i += 2) {
      mask.fill(1, row * cols + Math.ceil(crossed[i]), row * cols + Math.floor(crossed[i + 1]) + 1);
    }
  }
  return mask;
}

// The same along a line, however fast the hand was.
export function stroke(mask, rows, cols, from, to, radius, value) {
  const steps = Math.max(1, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  for (let step = 0; step <= steps; step++) {
    const cell = [0, 1].map((axis) => Math.round(from[axis] + ((to[axis] - from[axis]) * step) / steps));
    dab(mask, rows, cols, cell, radius, value);
  }
}

// A mask that is drawn, with what was undone; and the time from the first dab to the last.
export class Sheet {
  constructor(rows, cols, most = 60) {
    Object.assign(this, { rows, cols, most, past: [], future: [], first: null, last: null });
    this.mask = new Uint8Array(rows * cols);
  }

  // Everything that follows, until the next call, is undone as one.
  begin(now) {
    this.past.push(this.mask.slice());
    if (this.past.length > this.most) this.past.shift();
    this.future = [];
    this.first ??= now;
    this.last = now;
  }

  draw(from, to, radius, value, now) {
    stroke(this.mask, this.rows, this.cols, from, to, radius, value);
    this.last = now;
  }

  // Mark all that a border encloses, besides what is marked already.
  fill(cells, now) {
    enclosed(cells, this.rows, this.cols).forEach((inside, i) => inside && (this.mask[i] = 1));
    this.last = now;
  }

  clear(now) {
    this.begin(now);
    this.mask.fill(0);
  }

  undo() {
    this.step(this.past, this.future);
  }

  redo() {
    this.step(this.future, this.past);
  }

  step(from, to) {
    if (!from.length) return;
    to.push(this.mask);
    this.mask = from.pop();
  }

  get seconds() {
    return this.first === null ? 0 : (this.last - this.first) / 1000;
  }
}
