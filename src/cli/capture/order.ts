import { fileSource, framesOf, readPieces } from '../../gather/capture/open.ts';
import type { Io } from '../../wire/io.ts';

/**
 * Files by the time of their first packet, for who lists them by name: rotated ones are one capture. In the order given where one of them can
 * be read once only; what is no capture comes last.
 */
export async function inOrderOfTime(places: readonly string[], io: Pick<Io, 'fs'>): Promise<readonly string[]> {
  if (places.length < 2) return places;
  const begun: { place: string; atMs: number }[] = [];
  for (const place of places) {
    if (place === '-') return places;
    const size = await io.fs.sizeOf(place).catch(() => 0);
    if (size === null) return places;
    begun.push({ place, atMs: await firstMs(place, io).catch(() => Infinity) });
  }
  // No difference, which two without a time would not have.
  const order = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);
  return begun.toSorted((a, b) => order(a.atMs, b.atMs)).map(({ place }) => place);
}

/** Of the first packet, ms since the epoch; Infinity: there is none, or it has no time. */
async function firstMs(place: string, io: Pick<Io, 'fs'>): Promise<number> {
  let atMs: number | null = null;
  const stop = new AbortController();
  const taker = framesOf(({ hasTime, seconds, nanoseconds }) => {
    atMs ??= hasTime ? seconds * 1000 + nanoseconds / 1e6 : Infinity;
    stop.abort();
  });
  await readPieces(await fileSource(io, place), taker, { signal: stop.signal });
  return atMs ?? Infinity;
}
