// What figures of lessons share: numbers in words, SVG, and JSON that Python deflated.

// Undo zlib.compress of JSON in Python.
export async function inflateJson(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// 1234567 as "1.23 million"; below ten thousand digits are grouped.
export function large(number) {
  for (const [size, word] of [[1e9, "billion"], [1e6, "million"], [1e4, "thousand"]]) {
    if (number >= size) {
      const scaled = number / (size === 1e4 ? 1e3 : size);
      return `${scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0)} ${word}`;
    }
  }
  return number.toLocaleString("en-US");
}

export function megabytes(bytes) {
  const size = bytes / 1e6;
  return `${size < 10 ? size.toFixed(1) : Math.round(size).toLocaleString("en-US")} MB`;
}

// An element with a text.
export function element(name, text = "") {
  return Object.assign(document.createElement(name), { textContent: text });
}

// A radio for each choice, a value and its words.
export function radioLabels(choices) {
  return choices.map(([value, words]) => {
    const radio = Object.assign(document.createElement("input"), { type: "radio", value });
    const label = document.createElement("label");
    label.append(radio, element("span", words));
    return label;
  });
}

export function svg(name, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}

// Middle of what is marked, and of the slice where nothing is.
export function middleOf(mask, rows, cols) {
  let [number, down, right] = [0, 0, 0];
  for (let i = 0; mask && i < mask.length; i++) {
    if (!mask[i]) continue;
    number++;
    down += Math.floor(i / cols);
    right += i % cols;
  }
  return number ? [Math.round(down / number), Math.round(right / number)] : [rows >> 1, cols >> 1];
}
