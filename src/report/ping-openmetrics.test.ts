import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pingReportSample, pingTargetSample } from './ping-report.case.ts';
import { renderPingOpenMetrics } from './ping-openmetrics.ts';

const render = (report = pingReportSample()) => [...renderPingOpenMetrics(report, () => report.targets)].join('');

/** One sample line: name, labels, value. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/;

/** Never skipped in CI, where a missing promtool is the failure. */
const skipPromtool = spawnSync('promtool', ['--version']).status !== 0 && process.env['CI'] !== 'true';
if (skipPromtool) process.stderr.write("Prometheus' own parsers are not asked: no promtool (package prometheus)\n");

function promtool(words: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('promtool', words, { input, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

describe('renderPingOpenMetrics()', () => {
  test('every line is a comment or a sample of the metric that was announced, and the end is marked', () => {
    const lines = render().trimEnd().split('\n');
    expect(lines.pop()).toBe('# EOF');
    const types = new Map<string, string>();
    for (const line of lines) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (type) {
        expect(types.has(type[1]!)).toBe(false);
        types.set(type[1]!, type[2]!);
      }
      if (line.startsWith('#')) continue;
      const sample = SAMPLE.exec(line);
      expect(sample, line).not.toBeNull();
      const base = sample![1]!.replace(/_(total|bucket|sum|count)$/, '');
      expect([...types.keys()].at(-1), line).toBe(base);
      expect(Number.isFinite(Number(sample![3])), line).toBe(true);
    }
    expect(types.get('inferpath_rtt_seconds')).toBe('histogram');
    expect(types.get('inferpath_probes_sent')).toBe('counter');
  });

  test('buckets rise up to the count, which stands under +Inf', () => {
    const report = pingReportSample();
    const values = [...render(report).matchAll(/^inferpath_rtt_seconds_bucket\{target="a".*le="(\S+)"\} (\d+)$/gm)];
    const counts = values.map(([, , n]) => Number(n));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(values.at(-1)?.[1]).toBe('+Inf');
    expect(counts.at(-1)).toBe(report.targets[0]!.rtt!.count);
    // 1, 2 and 4 ms: one of three up to 1.28 ms, in seconds.
    expect(values.find(([, le]) => le === '0.00128')?.[2]).toBe('1');
  });

  test('a name cannot break out of its label', () => {
    const report = pingReportSample();
    report.targets[0]!.target = 'a"} 1\nevil_total 5 \\';
    const text = render(report);
    expect(text).not.toMatch(/^evil_total/m);
    expect(text).toContain('target="a\\"} 1\\nevil_total 5 \\\\"');
  });

  describe.skipIf(skipPromtool)('read by Prometheus', () => {
    const report = pingReportSample();
    report.targets.push(pingTargetSample('evil"} 1\nx\\', []), pingTargetSample('[::1]:443', [0.5, 40_000]));
    report.targets.at(-2)!.errorMs = null;
    const text = render(report);

    test('the parser of a scrape takes every sample, and only with the end marked', () => {
      const folder = mkdtempSync(join(tmpdir(), 'inferpath-'));
      try {
        const file = join(folder, 'metrics');
        // Of samples for its database it wants to know from when they are.
        const stamped = text.replaceAll(/^(?!#).+$/gm, '$& 1700000000');
        const blocks = (name: string) =>
          promtool(['tsdb', 'create-blocks-from', 'openmetrics', file, join(folder, name)]);
        writeFileSync(file, stamped);
        const { status, said } = blocks('whole');
        expect(status, said).toBe(0);
        const samples = text.split('\n').filter((line) => /^[^#]/.test(line)).length;
        // MIN TIME, MAX TIME, DURATION, NUM SAMPLES
        expect(said).toMatch(new RegExp(String.raw`1700000000000 +1700000000001 +1ms +${samples} `));
        writeFileSync(file, stamped.replace('# EOF\n', ''));
        expect(blocks('cut').status).not.toBe(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    test('the parser of the textfile collector takes it, too, and has only one complaint: it looks for the help of a counter under its name with _total', () => {
      const { said } = promtool(['check', 'metrics'], text);
      const complaints = said.trim().split('\n');
      const counters = [...text.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name]) => `${name}_total no help text`);
      expect(complaints.sort()).toEqual(counters.sort());
    });
  });
});
