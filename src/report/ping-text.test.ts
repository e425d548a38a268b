import { describe, expect, test } from 'vitest';
import { cells } from './ansi.ts';
import { pingReportSample, pingTargetSample } from './ping-report.case.ts';
import { renderPingText } from './ping-text.ts';
import { sparkHistogram, sparkScale } from './spark.ts';

describe('renderPingText()', () => {
  test.each([60, 80, 120, 200])('fits %d columns, colours apart', (columns) => {
    const lines = renderPingText(pingReportSample(), { columns, colors: true }).split('\n');
    for (const line of lines) expect(cells(line), line).toBeLessThanOrEqual(Math.max(columns, 76));
  });

  test('shows a row per target, the outcome where there is no round trip, and what happened to all', () => {
    const text = renderPingText(pingReportSample(), { columns: 100, colors: false });
    expect(text).toMatch(/^a +3 +0 % \[0, 30\] +1 +2 +4 +3 +0\.7 /m);
    expect(text).toMatch(/^b\.example\.com +3 +100 % \[44, 100\] +no answer$/m);
    expect(text).toContain('1 of 2 targets answering, 3 of 6 probes answered, 3 lost, loss 50 % [20, 80]');
    expect(text).toContain('1 duplicate answer, 0 out of order');
    expect(text).toContain('kernel stamps of sending and receiving');
  });

  test('what is no TLS is named within 80 columns', () => {
    const report = pingReportSample();
    const message = 'what answered the ClientHello is no TLS';
    const outcome = {
      kind: 'failed',
      phase: 'tls',
      operation: 'ClientHello',
      errno: 'EPROTO',
      address: '192.0.2.1',
    } as const;
    report.targets.push(pingTargetSample('web:80', [], { outcome: { ...outcome, message }, loss: null }));
    expect(renderPingText(report, { columns: 80, colors: false })).toContain(`–                ${message}\n`);
  });

  test('a hostile name cannot draw on the terminal', () => {
    const report = pingReportSample();
    report.targets[0]!.target = '\u001b[2Jevil';
    expect(renderPingText(report, { columns: 80, colors: false })).not.toContain('\u001b');
  });
});

describe('sparkHistogram()', () => {
  test('puts equal ratios into equal cells and never hides a sample', () => {
    const scale = sparkScale([1, 1000])!;
    expect(
      sparkHistogram(
        [
          [1, 100],
          [10.1, 1],
          [999, 50],
        ],
        scale,
        3,
      ),
    ).toBe('█▁▄');
    expect(sparkHistogram([], scale, 3)).toBe('   ');
    expect(sparkHistogram([[5, 1]], sparkScale([5, 5])!, 3)).toBe('█  ');
    expect(sparkScale([0, NaN])).toBeNull();
  });
});
