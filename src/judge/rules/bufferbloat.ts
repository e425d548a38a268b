import type { ThroughputTest } from '../../model/throughput.ts';
import { gradeMeaning } from '../../model/throughput-advice.ts';
import { sorted } from '../../stats/quantile.ts';
import { againstQuantile } from '../against.ts';
import { type Draft, evidenceOf, perEndpoint } from '../per-endpoint.ts';
import { count, ms, needs, range } from '../say.ts';

const PERCENTILE = 95;
/** Samples taken from one bucket at most: a report that claims more gains nothing by it. */
const BUCKET_MAX = 5000;

export const bufferbloat = perEndpoint(
  { id: 'bufferbloat', about: 'Do round trips stay short while the path is full?', pillar: 'speed' },
  ({ view, name, targets, class: workload }): Draft | null => {
    const tests = view.of('throughput', name).flatMap((o) => o.test ?? []);
    const rising = sorted(tests.flatMap(increases));
    if (rising.length === 0) return null;
    const { max } = targets.networkPdvMs;
    const judged = againstQuantile(rising, { max, percentile: PERCENTILE });
    const interval = judged.interval ? ` ${range(judged.interval)}` : '';
    const claim = `while data flows, a round trip takes ${ms(judged.value)}${interval} longer than the idle one (p95) against ${ms(max)} of delay variation that ${workload} allows (n = ${judged.n})`;
    return {
      verdict: judged.verdict,
      claim: judged.verdict === 'unknown' ? `${claim}: ${needs(judged.missing, 'round trip under load')}` : claim,
      details: [gradeOf(tests), tests.length > 1 ? `over ${count(tests.length, 'test')}` : null],
      evidence: [
        evidenceOf('round trip under load above idle, p95', 'ms', judged, tests[0]?.latency?.how ?? 'unknown'),
      ],
      coverage: judged.coverage,
      remedy:
        judged.verdict === 'fail'
          ? {
              text: 'turn on fq_codel or CAKE at the slowest link, or shape to a little below its rate on a device that has them; give inference its own class where bulk traffic shares the link',
              gainMs: judged.value,
            }
          : undefined,
    };
  },
);

/** What each round trip under load took above the idle median of its own test, by the middles of the buckets. */
function increases({ latency }: ThroughputTest): number[] {
  if (!latency?.idle || !latency.loaded) return [];
  const { medianMs } = latency.idle;
  return latency.loaded.histogram.flatMap(({ lowMs, highMs, count: n }) =>
    Array.from({ length: Math.min(BUCKET_MAX, Math.max(0, n)) }, () => Math.max(0, (lowMs + highMs) / 2 - medianMs)),
  );
}

function gradeOf(tests: readonly ThroughputTest[]): string | null {
  const grades = tests.flatMap(({ latency }) => latency?.grade ?? []).sort();
  // "A" sorts before "A+", though it is worse; every other letter sorts by itself.
  const worst = grades.includes('A') && grades.every((g) => g.startsWith('A')) ? 'A' : grades.at(-1);
  return worst === undefined ? null : `grade ${worst}: ${gradeMeaning[worst]}`;
}
