import { Batch, batchMemory } from './batch.ts';
import { type CaptureSource, framesOf, readPieces } from './open.ts';
import { Sorter } from './sorter.ts';

/** How much of a capture is looked at to see of what kind it is. */
const sampleBytes = 8e6;
const mostFrames = 1 << 14;

/** Packets of one conversation, on average, at the beginning of a capture; NaN: it has none. Rejects as `readPieces` does. */
export async function packetsPerConversation(source: CaptureSource, octets = sampleBytes): Promise<number> {
  const batch = new Batch(batchMemory(mostFrames, (size) => new ArrayBuffer(size)));
  const sorter = new Sorter(batch, 0);
  const stop = new AbortController();
  const turn = () => sorter.close(batch);
  const taker = framesOf((frame) => {
    if (!sorter.takes(frame)) turn();
    sorter.add(frame);
  }, turn);
  const onProgress = ({ captureBytes }: { captureBytes: number }) => {
    if (captureBytes >= octets) stop.abort();
  };
  await readPieces(source, taker, { signal: stop.signal, onProgress });
  return (sorter.frames - sorter.otherFrames) / sorter.mostFlows;
}
