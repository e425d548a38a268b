import type { InferenceRequest } from '../model/inference.ts';

/** For each request: how many requests, itself included, were running when it began. O(n log n). */
export function overlaps(requests: readonly InferenceRequest[]): number[] {
  const starts = requests.map((r) => Date.parse(r.startedAt));
  const ends = requests.map((r, i) => starts[i]! + lengthMs(r)).sort((a, b) => a - b);
  const order = requests.map((_, i) => i).sort((a, b) => starts[a]! - starts[b]!);
  const running = requests.map(() => 1);
  let ended = 0;
  for (const [begun, i] of order.entries()) {
    while (ended < ends.length && ends[ended]! <= starts[i]!) ended++;
    running[i] = Math.max(1, begun + 1 - ended);
  }
  return running;
}

function lengthMs({ phases: p, outcome }: InferenceRequest): number {
  const known = p.eofMs ?? p.totalMs ?? p.ttftMs ?? p.ttfbMs;
  return Math.max(0, known ?? (outcome.kind === 'timedOut' ? outcome.afterMs : 0));
}
