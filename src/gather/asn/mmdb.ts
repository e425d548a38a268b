import { Reader, type Response } from 'mmdb-lib';
import { printable } from '../../model/outcome.ts';
import { addressBytes, addressText } from '../../wire/ip.ts';
import { type AsnLookup, masked } from './prefix-table.ts';

/**
 * Reads a database of autonomous systems in the MaxMind DB format, as several publish them for download. Whose keys: those of
 * GeoLite2 ASN and its like, and those of IPinfo's.
 *
 * @throws TypeError when the bytes are no such database
 */
export function readAsnDatabase(bytes: Uint8Array): AsnLookup {
  let reader: Reader<Response>;
  try {
    reader = new Reader<Response>(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw new TypeError(`no MaxMind DB: ${printable(error instanceof Error ? error.message : String(error))}`);
  }
  const isV4Only = reader.metadata.ipVersion === 4;
  return (address) => {
    const plain = address.replace(/%.*/, '');
    if (isV4Only && plain.includes(':')) return null;
    try {
      const [record, length] = reader.getWithPrefixLength(plain);
      const system = systemOf(record);
      return system && { ...system, prefix: prefixText(plain, length) };
    } catch {
      // A damaged record, found only when its address is asked for: then this source does not know it.
      return null;
    }
  };
}

function systemOf(record: unknown): { number: number; name: string } | null {
  if (typeof record !== 'object' || record === null) return null;
  const fields = record as Record<string, unknown>;
  const number = fields['autonomous_system_number'] ?? fields['asn'];
  const digits = typeof number === 'string' ? Number(number.replace(/^AS/i, '')) : number;
  if (typeof digits !== 'number' || !Number.isInteger(digits) || digits < 0 || digits > 0xffffffff) return null;
  const name = fields['autonomous_system_organization'] ?? fields['as_name'] ?? fields['name'];
  return { number: digits, name: typeof name === 'string' ? printable(name, 100) : '' };
}

/** The library counts the length of IPv4 prefixes from the begin of the IPv4 address. */
function prefixText(address: string, length: number): string {
  const bytes = addressBytes(address);
  const within = Math.min(8 * bytes.length, Math.max(0, length));
  return `${addressText(masked(bytes, within))}/${within}`;
}
