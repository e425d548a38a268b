import { setLink } from './links.ts';
import type { Engine } from './state.ts';
import { routesNow, startTimeline, takeChange } from './timeline.ts';

/** Lets everything happen that is on the timeline up to `atMs`; the first call is time zero. */
export function passTime(engine: Engine, atMs: number): void {
  const { timeline, links } = engine;
  if (timeline.nextMs === Number.NEGATIVE_INFINITY) startTimeline(timeline, atMs);
  while (timeline.nextMs <= atMs) {
    const { kind, step } = takeChange(timeline);
    if (kind === 'noticed') engine.routes = routesNow(timeline);
    else
      for (const direction of step.directions) {
        setLink(links, direction, timeline.directions[direction]!);
        links.down[direction] = timeline.down[direction]!;
      }
  }
}
