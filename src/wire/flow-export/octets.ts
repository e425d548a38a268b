/** Unsigned number of `length` octets in network order: what RFC 7011 §6.2 lets exporters shorten. NaN beyond 64 bits. */
export function unsigned(bytes: Buffer, at: number, length: number): number {
  if (length === 4) return bytes.readUInt32BE(at);
  if (length === 2) return bytes.readUInt16BE(at);
  if (length === 1) return bytes[at]!;
  if (length === 8) return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
  if (length === 0) return 0;
  if (length <= 6) return bytes.readUIntBE(at, length);
  return length === 7 ? bytes.readUIntBE(at, 3) * 2 ** 32 + bytes.readUInt32BE(at + 3) : Number.NaN;
}
