import { describe, expect, test } from 'vitest';
import { pingReportSample } from './ping-report.case.ts';
import { renderPingOpenMetrics } from './ping-openmetrics.ts';

const render = (report = pingReportSample()) => [...renderPingOpenMetrics(report, () => report.targets)].join('');

/** One sample line: name, labels, value. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/;

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
});
