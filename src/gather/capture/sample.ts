import { Batch, batchMemory } from './batch.ts';
import { type CaptureSource, framesOf, readPieces } from './open.ts';
import { Sorter } from './sorter.ts';

/** How much of a capture is looked at to see of what kind it is. */
const sampleBytes = 8e6;
const mostFrames = 1 << 14;

export interface Sample {
  /** Of the whole capture, if it goes on as it begins. */
  packets: number;
  /** On average; NaN: it has no conversations. */
  packetsPerConversation: number;
}

/** What the beginning of a capture is like. Rejects as `readPieces` does. */
export async function sampleOf(source: CaptureSource, octets = sampleBytes): Promise<Sample> {
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
  const { doneBytes, totalBytes } = await readPieces(source, taker, { signal: stop.signal, onProgress });
  const { frames, otherFrames, mostFlows } = sorter;
  return {
    packets: frames * Math.max(1, (totalBytes ?? 0) / doneBytes),
    packetsPerConversation: (frames - otherFrames) / mostFlows,
  };
}
