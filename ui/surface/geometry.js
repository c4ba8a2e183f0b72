// What a surface needs to be lit and turned.

// Unit normals of vertices: the sum of the triangles' around each, weighted by area. Places are x, y, z;
// triangles run counterclockwise as seen from outside, as btmodels/measurement/surface.py makes them.
export function normalsOf(places, indices) {
  const normals = new Float32Array(places.length);
  const at = (vertex, axis) => places[3 * vertex + axis];
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [indices[t], indices[t + 1], indices[t + 2]];
    const u = [0, 1, 2].map((axis) => at(b, axis) - at(a, axis));
    const v = [0, 1, 2].map((axis) => at(c, axis) - at(a, axis));
    for (let axis = 0; axis < 3; axis++) {
      const [one, two] = [(axis + 1) % 3, (axis + 2) % 3];
      const value = u[one] * v[two] - u[two] * v[one];
      for (const vertex of [a, b, c]) normals[3 * vertex + axis] += value;
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    for (let axis = 0; axis < 3; axis++) normals[i + axis] /= length;
  }
  return normals;
}

// The matrix, column by column, from x, y (to the back), z (up) of a stack to the screen's right, up and toward
// the eye: at 0, 0 the face looks out of the screen. Yaw turns around the body's axis, pitch tips the top forward.
export function rotation(yaw, pitch) {
  const [s, c] = [Math.sin(yaw), Math.cos(yaw)];
  const [t, d] = [Math.sin(pitch), Math.cos(pitch)];
  // Right = c x - s y, toward = -s x - c y before the tip; then up and toward are turned by the pitch.
  return new Float32Array([c, t * s, -d * s, -s, t * c, -d * c, 0, d, t]);
}
