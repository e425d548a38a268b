import { describe, expect, it } from 'vitest';
import { replay, score } from './replay.case.ts';
import { timelines } from './timelines.case.ts';

describe('evaluate() over labelled timelines', () => {
  it('has at least forty of them, each with a name of its own', () => {
    expect(timelines.length).toBeGreaterThanOrEqual(40);
    expect(new Set(timelines.map(({ name }) => name)).size).toBe(timelines.length);
  });

  it.each(timelines.map((timeline) => [timeline.name, timeline.about, timeline] as const))(
    '%s: %s',
    (_, __, timeline) => {
      const { fired } = replay(timeline);
      const { missed, falsePages } = score(timeline, fired);
      expect({ missed, falsePages }).toEqual({ missed: [], falsePages: [] });
    },
  );
});
