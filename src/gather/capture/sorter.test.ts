import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { CaptureError, newFrame } from '../../wire/pcap/frame.ts';
import { captureReader } from '../../wire/pcap/reader.ts';
import { handlersOf, sortedSums } from './analyst.ts';
import { Batch, batchMemory } from './batch.ts';
import { Conversations } from './conversations.ts';
import { PacketTap } from './patterns/packet-tap.ts';
import { Sorter } from './sorter.ts';
import { WholeFlows } from './whole-flows.ts';

/** All that is found, whoever finds it. */
function findings(capture: Buffer, threads: number) {
  const found: { exchanges: unknown[]; events: unknown[]; flows: unknown[] } = { exchanges: [], events: [], flows: [] };
  const texts = found as { exchanges: string[]; events: string[]; flows: string[] };
  const tap = new PacketTap(threads);
  const batch = new Batch(batchMemory(1 << 14, (octets) => new ArrayBuffer(octets)));
  const sorter = new Sorter(batch, threads, (...of) => tap.datagram(...of));
  const lookers = Array.from(
    { length: threads },
    (_, index) =>
      new Conversations(
        handlersOf(
          {
            exchange: (...of) => texts.exchanges.push(JSON.stringify(of)),
            event: (...of) => texts.events.push(JSON.stringify(of)),
            flow: (...of) => texts.flows.push(JSON.stringify(of)),
          },
          new PacketTap(threads),
          new WholeFlows('all'),
        ),
        { index, of: threads },
      ),
  );
  const turn = () => {
    const { number } = sorter;
    sorter.close(batch);
    // Threads may have gone on when it is heard which conversations are over.
    const ended = lookers.flatMap((looker) => looker.look(batch));
    late.push(() => sorter.ended(ended, number));
    if (late.length === threads) late.shift()!();
  };
  const late: (() => void)[] = [];
  const reader = captureReader();
  const frame = newFrame();
  try {
    // In pieces of different sizes: where they end makes no difference either.
    const pieceBytes = 40_000 * threads;
    for (let at = 0; at < capture.length; at += pieceBytes) {
      reader.push(capture.subarray(at, at + pieceBytes));
      while (reader.next(frame)) {
        if (!sorter.takes(frame)) turn();
        sorter.add(frame);
      }
      turn();
    }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    turn();
  }
  for (const looker of lookers) looker.finish();
  for (const list of Object.values(texts)) list.sort();
  return { ...texts, whole: sortedSums(sorter), roce: tap.sums().roce };
}

const fixture = join(import.meta.dirname, '../../../test/fixtures/captures/lost-and-late.pcapng.gz');
const folders = [sharedData('captures/public'), sharedData('captures/truth')].filter((folder) => folder !== null);
const files = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(pcap|pcapng|cap|dmp)(\.gz)?$/.test(name))
    // Of the long ones that with losses and late packets, on both sides.
    .filter((name) => !/^(exp1|bulk|nagle)/.test(name))
    .map((name) => join(folder, name)),
);

test('two, or five, that share a capture find what one finds, event by event', { timeout: 60_000 }, () => {
  for (const file of [fixture, ...files]) {
    if (!existsSync(file)) continue;
    const octets = readFileSync(file);
    const capture = octets[0] === 0x1f ? gunzipSync(octets) : octets;
    const one = findings(capture, 1);
    for (const threads of [2, 5]) expect(findings(capture, threads), file).toEqual(one);
  }
});
