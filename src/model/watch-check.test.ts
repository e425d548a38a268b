import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { badToFire, burnPairs } from './burn.ts';
import { networkIssues } from './network-check.ts';

const endpoints = [
  { name: 'eu', url: 'https://eu.example.com' },
  { name: 'us', url: 'https://us.example.com' },
];
const network = (watch: unknown) => ({ version: 1, vantage: { name: 'here' }, endpoints, watch });
const issuesOf = (watch: unknown) =>
  networkIssues(network(watch)).map(({ path, message }) => `${path.join('.')}: ${message}`);
const slo = (more: object) => ({ name: 'up', indicator: 'availability', objective: 0.99, ...more });

describe('networkIssues() about watch', () => {
  it('has nothing to say about a sound file, nor about one whose shape is wrong', () => {
    expect(issuesOf({ slos: [slo({})] })).toEqual([]);
    expect(issuesOf({ slos: 'all' })).toEqual([]);
    expect(issuesOf(undefined)).toEqual([]);
  });

  it('reads the template of a webhook before any alert has to', () => {
    const hook = (template: string) =>
      issuesOf({ receivers: [{ name: 'h', type: 'webhook', url: 'https://h.example', template }] });
    expect(hook('{"a": ["{{headline}}", {"b": "on {{ link }}"}], "n": 1}')).toEqual([]);
    expect(hook('{"a":').join()).toContain('watch.receivers.0.template: must be JSON');
    expect(hook('{"a": [{"b": "x {{sumary}}"}]}').join()).toContain('found {{sumary}}; allowed: incident, alert,');
    expect(hook('"{{constructor}}"').join()).toContain('found {{constructor}}');
  });

  it.each([
    [
      'agents',
      { agents: [{ name: 'a', endpoints: ['asia'] }] },
      'watch.agents.0.endpoints.0: must be a known endpoint: eu, us',
    ],
    [
      'sites',
      { agents: [{ name: 'a', site: 'x' }] },
      'watch.agents.0.site: must be a site of this file, which has none',
    ],
    [
      'schedule',
      { schedule: [{ probe: 'tcp', every: '10s', agents: ['b'] }] },
      'watch.schedule.0.agents.0: must be a known agent: here',
    ],
    [
      'routes',
      { routes: [{ receivers: ['chat'] }] },
      'watch.routes.0.receivers.0: must be a receiver of this file, which has none',
    ],
    [
      'names',
      { agents: [{ name: 'a' }, { name: 'a' }] },
      'watch.agents.1.name: must be a name that stands only once in watch.agents',
    ],
    [
      'maintenance',
      { maintenance: [{ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z', reason: 'x' }] },
      'watch.maintenance.0.to: must be later than from, 2026-01-02T00:00:00Z',
    ],
    [
      'receivers',
      { receivers: [{ name: 'r', type: 'slack' }] },
      'watch.receivers.0: must be a receiver with exactly one of url, urlEnv and urlFile',
    ],
    [
      'objectives that can never page',
      { slos: [slo({ objective: 0.93 })] },
      'watch.slos.0.objective: must be above 0.9306: below it not even a total outage uses up the budget 14.4 times too fast, so the fast rule could never page',
    ],
    [
      'a limit that is missing',
      { slos: [slo({ indicator: 'total' })] },
      'watch.slos.0.thresholdMs: must be given for the indicator total, which no workload limits',
    ],
    [
      'objectives that nobody measures',
      { schedule: [{ probe: 'dns', every: '10s' }], slos: [slo({})] },
      'watch.slos.0.endpoints: must be endpoints that the schedule probes with tcp; nobody does for eu',
    ],
    [
      'windows shorter than an interval',
      { schedule: [{ probe: 'tcp', every: '10m' }], slos: [slo({ objective: 0.94 })] },
      'watch.slos.0.window: must be long enough for one tcp probe in each short window of the fast rule, which is 5m; eu is probed every 10m',
    ],
    [
      'slices shorter than an interval',
      { schedule: [{ probe: 'tcp', every: '2m' }], slos: [slo({ method: 'timeslices', objective: 0.94 })] },
      'watch.slos.0.slice: must be long enough for one tcp probe in each slice, which is 1m; eu is probed every 2m',
    ],
  ])('names mistakes in %s', (_, watch, message) => {
    expect(issuesOf(watch)).toEqual([message]);
  });

  it('refuses objectives for which one or two lost probes would page, and says what would do', () => {
    const minutely = [{ probe: 'tcp', every: '1m' }];
    expect(issuesOf({ schedule: minutely, slos: [slo({ objective: 0.999 })] })).toEqual([
      'watch.slos.0.objective: must be at most 0.9976, or have probes at least every 25s: in 1h there are 60 tcp probes of 1 agent of eu, and the fast rule would page at 1 bad; at least 3 have to be',
    ]);
    expect(issuesOf({ schedule: minutely, slos: [slo({ objective: 0.9976 })] })).toEqual([]);
    expect(issuesOf({ schedule: [{ probe: 'tcp', every: '25s' }], slos: [slo({ objective: 0.999 })] })).toEqual([]);
  });

  it('pools the probes of all agents before it refuses', () => {
    const watch = (agents: number) => ({
      agents: Array.from({ length: agents }, (_, i) => ({ name: `a${i}` })),
      schedule: [{ probe: 'tcp', every: '1m' }],
      slos: [slo({ objective: 0.999 })],
    });
    expect(issuesOf(watch(2))).toHaveLength(1);
    expect(issuesOf(watch(3))).toEqual([]);
  });

  it('counts slices, not probes, where slices are what is promised', () => {
    const watch = { slos: [slo({ objective: 0.999, method: 'timeslices' })] };
    expect(issuesOf(watch)).toEqual([
      'watch.slos.0.objective: must be at most 0.9976, or have slices of at most 25s: in 1h there are 60 slices of eu, and the fast rule would page at 1 bad; at least 3 have to be',
    ]);
  });

  it('looks at every endpoint, not only the first', () => {
    const watch = {
      agents: [{ name: 'a' }, { name: 'b', endpoints: ['eu'] }, { name: 'c', endpoints: ['eu'] }],
      schedule: [{ probe: 'tcp', every: '1m' }],
      slos: [slo({ objective: 0.999 })],
    };
    expect(issuesOf(watch)[0]).toContain('of us');
  });
});

describe('burnPairs()', () => {
  it('gives the windows and factors of the workbook for 30 days', () => {
    const minutes = burnPairs(30 * 86_400_000).map((p) => [
      p.severity,
      p.longMs / 60_000,
      p.shortMs / 60_000,
      p.factor,
    ]);
    expect(minutes).toEqual([
      ['page', 60, 5, 14.4],
      ['page', 360, 30, 6],
      ['ticket', 1440, 120, 3],
      ['ticket', 4320, 360, 1],
    ]);
  });

  it('keeps the share of the budget whatever the period', () => {
    fc.assert(
      fc.property(fc.integer({ min: 7, max: 365 }), (days) => {
        const shares = burnPairs(days * 86_400_000).map((p) => (p.factor * p.longMs) / (days * 86_400_000));
        for (const [i, share] of [0.02, 0.05, 0.1, 0.1].entries()) expect(shares[i]).toBeCloseTo(share, 3);
      }),
    );
  });
});

describe('badToFire()', () => {
  it('gives the counts that ops people know: 1 of 60, 2 of 120, 6 of 360 at 99.9 %, 9 of 60 at 99 %', () => {
    expect([badToFire(60, 14.4, 0.999), badToFire(120, 14.4, 0.999), badToFire(360, 14.4, 0.999)]).toEqual([1, 2, 6]);
    expect(badToFire(60, 14.4, 0.99)).toBe(9);
  });

  it('is the least count of bad events that is above the factor', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom(0.94, 0.95, 0.99, 0.995, 0.999),
        (events, objective) => {
          const bad = badToFire(events, 14.4, objective);
          const slack = 1e-9;
          expect(bad / events).toBeGreaterThan(14.4 * (1 - objective) - slack);
          expect((bad - 1) / events).toBeLessThanOrEqual(14.4 * (1 - objective) + slack);
        },
      ),
    );
  });
});
