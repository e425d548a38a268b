import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileOf } from '../../wire/open-file.ts';
import { sampleOf } from './sample.ts';
import { scan } from './scan.case.ts';

const fixture = join(import.meta.dirname, '../../../test/fixtures/captures/lost-and-late.pcapng.gz');

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
