// What osimexp/visual/page/packing.py packs, unpacked again.

export async function load(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}`);
  const plain = response.body.pipeThrough(new DecompressionStream("gzip"));
  return unpack(await new Response(plain).arrayBuffer());
}

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let offset = 4 + length;
  const arrays = {};
  for (const entry of header.arrays) {
    const count = entry.shape.reduce((product, n) => product * n, 1);
    const read = entry.kind === "integers" ? integers : levels;
    arrays[entry.name] = { shape: entry.shape, values: read(buffer, offset, count, entry) };
    const bytes = entry.kind === "integers" ? 4 * count : 2 * count;
    offset += bytes + ((4 - (bytes % 4)) % 4);
  }
  return { ...header, arrays };
}

function integers(buffer, offset, count) {
  return new Uint32Array(buffer, offset, count);
}

// Differences of 16-bit levels, column after column, to values, row after row.
function levels(buffer, offset, count, entry) {
  const low = new Uint8Array(buffer, offset, count);
  const high = new Uint8Array(buffer, offset + count, count);
  const columns = entry.low.length;
  const rows = columns ? count / columns : 0;
  const values = new Float32Array(count);
  for (let column = 0, k = 0; column < columns; column++) {
    let level = 0;
    for (let row = 0; row < rows; row++, k++) {
      level = (level + low[k] + 256 * high[k]) & 65535;
      values[row * columns + column] = entry.low[column] + level * entry.step[column];
    }
  }
  return values;
}
