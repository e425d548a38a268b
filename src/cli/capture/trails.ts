import { captureSource, framesOf, readPieces } from '../../gather/capture/open.ts';
import { SequenceTrails } from '../../gather/capture/sequence-trail.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import type { SequenceTrail } from '../../model/capture/sequence.ts';
import type { Io } from '../../wire/io.ts';
import type { CaptureProgressLine } from './progress.ts';

/** Pictures of one page: each is some ten thousand octets. */
const mostTrails = 6;

/** Reads the files again for sequence numbers of the worst streams. Nothing of stdin and interfaces, which are gone. */
export async function sequenceTrails(
  places: readonly string[],
  streams: readonly FlowWithExchanges[],
  progress: CaptureProgressLine,
  io: Io,
): Promise<readonly SequenceTrail[]> {
  const files = places.includes('-') || io.signals.interrupted.aborted ? [] : places;
  if (files.length === 0 || streams.length === 0) return [];
  const trails = new SequenceTrails(streams.slice(0, mostTrails), io.random.next() * 2 ** 32);
  for (const place of files) {
    // Nor of a pipe with a name, which nobody may fill any longer.
    const size = await io.fs.sizeOf(place).catch(() => null);
    const source = size === null ? null : await captureSource(io, place).catch(() => null);
    if (!source) continue;
    trails.beginFile();
    const taker = framesOf(
      (frame) => trails.frame(frame),
      () => undefined,
    );
    await readPieces(source, taker, {
      signal: io.signals.interrupted,
      onProgress: (of) => progress.file(`${place} again, for the charts`, of),
    });
  }
  trails.finish();
  progress.end();
  return trails.trails;
}
