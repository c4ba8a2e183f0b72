// Coronal and sagittal planes of a volume, cut in the browser from its axial slices, and the place where all
// three meet: {slot, row, col}. Slots are the volume's axial slices from the feet up, gaps included; rows run to
// the patient's back and columns to the patient's left, as btmodels.geometry has it.

// What runs across and down a plane as it is shown, and through it. The head is up, so that slots run up.
export const AXES = {
  axial: ["col", "row", "slot"],
  coronal: ["col", "slot", "row"],
  sagittal: ["row", "slot", "col"],
};

// Letters at the edges: superior and inferior, anterior and posterior, the patient's right and left.
export const MARKS = {
  coronal: { left: "R", right: "L", top: "S", bottom: "I" },
  sagittal: { left: "A", right: "P", top: "S", bottom: "I" },
};

// The sides of a plane in pixels, and in millimeters where `spacing` is {slot, row, col} in millimeters.
export function extent(plane, sizes, spacing) {
  const [across, down] = AXES[plane];
  return {
    cols: sizes[across], rows: sizes[down],
    width: sizes[across] * spacing[across], height: sizes[down] * spacing[down],
  };
}

// A plane of one map of all slots, null where a slot is empty or not there yet: rows x cols bytes.
function cutPlane(maps, plane, at, rows, cols) {
  const width = plane === "coronal" ? cols : rows;
  const cut = new Uint8Array(maps.length * width);
  maps.forEach((map, slot) => {
    if (!map) return;
    const start = (maps.length - 1 - slot) * width;
    if (plane === "coronal") cut.set(map.subarray(at * cols, (at + 1) * cols), start);
    else for (let row = 0; row < rows; row++) cut[start + row] = map[row * cols + at];
  });
  return cut;
}

// A coronal or sagittal plane as the renderer takes slices: channels and layers, null where no slot has one.
export function planeOf(slots, masks, plane, at, { row: rows, col: cols }) {
  const layer = (maps) => (maps.some(Boolean) ? cutPlane(maps, plane, at, rows, cols) : null);
  const named = (name) => layer(slots.map((slice) => slice?.[name] ?? null));
  return {
    rows: slots.length,
    cols: plane === "coronal" ? cols : rows,
    channels: [0, 1, 2].map((channel) => cutPlane(slots.map((s) => s?.channels[channel]), plane, at, rows, cols)),
    probabilityMap: named("probabilityMap"), truth: named("truth"), head: named("head"), heat: null,
    mask: layer(masks),
  };
}

// Where a place lies on a plane, as shares of its width and height.
export function shareOf(place, plane, sizes) {
  const [across, down] = AXES[plane];
  const share = (axis) => (place[axis] + 0.5) / sizes[axis];
  return [share(across), down === "slot" ? 1 - share(down) : share(down)];
}

// The place that is pointed at on a plane; what runs through the plane stays as it is.
export function pointAt(place, plane, x, y, sizes) {
  const [across, down] = AXES[plane];
  const index = (share, axis) => clamp(Math.floor(share * sizes[axis]), sizes[axis]);
  return { ...place, [across]: index(x, across), [down]: index(down === "slot" ? 1 - y : y, down) };
}

// The place that is so many pixels right, down and further through a plane.
export function step(place, plane, [right, down, through], sizes) {
  const [across, along, third] = AXES[plane];
  const by = { [across]: right, [along]: along === "slot" ? -down : down, [third]: through };
  return Object.fromEntries(Object.keys(by).map((axis) => [axis, clamp(place[axis] + by[axis], sizes[axis])]));
}

// The middle of what is marked in a slice, else the slice's own.
export function middle(mask, rows, cols) {
  let [sum, row, col] = [0, 0, 0];
  mask?.forEach((marked, i) => {
    if (marked) [sum, row, col] = [sum + 1, row + Math.floor(i / cols), col + (i % cols)];
  });
  return sum ? { row: Math.round(row / sum), col: Math.round(col / sum) } : { row: rows >> 1, col: cols >> 1 };
}

// The slice in a slot, or the nearest there is.
export function nearest(slots, slot) {
  const found = slots.map((index, at) => [Math.abs(at - slot), index]).filter(([, index]) => index !== null);
  return found.reduce((best, each) => (each[0] < best[0] ? each : best))[1];
}

function clamp(index, size) {
  return Math.max(0, Math.min(size - 1, index));
}
