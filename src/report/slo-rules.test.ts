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
    const run = (...args: string[]) => execFileSync('promtool', args, { cwd: folder, encoding: 'utf8' });
    expect(run('check', 'rules', 'rules.yml')).toContain('SUCCESS');
    expect(run('test', 'rules', 'tests.yml')).toContain('SUCCESS');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
