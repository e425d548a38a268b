import type { Evidence } from '../../model/finding.ts';
import { lateLoopMs, type ResponsivenessDirection } from '../../model/responsiveness.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { ms, range } from '../say.ts';

/** Moving averages at the end of a direction whose spread stands for the uncertainty of its result; the draft looks at as many. */
const LAST = 4;
const MS_PER_MINUTE = 60_000;

/** What the load adds to a round trip in one direction: lowest, reported and highest of the last moving averages. */
interface Added {
  result: ResponsivenessDirection;
  rpm: number;
  idleMs: number;
  addedMs: number;
  interval: readonly [number, number];
  probes: number;
}

export const responsiveness = perEndpoint(
  { id: 'responsiveness', about: 'Do requests stay quick while the path is full?', pillar: 'speed' },
  ({ view, name, targets, class: workload }): Draft | null => {
    const seen = view.of('responsiveness', name);
    const all = seen.flatMap((one) => one.directions.flatMap((direction) => added(direction, one.idle?.rpm) ?? []));
    const worst = all.toSorted((a, b) => b.addedMs - a.addedMs)[0];
    if (worst === undefined) return null;
    const { max } = targets.networkPdvMs;
    const late = seen.some(({ eventLoopLagP99Ms }) => eventLoopLagP99Ms > lateLoopMs);
    const [verdict, why] = verdictOf(all, max, late);
    const claim = `during ${article(worst.result)} a round trip takes ${ms(worst.addedMs)} ${range(worst.interval)} longer than the idle one (mean of TCP, TLS and HTTP) against ${ms(max)} of delay variation that ${workload} allows`;
    return {
      verdict,
      claim: why === null ? claim : `${claim}: ${why}`,
      details: all.map(say),
      evidence: all.flatMap((one) => evidenceFor(one, seen[0]?.how ?? 'unknown')),
      coverage: verdict === 'unknown' ? 0.5 : 1,
      remedy:
        verdict === 'fail'
          ? {
              text: 'turn on fq_codel or CAKE at the slowest link, or shape to a little below its rate; see bufferbloat, which measures the same queue without TLS and HTTP',
              gainMs: worst.addedMs,
            }
          : undefined,
    };
  },
);

function added(result: ResponsivenessDirection, idleRpm = 0): Added | null {
  const { rpm } = result;
  // A rate so small that its round trip is no number is none.
  const isRate = (value: number) => Number.isFinite(MS_PER_MINUTE / value) && value > 0;
  if (rpm === null || !isRate(rpm) || !isRate(idleRpm)) return null;
  const idleMs = MS_PER_MINUTE / idleRpm;
  const above = (perMinute: number) => Math.max(0, MS_PER_MINUTE / perMinute - idleMs);
  const last = result.intervals
    .slice(-LAST)
    .flatMap((one) => (one.rpm !== null && isRate(one.rpm) ? [above(one.rpm)] : []));
  const addedMs = above(rpm);
  const interval = [Math.min(addedMs, ...last), Math.max(addedMs, ...last)] as const;
  const probes = Math.max(0, Math.round(result.probes.foreign + result.probes.self));
  return { result, rpm, idleMs, addedMs, interval, probes };
}

/** Decided only where the last averages lie on one side, the run was long enough, and a slow client does not explain it. */
function verdictOf(all: readonly Added[], max: number, late: boolean): [Draft['verdict'], string | null] {
  const sure = all.filter(({ result }) => result.confidence.responsiveness !== 'low');
  if (sure.some(({ interval }) => interval[0] > max))
    return late ? ['unknown', 'this client was late itself, and may be what was slow'] : ['fail', null];
  if (sure.length < all.length) return ['unknown', 'the run was too short to settle; give it more time or octets'];
  if (all.some(({ interval }) => interval[1] > max)) return ['unknown', 'the last averages lie on both sides of it'];
  return ['pass', null];
}

function article({ direction }: ResponsivenessDirection): string {
  return direction === 'upload' ? 'an upload' : 'a download';
}

function say({ result, rpm, idleMs }: Added): string {
  const { direction, grade, goodputMbit, confidence } = result;
  const rate = goodputMbit === null ? '' : ` at ${whole(goodputMbit)} Mbit/s`;
  const graded = grade === null ? '' : `, ${grade}`;
  return `${direction}: ${whole(rpm)} RPM${rate}${graded}, confidence ${confidence.responsiveness}; idle ${whole(MS_PER_MINUTE / idleMs)} RPM`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function evidenceFor({ result, rpm, addedMs, interval, probes }: Added, how: string): Evidence[] {
  const { direction } = result;
  return [
    { metric: `responsiveness, ${direction}`, value: rpm, unit: 'RPM', n: probes, how },
    {
      metric: `round trip above idle, ${direction}`,
      value: addedMs,
      unit: 'ms',
      interval: [...interval],
      n: probes,
      how,
    },
  ];
}
