import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as make from '../../wire/packet/frames.case.ts';
import { captureHeader, recordLength, writeRecord } from '../../wire/pcap/write.ts';
import { sampleOf } from './sample.ts';
import { fileOf } from '../../wire/open-file.ts';

const fixture = join(import.meta.dirname, '../../../test/fixtures/captures/lost-and-late.pcapng.gz');

/** A file of libpcap with `packets` of so many conversations, in turns. */
function* scan(packets: number, conversations: number): Generator<Uint8Array> {
  yield captureHeader(1, 65_535);
  const none = Buffer.alloc(0);
  for (let i = 0; i < packets; i++) {
    const octets = make.ethernetFrame(
      0x0800,
      make.ip4({ protocol: 6, id: i & 0xffff }, make.tcp({ sequence: i }, none)),
    );
    octets.writeUInt16BE(1024 + (i % conversations), 34);
    const frame = { ...make.frameOf(octets), seconds: i };
    const record = Buffer.alloc(recordLength(frame));
    writeRecord(record, 0, frame);
    yield record;
  }
}

const sourceOf = (pieces: Iterable<Uint8Array>) => ({
  name: 'x',
  file: fileOf(
    (async function* () {
      await Promise.resolve();
      yield* pieces;
    })(),
  ),
  totalBytes: null,
});

test('counts the packets of each conversation', async () => {
  expect(await sampleOf(sourceOf(scan(600, 200)))).toEqual({ packets: 600, packetsPerConversation: 3 });
  expect(await sampleOf(sourceOf(scan(600, 1)))).toEqual({ packets: 600, packetsPerConversation: 600 });
  const streams = { name: 'x', file: fileOf(createReadStream(fixture)), totalBytes: null };
  expect((await sampleOf(streams)).packetsPerConversation).toBeGreaterThan(50);
});

test('looks at the beginning only', async () => {
  let given = 0;
  const counted = (function* () {
    for (const piece of scan(1e6, 10)) {
      given += piece.length;
      yield piece;
    }
  })();
  const { packets, packetsPerConversation } = await sampleOf({ ...sourceOf(counted), totalBytes: 70e6 }, 70_000);
  expect(packetsPerConversation).toBeCloseTo(100, -1);
  expect(packets).toBeCloseTo(1e6, -4);
  expect(given).toBeLessThan(71_000);
});

test('of a capture without conversations nobody knows', async () => {
  expect((await sampleOf(sourceOf(scan(0, 1)))).packetsPerConversation).toBeNaN();
});
