import type { BloatGrade, LimitedBy, ThroughputTest } from './throughput.ts';

/** What each grade means for somebody who waits for a stream of tokens on the same path. */
export const gradeMeaning: Record<BloatGrade, string> = {
  'A+': 'nobody notices the load',
  A: 'good: the load hardly shows',
  B: 'the load shows in interactive use',
  C: 'bufferbloat, requests wait behind the load',
  D: 'heavy bufferbloat, every request waits behind the load',
  F: 'severe bufferbloat, interactive use breaks while there is load',
};

const bad: readonly BloatGrade[] = ['C', 'D', 'F'];

const causeAdvice: Partial<Record<LimitedBy['cause'], string>> = {
  'this-tool': 'the path carries more than this machine can move: measure from a faster machine, or with --parallel',
  'peer-cpu': 'the server was at its limit, not the path: use a faster one, or one that is not busy',
  'receiver-window':
    'let the receiver take more in flight: raise the maximum of net.ipv4.tcp_rmem there (or drop --window), or use --parallel',
  'send-buffer':
    'let the sender keep more in flight: raise the maximum of net.ipv4.tcp_wmem there (or drop --window), or use --parallel',
};

/** What to change, by what the test showed; nothing where nothing is wrong. */
export function throughputAdvice(test: ThroughputTest): string[] {
  const advice = new Set<string>();
  const { latency, directions } = test;
  if (latency?.grade && bad.includes(latency.grade))
    advice.add(
      'the queue in front of the slowest link is too long: turn on fq_codel or CAKE there, or shape to a little below its ' +
        'rate on a device that has them; until then bulk traffic delays every inference request on this path',
    );
  for (const { limitedBy } of directions) {
    const text = causeAdvice[limitedBy.cause];
    if (text !== undefined) advice.add(text);
  }
  if (latency?.method === 'tcp-connect')
    advice.add(
      'the idle round trip rests on a few handshakes: run "inferpath throughput --serve" at the far end for its echo, or permit ICMP',
    );
  return [...advice];
}
