import { expect, test } from 'vitest';
import { importOpenSlo } from './openslo.ts';

const slo = (name: string, spec: object) => ({
  file: 'f.yaml',
  value: {
    apiVersion: 'openslo/v1',
    kind: 'SLO',
    metadata: { name },
    spec: { service: 'eu', budgetingMethod: 'Occurrences', ...spec },
  },
});
const threshold = (query: string) => ({
  spec: { thresholdMetric: { metricSource: { type: 'Prometheus', spec: { query } } } },
});

test('importOpenSlo() reads targets, windows, slices and limits, and tells what it guesses', () => {
  const { slos, notes } = importOpenSlo(
    [
      slo('First Token', {
        indicator: threshold('ttft_seconds'),
        timeWindow: [{ duration: '4w', isRolling: true }],
        objectives: [{ op: 'lte', value: 0.5, targetPercent: 99.5 }],
      }),
      slo('up', {
        indicatorRef: 'ok',
        budgetingMethod: 'Timeslices',
        objectives: [{ target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5 }],
      }),
      {
        file: 'f.yaml',
        value: {
          apiVersion: 'openslo/v1',
          kind: 'SLI',
          metadata: { name: 'ok' },
          spec: { ratioMetric: { counter: true } },
        },
      },
    ],
    ['eu'],
  );
  expect(slos).toEqual([
    { name: 'first-token', endpoints: ['eu'], indicator: 'ttft', thresholdMs: 500, objective: 0.995, window: '28d' },
    {
      name: 'up',
      endpoints: ['eu'],
      indicator: 'availability',
      objective: 0.99,
      window: '30d',
      method: 'timeslices',
      slice: '5m',
      sliceObjective: 0.9,
    },
  ]);
  expect(notes.map(({ about }) => about)).toEqual(['SLO First Token', 'SLO up', 'SLO up']);
});

test('importOpenSlo() names what it cannot read, and never throws', () => {
  const { slos, notes } = importOpenSlo(
    [
      { file: 'f', value: 7 },
      slo('a', { objectives: [] }),
      slo('b', { indicatorRef: 'none', objectives: [{ target: 0.9 }] }),
      slo('c', { indicator: threshold('x'), objectives: [{ op: 'gt', value: 1, target: 0.99 }] }),
      slo('d', { indicator: threshold('x'), objectives: [{ target: 1.5 }] }),
    ],
    null,
  );
  expect(slos).toEqual([]);
  expect(notes).toHaveLength(5);
});
