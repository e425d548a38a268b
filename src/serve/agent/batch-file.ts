import { crc32 } from 'node:zlib';

/** A batch as it lies in the spool and goes over the wire. */
export interface EncodedBatch {
  /** Idempotency key: the server stores what carries it once, however often it comes. */
  key: string;
  /** How many samples are in it: what is lost when it is dropped. */
  samples: number;
  encoding: 'identity' | 'gzip';
  /** The body of the request, JSON of `batchBody` in this encoding. */
  payload: Uint8Array;
}

/** Octets before the payload: magic, version, encoding, length of the key, samples, length of the payload, CRC-32; then the key. */
const headBytes = 20;
const magic = 0x49465042; // "IFPB"
const version = 1;
const encodings = ['identity', 'gzip'] as const;

/** The octets of a batch file. */
export function encodeBatchFile(batch: EncodedBatch): Buffer {
  const key = Buffer.from(batch.key, 'ascii');
  const file = Buffer.alloc(headBytes + key.length + batch.payload.length);
  file.writeUInt32BE(magic, 0);
  file.writeUInt8(version, 4);
  file.writeUInt8(encodings.indexOf(batch.encoding), 5);
  file.writeUInt16BE(key.length, 6);
  file.writeUInt32BE(batch.samples, 8);
  file.writeUInt32BE(batch.payload.length, 12);
  file.set(key, headBytes);
  file.set(batch.payload, headBytes + key.length);
  file.writeUInt32BE(checksum(file), 16);
  return file;
}

/** What a batch file holds; null when it is torn, damaged, or none of ours. */
export function decodeBatchFile(file: Buffer): EncodedBatch | null {
  if (file.length < headBytes || file.readUInt32BE(0) !== magic || file.readUInt8(4) !== version) return null;
  const encoding = encodings[file.readUInt8(5)];
  const payloadAt = headBytes + file.readUInt16BE(6);
  if (!encoding || file.length !== payloadAt + file.readUInt32BE(12)) return null;
  if (file.readUInt32BE(16) !== checksum(file)) return null;
  return {
    key: file.toString('ascii', headBytes, payloadAt),
    samples: file.readUInt32BE(8),
    encoding,
    payload: file.subarray(payloadAt),
  };
}

/** Over everything but the checksum itself. */
function checksum(file: Buffer): number {
  return crc32(file.subarray(headBytes), crc32(file.subarray(0, 16)));
}

/** What the name of a batch file says, so that opening a spool of thousands reads one directory and no file. */
export interface BatchName {
  sequence: number;
  samples: number;
  /** Length of the file. */
  bytes: number;
  key: string;
}

const namePattern = /^(\d{12,16})_(\d{1,10})_(\d{1,10})_([A-Za-z0-9.:-]{8,128})\.batch$/;

export function batchName({ sequence, samples, bytes, key }: BatchName): string {
  return `${String(sequence).padStart(12, '0')}_${samples}_${bytes}_${key}.batch`;
}

export function parseBatchName(name: string): BatchName | null {
  const [, sequence, samples, bytes, key] = namePattern.exec(name) ?? [];
  if (key === undefined) return null;
  return { sequence: Number(sequence), samples: Number(samples), bytes: Number(bytes), key };
}
