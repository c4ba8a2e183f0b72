// A small U-Net in TensorFlow.js: its parameters, what it computes, and the losses that it may learn by.

// The gradients of a convolution are convolutions themselves: of the output's gradient with the mirrored
// kernel, and of the input with the output's gradient. TensorFlow.js has no kernel for the second in
// WebAssembly, and its kernel for the first is several times slower.
function convolution(tf) {
  return tf.customGrad((x, kernel, save) => {
    save([x, kernel]);
    const gradFunc = (dy, [input, weights]) => {
      const half = (weights.shape[0] - 1) / 2;
      const across = tf.conv2d(tf.transpose(input, [3, 1, 2, 0]), tf.transpose(dy, [1, 2, 0, 3]), 1, half);
      const back = tf.conv2d(dy, tf.transpose(tf.reverse(weights, [0, 1]), [0, 1, 3, 2]), 1, "same");
      return [back, tf.transpose(across, [1, 2, 0, 3])];
    };
    return { value: tf.conv2d(x, kernel, 1, "same"), gradFunc };
  });
}

// Shapes of all kernels in order: two convolutions a level down, at the bottom, and up, then one of 1 x 1.
export function shapes({ width, depth, skips }) {
  const found = [];
  const block = (from, to) => found.push([3, 3, from, to], [3, 3, to, to]);
  let channels = 3;
  for (let level = 0; level <= depth; level++) {
    block(channels, width << level);
    channels = width << level;
  }
  for (let level = depth - 1; level >= 0; level--) {
    block(channels + (skips ? width << level : 0), width << level);
    channels = width << level;
  }
  found.push([1, 1, channels, 1]);
  return found;
}

export function parameters(setting) {
  return shapes(setting).reduce((sum, [rows, cols, from, to]) => sum + (rows * cols * from + 1) * to, 0);
}

// One network. `setting` has width (channels at full resolution), depth (times it halves), skips, seed.
export class Network {
  constructor(tf, setting) {
    Object.assign(this, { tf, setting, convolve: convolution(tf) });
    this.kernels = [];
    this.biases = [];
    shapes(setting).forEach((shape, index) => {
      const spread = Math.sqrt(2 / (shape[0] * shape[1] * shape[2])); // He 2015
      const seed = 1 + 1000 * setting.seed + index;
      tf.tidy(() => {
        this.kernels.push(tf.variable(tf.randomNormal(shape, 0, spread, "float32", seed)));
        this.biases.push(tf.variable(tf.zeros([shape[3]])));
      });
    });
  }

  // Logits (slices, size, size, 1) of standardized slices (slices, size, size, 3).
  logits(x) {
    const { tf, setting: { depth, skips } } = this;
    let index = 0;
    const step = (value) => {
      const found = tf.add(this.convolve(value, this.kernels[index]), this.biases[index]);
      index++;
      return found;
    };
    const block = (value) => tf.relu(step(tf.relu(step(value))));
    const crossing = [];
    let value = x;
    for (let level = 0; level < depth; level++) {
      value = block(value);
      crossing.push(value);
      value = tf.maxPool(value, 2, 2, "valid");
    }
    value = block(value);
    for (let level = depth - 1; level >= 0; level--) {
      const [, rows, cols] = crossing[level].shape;
      value = tf.image.resizeNearestNeighbor(value, [rows, cols]);
      value = block(skips ? tf.concat([value, crossing[level]], 3) : value);
    }
    return step(value);
  }

  variables() {
    return [...this.kernels, ...this.biases];
  }

  dispose() {
    this.tf.dispose(this.variables());
  }
}

// Losses as `btmodels.training.losses` has them, of logits and truth.
export const LOSSES = {
  bce: (tf, truth, logits) => tf.losses.sigmoidCrossEntropy(truth, logits),
  bce_dice: (tf, truth, logits) => tf.add(LOSSES.bce(tf, truth, logits), softDice(tf, truth, logits)),
};

function softDice(tf, truth, logits) {
  const found = tf.sigmoid(logits);
  const shared = tf.sum(tf.mul(truth, found));
  const all = tf.add(tf.sum(truth), tf.sum(found));
  return tf.sub(1, tf.div(tf.add(tf.mul(2, shared), 1), tf.add(all, 1)));
}
