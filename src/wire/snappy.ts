/** Places of earlier words that are remembered; 16 bits of an offset reach no further back than 64 KiB. */
const slotBits = 14;
const farthest = 65_535;
const longestCopy = 64;

/**
 * The Snappy block format (google/snappy, format_description.txt): the length, then literals and copies of what came before. Greedy and
 * with the one form of copy that has two octets of offset, which is all that repeated label names need.
 */
export function snappyBlock(input: Uint8Array): Buffer {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  // Five octets of input become five at worst (a literal of one, a copy of four), apart from the heads of long literals.
  const out = Buffer.allocUnsafe(32 + bytes.length + Math.ceil(bytes.length / 6));
  let end = writeVarint(out, 0, bytes.length);
  const newest = new Int32Array(1 << slotBits).fill(-1);
  let [at, literalFrom] = [0, 0];
  while (at + 4 <= bytes.length) {
    const word = bytes.readInt32LE(at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - slotBits);
    const before = newest[slot]!;
    newest[slot] = at;
    if (before === -1 || at - before > farthest || bytes.readInt32LE(before) !== word) {
      at++;
      continue;
    }
    let length = 4;
    while (at + length < bytes.length && bytes[before + length] === bytes[at + length]) length++;
    end = writeLiteral(out, end, bytes.subarray(literalFrom, at));
    end = writeCopy(out, end, at - before, length);
    at += length;
    literalFrom = at;
  }
  end = writeLiteral(out, end, bytes.subarray(literalFrom));
  return out.subarray(0, end);
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[end++] = (rest % 0x80) | 0x80;
  out[end++] = rest;
  return end;
}

function writeLiteral(out: Buffer, at: number, literal: Uint8Array): number {
  if (literal.length === 0) return at;
  const less = literal.length - 1;
  let end = at;
  if (less < 60) out[end++] = less << 2;
  else {
    const octets = less < 0x100 ? 1 : less < 0x1_0000 ? 2 : less < 0x100_0000 ? 3 : 4;
    out[end++] = (59 + octets) << 2;
    end = out.writeUIntLE(less, end, octets);
  }
  out.set(literal, end);
  return end + literal.length;
}

function writeCopy(out: Buffer, at: number, offset: number, length: number): number {
  let end = at;
  for (let rest = length; rest > 0; rest -= longestCopy) {
    out[end++] = ((Math.min(rest, longestCopy) - 1) << 2) | 2;
    end = out.writeUInt16LE(offset, end);
  }
  return end;
}
