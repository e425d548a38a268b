import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Shorter ones are not worth the time, and stay readable for whoever looks with ZooKeeper's own tools. */
const deflateFrom = 512;
const mostOctets = 64 << 20;

/** JSON text as data of a node: the first octet says how it is written. */
export function dataOf(text: string): Buffer {
  const plain = Buffer.from(text, 'utf8');
  if (plain.length < deflateFrom) return Buffer.concat([Buffer.from('j'), plain]);
  return Buffer.concat([Buffer.from('z'), deflateRawSync(plain, { level: 1 })]);
}

/** In place of data that did not fit: names of the nodes that hold it, in their order. */
export const dataOfParts = (names: readonly string[]): Buffer => Buffer.from(`r${names.join(' ')}`);

/** @returns undefined for data that stands for itself */
export function partsOfData(data: Uint8Array): string[] | undefined {
  if (data[0] !== 0x72) return undefined;
  return Buffer.from(data).toString('utf8', 1).split(' ');
}

/** @throws Error for data that we did not write, or that a later version wrote */
export function textOfData(data: Uint8Array): string {
  const tag = String.fromCharCode(data[0] ?? 0);
  const rest = Buffer.from(data).subarray(1);
  if (tag === 'j') return rest.toString('utf8');
  if (tag === 'z') return inflateRawSync(rest, { maxOutputLength: mostOctets }).toString('utf8');
  throw new Error(`expected data that begins with "j" or "z", found ${data.length} octets of another kind`);
}
