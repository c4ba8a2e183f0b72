// Undo ui/viewer/message.py: length of the head, the head as JSON, then the packed planes it points into.
export function readMessage(data) {
  const head = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const meta = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + head)));
  const planes = data.slice(4 + head); // a copy: the buffer belongs to Streamlit
  const part = (name) => {
    if (!(name in meta.parts)) return null;
    const [offset, length] = meta.parts[name];
    return planes.subarray(offset, offset + length);
  };
  return { meta, part };
}
