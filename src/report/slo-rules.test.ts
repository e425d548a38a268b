import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { network as schema } from '../model/network.ts';
import { prometheusRules } from './slo-rules.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const slos = [
  { name: 'up', indicator: 'availability', objective: 0.99 },
  { name: 'minutes', indicator: 'availability', objective: 0.99, method: 'timeslices', window: '7d' },
];
const rules = prometheusRules(
  schema.parse({ version: 1, endpoints: [{ name: 'eu', url: 'http://eu.example.com' }], watch: { slos } }),
);

const of = (result: string, values: string) => ({
  series: `inferpath_slo_events_total{slo="minutes",endpoint="eu",agent="a",result="${result}"}`,
  values,
});
const at = (eval_time: string, expr: string, value: number | null, labels = '{}') => ({
  eval_time,
  expr,
  exp_samples: value === null ? [] : [{ labels, value }],
});
const fires = 'count(ALERTS{alertname="InferpathBudgetBurn",alertstate="firing",slo="minutes"}) or vector(0)';
const slice = 'inferpath:slo_slice:bad';
const named = `${slice}{endpoint="eu",slo="minutes"}`;

/** A hundred events a minute over three hours, of which the minutes from 120 on are the matter. */
const sliceTests = {
  rule_files: ['rules.yml'],
  evaluation_interval: '1m',
  tests: [
    {
      // Ten minutes in which everything fails: bad from the first on, three of them page, and it is over after it is over.
      interval: '1m',
      input_series: [of('good', '0+100x120 12000x10 12100+100x60'), of('bad', '0x120 100+100x9 1000x61')],
      promql_expr_test: [
        at('119m', slice, 0, named),
        at('122m', slice, 1, named),
        at('121m', fires, 0),
        at('125m', fires, 1),
        at(
          '128m',
          'inferpath:slo_bad:ratio7m{slo="minutes"}',
          1,
          'inferpath:slo_bad:ratio7m{endpoint="eu",slo="minutes"}',
        ),
        at('133m', slice, 0, named),
        at('165m', fires, 0),
      ],
    },
    {
      // One bad event of fifty in each minute: over the budget of events, and yet every minute is a good one.
      interval: '1m',
      input_series: [of('good', '0+98x180'), of('bad', '0+2x180')],
      promql_expr_test: [at('150m', slice, 0, named), at('150m', fires, 0), at('179m', fires, 0)],
    },
    {
      // Two bad minutes are two bad events: not enough to wake anybody.
      interval: '1m',
      input_series: [of('good', '0+100x120 12000x2 12100+100x60'), of('bad', '0x120 100+100x1 200x61')],
      promql_expr_test: [at('122m', slice, 1, named), at('123m', fires, 0), at('130m', fires, 0)],
    },
    {
      // Nothing measured is no bad minute, and no good one.
      interval: '1m',
      input_series: [of('good', '0+100x60 6000x60'), of('bad', '0x120')],
      promql_expr_test: [at('58m', slice, 0, named), at('110m', slice, null), at('110m', fires, 0)],
    },
  ],
};

test.skipIf(!hasPromtool)('promtool takes the rules, and they fire in an outage and not for two bad events', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-rules-'));
  try {
    writeFileSync(join(folder, 'rules.yml'), JSON.stringify(rules));
    const series = (result: string) =>
      `inferpath_slo_events_total{slo="up",endpoint="eu",agent="a",result="${result}"}`;
    const tests = (bad: string, good: string, firing: [string, number][]) => ({
      interval: '1m',
      input_series: [
        { series: series('good'), values: good },
        { series: series('bad'), values: bad },
      ],
      promql_expr_test: firing.map(([eval_time, value]) => ({
        expr: 'count(ALERTS{alertname="InferpathBudgetBurn",alertstate="firing",slo="up"}) or vector(0)',
        eval_time,
        exp_samples: [{ labels: '{}', value }],
      })),
    });
    writeFileSync(
      join(folder, 'tests.yml'),
      JSON.stringify({
        rule_files: ['rules.yml'],
        evaluation_interval: '1m',
        tests: [
          tests('0x120 0+6x60', '0+6x120 720x60', [
            ['119m', 0],
            ['135m', 1],
          ]),
          tests('0x120 1x10 2x60', '0+6x190', [
            ['119m', 0],
            ['135m', 0],
          ]),
        ],
      }),
    );
    writeFileSync(join(folder, 'slices.yml'), JSON.stringify(sliceTests));
    const run = (...args: string[]) => execFileSync('promtool', args, { cwd: folder, encoding: 'utf8' });
    expect(run('check', 'rules', 'rules.yml')).toContain('SUCCESS');
    expect(run('test', 'rules', 'tests.yml')).toContain('SUCCESS');
    expect(run('test', 'rules', 'slices.yml')).toContain('SUCCESS');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
