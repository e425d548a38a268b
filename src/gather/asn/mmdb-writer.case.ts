import { addressBytes } from '../../wire/ip.ts';

type Value = string | number | { [key: string]: Value };

/**
 * A small MaxMind DB (format 2.0, 24-bit records, IPv6 tree with IPv4 below ::/96), for tests: later prefixes are put over
 * earlier ones, so longer ones have to come later.
 */
export function writeMmdb(rows: readonly { prefix: string; record: Record<string, Value> }[]): Uint8Array {
  /** Each node has two sides; a number is another node, a row is data, null nothing. */
  const nodes: [side0: Side, side1: Side][] = [[null, null]];
  const data: Buffer[] = [];
  const offsets: number[] = [];
  let size = 0;
  for (const { record } of rows) {
    const bytes = encode(record);
    data.push(bytes);
    offsets.push(size);
    size += bytes.length;
  }
  for (const [row, { prefix }] of rows.entries()) insert(nodes, bitsOf(prefix), { row });
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [n, sides] of nodes.entries())
    for (const [s, side] of sides.entries()) {
      const value =
        side === null ? nodes.length : typeof side === 'number' ? side : nodes.length + 16 + offsets[side.row]!;
      tree.writeUIntBE(value, n * 6 + s * 3, 3);
    }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_700_000_000,
    database_type: 'Test-ASN',
    ip_version: 6,
    node_count: nodes.length,
    record_size: 24,
  });
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\u00ab\u00cd\u00efMaxMind.com', 'latin1'),
    metadata,
  ]);
}

type Side = number | null | { row: number };

function insert(nodes: [Side, Side][], bits: readonly number[], leaf: { row: number }): void {
  let at = 0;
  for (const [depth, bit] of bits.entries()) {
    if (depth === bits.length - 1) {
      nodes[at]![bit] = leaf;
      return;
    }
    const next = nodes[at]![bit] ?? null;
    if (typeof next === 'number') at = next;
    else {
      // Below a shorter prefix both sides begin with its data.
      nodes.push([next, next]);
      nodes[at]![bit] = nodes.length - 1;
      at = nodes.length - 1;
    }
  }
}

function bitsOf(prefix: string): number[] {
  const [address = '', length = ''] = prefix.split('/');
  const bytes = addressBytes(address);
  const all = bytes.length === 4 ? [...Array.from({ length: 12 }, () => 0), ...bytes] : [...bytes];
  const bits = all.flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
  return bits.slice(0, Number(length) + (bytes.length === 4 ? 96 : 0));
}

/** Data types of the format: 2 is text, 6 a 32-bit number, 7 a map. */
function encode(value: Value): Buffer {
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(5);
    bytes[0] = (6 << 5) | 4;
    bytes.writeUInt32BE(value, 1);
    return bytes;
  }
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    if (text.length < 29) return Buffer.concat([Buffer.from([(2 << 5) | text.length]), text]);
    return Buffer.concat([Buffer.from([(2 << 5) | 29, text.length - 29]), text]);
  }
  const entries = Object.entries(value);
  return Buffer.concat([
    Buffer.from([(7 << 5) | entries.length]),
    ...entries.flatMap(([k, v]) => [encode(k), encode(v)]),
  ]);
}
