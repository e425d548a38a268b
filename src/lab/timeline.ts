import { routesOf, type Plan, type PlanDirection, type PlanStep } from './plan.ts';
import type { Routes } from './routes.ts';

/** What is still to happen, and what the links are like now. Time zero is the first packet that a host sends. */
export interface Timeline {
  plan: Plan;
  /** When the next change is due; minus infinity before time zero, infinity when nothing is left. */
  nextMs: number;
  /** In order of time. */
  pending: Change[];
  directions: PlanDirection[];
  down: Uint8Array;
  /** Tables by which links are down and what they cost, so that a link that flaps is not computed anew. */
  known: Map<string, Routes>;
}

/** A step that takes place, or routers that have noticed one. */
export interface Change {
  atMs: number;
  step: PlanStep;
  kind: 'happens' | 'noticed';
}

/** Tables that are computed before the lab starts: a large network takes some ten milliseconds for one. */
const REHEARSED_CHANGES = 256;

export function makeTimeline(plan: Plan): Timeline {
  const timeline = freshTimeline(plan);
  if (plan.timeline.length === 0) return timeline;
  const rehearsal = { ...freshTimeline(plan), known: timeline.known };
  startTimeline(rehearsal, 0);
  for (let done = 0; done < REHEARSED_CHANGES && rehearsal.pending.length > 0; done += 1)
    if (takeChange(rehearsal).kind === 'noticed') routesNow(rehearsal);
  return timeline;
}

function freshTimeline(plan: Plan): Timeline {
  return {
    plan,
    nextMs: plan.timeline.length > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
    pending: [],
    directions: [...plan.directions],
    down: new Uint8Array(plan.directions.length),
    known: new Map(),
  };
}

export function startTimeline(timeline: Timeline, zeroMs: number): void {
  for (const step of timeline.plan.timeline) schedule(timeline, { atMs: zeroMs + step.atMs, step, kind: 'happens' });
}

/** The earliest change, its consequences for `directions` and `down` done, what follows from it scheduled. */
export function takeChange(timeline: Timeline): Change {
  const change = timeline.pending.shift()!;
  timeline.nextMs = timeline.pending[0]?.atMs ?? Number.POSITIVE_INFINITY;
  if (change.kind === 'noticed') return change;
  const { atMs, step } = change;
  for (const direction of step.directions) {
    timeline.directions[direction] = { ...timeline.directions[direction]!, ...step.change };
    if (step.down !== undefined) timeline.down[direction] = step.down ? 1 : 0;
  }
  if (step.everyMs > 0) schedule(timeline, { ...change, atMs: atMs + step.everyMs });
  if (step.down !== undefined || step.change.cost !== undefined)
    schedule(timeline, { atMs: atMs + step.convergeMs, step, kind: 'noticed' });
  return change;
}

/** Behind everything that is due at the same time, so that steps take place in the order listed. */
function schedule(timeline: Timeline, change: Change): void {
  const { pending } = timeline;
  let at = pending.length;
  while (at > 0 && pending[at - 1]!.atMs > change.atMs) at -= 1;
  pending.splice(at, 0, change);
  timeline.nextMs = pending[0]!.atMs;
}

/** The routes over the links as they are now. */
export function routesNow({ plan, directions, down, known }: Timeline): Routes {
  const key = `${down.join('')} ${directions.map((one) => one.cost).join()}`;
  const before = known.get(key);
  if (before) return before;
  const routes = routesOf(plan.nodes, directions, down);
  known.set(key, routes);
  return routes;
}
