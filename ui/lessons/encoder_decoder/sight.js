// Carries what a measurement found to the picture of the U; draws nothing.
// Python puts masks.js and message.js before this file.

export default function ({ data }) {
  const { meta, part } = readMessage(data);
  unpack(part("sight"), 1, meta.size, meta.size).then(([levels]) => {
    window.dispatchEvent(new CustomEvent("lesson-sight", { detail: { ...meta, levels } }));
  });
}
