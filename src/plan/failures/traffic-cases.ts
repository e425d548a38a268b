import type { DemandsReport, TrafficCase } from '../../model/plan/failures.ts';
import type { Element } from './elements.ts';
import { type TrafficEffect, trafficEffect, trafficModel, type Traffic, type TrafficModel } from './traffic.ts';

const worstKept = 20;
const lateKept = 10;

interface Found {
  elements: readonly Element[];
  effect: TrafficEffect;
  /** Beyond what its elements do each alone. */
  isNew: boolean;
}

interface Tally {
  cases: number;
  losing: number;
  late: number;
  overfull: number;
  harmless: number;
  worst: Found[];
  together: number;
  worstTogether: Found[];
}

/**
 * Every failure with the demands rerouted. A generator, for it takes long on large networks: it yields how many cases are done, and returns
 * the report of those when it is told to stop.
 */
export function* trafficCases(
  traffic: Traffic,
  elements: readonly Element[],
  nodeNames: readonly string[],
  doubles: boolean,
): Generator<number, DemandsReport, boolean | undefined> {
  const model = trafficModel(traffic);
  const [single, double] = [noTally(), noTally()];
  const alone: TrafficEffect[] = [];
  let isStopped = false;
  const none = model.before!.effect;
  const nothing = { ...none, lostGbps: none.lostGbps / 2, late: [], overfull: 0 };
  for (const x of elements) {
    if (isStopped) break;
    const effect = trafficEffect(model, [x]);
    alone.push(effect);
    take(single, { elements: [x], effect, isNew: isWorse(effect, nothing, nothing) });
    isStopped = (yield single.cases) === true;
  }
  const rows = doubles ? alone.length : 0;
  for (let i = 0; i < rows && !isStopped; i++) {
    for (let j = i + 1; j < alone.length; j++) {
      const pair = [elements[i]!, elements[j]!];
      const effect = trafficEffect(model, pair);
      take(double, { elements: pair, effect, isNew: isWorse(effect, alone[i]!, alone[j]!) });
    }
    isStopped = (yield single.cases + double.cases) === true;
  }
  const tell = (tally: Tally) => orderReport(tally, model, nodeNames);
  return {
    load: 'busyHour',
    totalGbps: traffic.demands.reduce((sum, { gbps }) => sum + gbps, 0),
    maxUtilisation: traffic.maxUtilisation,
    withoutFailure: caseReport({ elements: [], effect: none, isNew: false }, model, nodeNames),
    singles: tell(single),
    doubles: doubles ? tell(double) : null,
    notes: [...traffic.notes],
  };
}

function noTally(): Tally {
  return { cases: 0, losing: 0, late: 0, overfull: 0, harmless: 0, worst: [], together: 0, worstTogether: [] };
}

/** Less than a bit a second is what sums of fractions leave over. */
const leastGbps = 1e-9;

/** Loses more than both lose, or makes late or overfull what neither does. */
function isWorse(effect: TrafficEffect, a: TrafficEffect, b: TrafficEffect): boolean {
  return (
    effect.lostGbps > a.lostGbps + b.lostGbps + leastGbps ||
    effect.late.length > a.late.length + b.late.length ||
    effect.overfull > a.overfull + b.overfull
  );
}

function take(tally: Tally, found: Found): void {
  const { lostGbps, late, overfull } = found.effect;
  tally.cases++;
  if (lostGbps > leastGbps) tally.losing++;
  if (late.length > 0) tally.late++;
  if (overfull > 0) tally.overfull++;
  if (lostGbps <= leastGbps && late.length === 0 && overfull === 0) {
    tally.harmless++;
    return;
  }
  keep(tally.worst, found);
  if (!found.isNew) return;
  tally.together++;
  keep(tally.worstTogether, found);
}

function keep(list: Found[], found: Found): void {
  const at = list.findIndex((other) => compare(found.effect, other.effect) < 0);
  list.splice(at < 0 ? list.length : at, 0, found);
  if (list.length > worstKept) list.pop();
}

/** What is lost counts first, then who is late, then how full the fullest link is. */
function compare(a: TrafficEffect, b: TrafficEffect): number {
  return (
    b.lostGbps - a.lostGbps ||
    b.late.length - a.late.length ||
    (b.fullest?.utilisation ?? 0) - (a.fullest?.utilisation ?? 0)
  );
}

function orderReport(tally: Tally, model: TrafficModel, nodeNames: readonly string[]): DemandsReport['singles'] {
  const { worst, worstTogether, ...counts } = tally;
  const tell = (list: readonly Found[]) => list.map((one) => caseReport(one, model, nodeNames));
  return { ...counts, worst: tell(worst), worstTogether: tell(worstTogether) };
}

function caseReport({ elements, effect }: Found, { traffic }: TrafficModel, nodeNames: readonly string[]): TrafficCase {
  const { lostGbps, strandedGbps, late, fullest, overfull } = effect;
  return {
    elements: elements.map(({ kind, name }) => ({ kind, name })),
    lostGbps,
    strandedGbps,
    lateCount: late.length,
    late: late.slice(0, lateKept).map(({ demand, rttMs }) => {
      const { name, class: ofClass, from, to, limitMs } = traffic.demands[demand]!;
      return { name, class: ofClass!, from: nodeNames[from]!, to: nodeNames[to]!, rttMs, limitMs: limitMs! };
    }),
    overfull,
    fullest: fullest && { link: traffic.links[fullest.link]!.name!, utilisation: fullest.utilisation },
  };
}
