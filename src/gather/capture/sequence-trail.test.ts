import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import type { SequenceTrail } from '../../model/capture/sequence.ts';
import { Analyst } from './analyst.ts';
import { framesOf, readPieces } from './open.ts';
import { SequenceTrails } from './sequence-trail.ts';
import { fileOf } from '../../wire/open-file.ts';

const fixture = fileURLToPath(new URL('../../../test/fixtures/captures/lost-and-late.pcapng.gz', import.meta.url));
const source = () => ({ name: 'fixture', file: fileOf(createReadStream(fixture)), totalBytes: null });

describe('sequence numbers against time', () => {
  const flows: FlowWithExchanges[] = [];
  let trails: readonly SequenceTrail[] = [];

  beforeAll(async () => {
    const { analysis } = new Analyst({ flow: (_, flow) => flow && flows.push(flow) }, { seed: 1, told: 'all' });
    await readPieces(
      source(),
      framesOf((frame) => analysis.frame(frame)),
    );
    analysis.finish();
    const again = new SequenceTrails(flows, 1);
    await readPieces(
      source(),
      framesOf((frame) => again.frame(frame)),
    );
    again.finish();
    ({ trails } = again);
  });

  test('each answer has the packets of its time, in the stream of the server', () => {
    expect(trails.map(({ flow }) => flow)).toEqual(flows.map(({ number }) => number));
    for (const { marks, acknowledged, fromMs, toMs, leftOut } of trails) {
      expect(marks.length).toBeGreaterThan(30);
      expect(leftOut).toBe(0);
      for (const { ms, offset } of marks) {
        expect(ms).toBeGreaterThanOrEqual(fromMs);
        expect(ms).toBeLessThanOrEqual(toMs);
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset).toBeLessThan(20_000);
      }
      // The client acknowledges nothing beyond what was sent.
      const sent = Math.max(...marks.map(({ offset, octets }) => offset + octets));
      expect(Math.max(...acknowledged.map(({ offset }) => offset))).toBeLessThanOrEqual(sent);
    }
  });

  test('what was sent again is what the first look found', () => {
    for (const [i, { marks, fromMs, toMs }] of trails.entries()) {
      const { retransmittedSegments, originalsUnseen, reordered } = flows[i]!.tcp!.server;
      const of = (...kinds: string[]) => marks.filter(({ kind }) => kinds.includes(kind)).length;
      expect(of('again', 'again-unseen', 'needless')).toBeLessThanOrEqual(retransmittedSegments);
      expect(of('again-unseen')).toBeLessThanOrEqual(originalsUnseen);
      expect(of('overtaken')).toBeLessThanOrEqual(reordered);
      expect(toMs).toBeGreaterThan(fromMs);
    }
    const all = trails.flatMap(({ marks }) => marks);
    expect(all.filter(({ kind }) => kind === 'again-unseen').length).toBeGreaterThan(3);
  });
});
