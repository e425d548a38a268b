import { addressBytes, addressText } from '../../wire/ip.ts';
import type { AutonomousSystem } from '../../model/trace.ts';

/** From an address to the autonomous system that announces it; null: not in this source. */
export type AsnLookup = (address: string) => AutonomousSystem | null;

/** One mistake in a prefix file. */
export interface PrefixMistake {
  line: number;
  message: string;
}

export class PrefixFileError extends Error {
  readonly mistakes: readonly PrefixMistake[];
  constructor(mistakes: readonly PrefixMistake[]) {
    super(mistakes.map(({ line, message }) => `line ${line}: ${message}`).join('\n'));
    this.name = 'PrefixFileError';
    this.mistakes = mistakes;
  }
}

/** A file that is something else altogether is wrong in every line; so many are told. */
const toldMistakes = 20;

/**
 * Reads a table of prefixes: one per line, `10.0.0.0/8 64512 Example`, the parts apart by blanks, commas or tabs, the name
 * optional; `#` begins a comment. The longest prefix that holds an address wins, as in routing.
 *
 * @throws PrefixFileError with every mistake and its line
 */
export function readPrefixTable(text: string): AsnLookup {
  const mistakes: PrefixMistake[] = [];
  const table = new Map<string, AutonomousSystem>();
  const lengths = { 4: new Set<number>(), 16: new Set<number>() };
  let [line, at] = [0, 0];
  // By hand: a full routing table has a million lines, and a split of it is all of them twice.
  while (at < text.length) {
    line++;
    const end = text.indexOf('\n', at);
    const one = text.slice(at, end === -1 ? text.length : end);
    at = end === -1 ? text.length : end + 1;
    const row = readRow(one);
    if (row === null) continue;
    if (typeof row === 'string') mistakes.push({ line, message: row });
    else {
      table.set(keyOf(row.bytes, row.length), row.system);
      lengths[row.bytes.length as 4 | 16].add(row.length);
    }
    if (mistakes.length > toldMistakes) break;
  }
  if (mistakes.length > 0) throw new PrefixFileError(mistakes.slice(0, toldMistakes));
  const longestFirst = {
    4: [...lengths[4]].sort((a, b) => b - a),
    16: [...lengths[16]].sort((a, b) => b - a),
  };
  return (address) => {
    const bytes = bytesOf(address);
    if (!bytes) return null;
    for (const length of longestFirst[bytes.length as 4 | 16]) {
      const found = table.get(keyOf(bytes, length));
      if (found) return found;
    }
    return null;
  };
}

interface Row {
  bytes: Uint8Array;
  length: number;
  system: AutonomousSystem;
}

/** A row, null for a line without one, or what is wrong with it. */
function readRow(line: string): Row | string | null {
  const text = line.replace(/#.*/, '').trim();
  if (text === '') return null;
  const [prefix = '', asn = '', ...name] = text.split(/[\s,;]+/);
  const slash = prefix.lastIndexOf('/');
  const bytes = bytesOf(slash === -1 ? prefix : prefix.slice(0, slash));
  const shown = JSON.stringify(prefix.slice(0, 60));
  if (!bytes || slash === -1) return `found ${shown}; allowed: a prefix such as 10.0.0.0/8 or 2001:db8::/32`;
  const lengthText = prefix.slice(slash + 1);
  const length = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : NaN;
  if (!(length <= 8 * bytes.length))
    return `found the length ${JSON.stringify(lengthText.slice(0, 20))}; allowed: 0 to ${8 * bytes.length}`;
  const number = /^(AS)?\d{1,10}$/i.test(asn) ? Number(asn.replace(/^AS/i, '')) : NaN;
  if (!(number <= 0xffffffff))
    return `found ${JSON.stringify(asn.slice(0, 20))} behind the prefix; allowed: an AS number, 0 to 4294967295`;
  const network = masked(bytes, length);
  if (network.some((byte, i) => byte !== bytes[i]))
    return `${prefix.slice(0, 60)} has bits behind its length; allowed: ${addressText(network)}/${length}`;
  return { bytes, length, system: { number, name: name.join(' '), prefix } };
}

function bytesOf(address: string): Uint8Array | null {
  try {
    return addressBytes(address.replace(/%.*/, ''));
  } catch {
    return null;
  }
}

export function masked(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.map((byte, i) => {
    const kept = Math.min(8, Math.max(0, length - 8 * i));
    return byte & (0xff00 >> kept);
  });
}

/** The bits of the prefix and its length, as a string: families do not mix, and a Map of strings is quick enough. */
function keyOf(bytes: Uint8Array, length: number): string {
  let key = '';
  for (const byte of masked(bytes, length)) key += String.fromCharCode(byte);
  return key + String.fromCharCode(256 + length);
}
