// Public captures that are damaged at random, by both: what tshark does with packets that no capture of ours holds. See README.md.
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readCapture } from '../../src/gather/capture/open.ts';
import { compare, describe } from '../../test/compat/compare.ts';
import { sharedData } from '../../test/shared-data.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { fileOf } from '../../src/wire/open-file.ts';

const rounds = Number(process.argv[2] ?? 1);
const firstSeed = Number(process.argv[3] ?? 1);
const folder = process.env['CAPTURES'] ?? sharedData('captures/public');
if (folder === null) throw new Error('no captures: set CAPTURES to a folder of them');
const files = readdirSync(folder)
  .filter((name) => /\.(pcap|pcapng|cap|dmp)(\.gz)?$/.test(name))
  .map((name) => join(folder, name))
  .filter((file) => existsSync(file))
  .sort();

interface Packet {
  link: number;
  ns: bigint;
  bytes: Buffer;
  length: number;
}
/** Of a long capture a window: a run is for many shapes, not for many packets. */
const mostPackets = 300;
const scratch = mkdtempSync(join(tmpdir(), 'compat-mutate-'));
const totals = { files: 0, packets: 0, tcp: 0, flags: 0, different: 0, filesDifferent: 0 };
for (const file of files) {
  const all = await packetsOf(file);
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    const random = seededRandom(seed);
    const start = Math.floor(random() * Math.max(1, all.length - mostPackets));
    const packets = mutated(all.slice(start, start + mostPackets), random);
    const path = join(scratch, `${seed}-${basename(file).replace(/\..*$/, '')}.pcap`);
    writeFileSync(path, pcap(packets));
    const { packets: count, tcp, flags, differences, missing } = await compare(path);
    totals.files++;
    totals.packets += count;
    totals.tcp += tcp;
    totals.flags += flags;
    totals.different += differences.length + missing;
    if (differences.length + missing === 0) {
      rmSync(path);
      continue;
    }
    totals.filesDifferent++;
    console.log(`${path}: ${differences.length} of ${count} differ, ${missing} missing`);
    for (const difference of differences.slice(0, Number(process.env['SHOW'] ?? 3))) console.log(describe(difference));
  }
}
console.log(JSON.stringify(totals));

/** The packets of its first link type: a classic file has one. */
async function packetsOf(file: string): Promise<Packet[]> {
  const packets: Packet[] = [];
  await readCapture({ name: file, file: fileOf(createReadStream(file)), totalBytes: null }, (frame) => {
    const { linkType, seconds, nanoseconds, originalLength: length } = frame;
    const bytes = Buffer.from(frame.bytes.subarray(frame.start, frame.end));
    packets.push({ link: linkType, ns: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds), bytes, length });
  });
  return packets.filter(({ link }) => link === packets[0]!.link);
}

/** Left out, doubled, overtaken, cut short, and with wrong octets in their headers. */
function mutated(packets: readonly Packet[], random: () => number): Packet[] {
  const result: Packet[] = [];
  const how = Math.floor(random() * 4);
  for (const packet of packets) {
    if (random() < 0.04) continue;
    const copy = { ...packet, bytes: Buffer.from(packet.bytes) };
    result.push(copy);
    if (random() < 0.04) result.push({ ...packet, ns: packet.ns + BigInt(Math.floor(random() * 1e9)) });
    if (how === 0) continue;
    if (random() < 0.06) copy.bytes = copy.bytes.subarray(0, Math.floor(random() * Math.min(120, copy.bytes.length)));
    if (how === 1) continue;
    const flips = random() < 0.15 ? 1 + Math.floor(random() * 3) : 0;
    for (let i = 0; i < flips && copy.bytes.length > 0; i++) {
      const at = Math.floor(random() * Math.min(how === 2 ? 100 : 64, copy.bytes.length));
      copy.bytes[at] = random() < 0.5 ? copy.bytes[at]! ^ (1 << Math.floor(random() * 8)) : Math.floor(random() * 256);
    }
  }
  for (let i = 1; i < result.length; i++)
    if (random() < 0.04) [result[i - 1], result[i]] = [result[i]!, result[i - 1]!];
  return result;
}

/** With nanoseconds. */
function pcap(packets: readonly Packet[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b23c4d, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(262_144, 16);
  head.writeUInt32LE(packets[0]?.link ?? 1, 20);
  const records = packets.flatMap(({ ns, bytes, length }) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Number(ns / 1_000_000_000n), 0);
    record.writeUInt32LE(Number(ns % 1_000_000_000n), 4);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(Math.max(length, bytes.length), 12);
    return [record, bytes];
  });
  return Buffer.concat([head, ...records]);
}
