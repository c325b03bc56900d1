// Arrays as ../packing.py packs them: base64 of gzip; 16-bit numbers as differences from row to row,
// all low bytes before all high ones.

async function unzipped(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function summedRows(bytes, width) {
  const count = bytes.length / 2;
  const numbers = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const before = i < width ? 0 : numbers[i - width];
    numbers[i] = before + bytes[i] + 256 * bytes[count + i]; // modulo 65,536, as packed
  }
  return numbers;
}

// A Float32Array, Uint8Array or Uint16Array; of 16-bit numbers with a scale a Float32Array.
async function unpacked(packed) {
  const bytes = await unzipped(packed.data);
  if (packed.kind === "u1") return bytes;
  if (packed.kind === "f4") return new Float32Array(bytes.buffer);
  const width = packed.shape.slice(1).reduce((product, size) => product * size, 1);
  const numbers = summedRows(bytes, width);
  if (packed.kind === "u2") return numbers;
  return Float32Array.from(new Int16Array(numbers.buffer), (number) => number * packed.scale);
}
