import * as z from 'zod';
import { type ServerReported, serverReported } from '../../model/inference.ts';

const begin = '"reported":[';
const list = z.array(serverReported).max(50);

/** Which interval of a request a server itself has timed. */
export type ReportedInterval = 'ttft' | 'total';

/**
 * What the server said of its own times, in an observation that is stored as JSON text, without parsing the rest of it. Left out: what
 * a proxy in front measured, what ends with the headers, and what leaves the wait in a queue out: none is the interval that the
 * conventions mean.
 */
export function eachReported(detail: string, take: (covers: ReportedInterval, valueMs: number) => void): void {
  const from = detail.indexOf(begin);
  if (from === -1 || detail[from + begin.length] === ']') return;
  // Names of fields and headers are in it, and no bracket.
  const end = detail.indexOf(']', from);
  const taken = new Set<ReportedInterval>();
  for (const one of read(detail.slice(from + begin.length - 1, end + 1))) {
    const { covers, by, valueMs, floor } = one;
    if (by !== 'server' || floor === true || covers === 'headers' || taken.has(covers)) continue;
    // A server that says it in two places has still answered once.
    taken.add(covers);
    take(covers, valueMs);
  }
}

function read(text: string): ServerReported[] {
  try {
    return list.safeParse(JSON.parse(text)).data ?? [];
  } catch {
    return [];
  }
}
