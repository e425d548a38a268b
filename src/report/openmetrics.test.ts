import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metricFormat, type MetricFamily, renderMetrics } from './openmetrics.ts';

const families = (): MetricFamily[] => [
  {
    name: 'a_requests_total',
    type: 'counter',
    help: 'One\nline \\.',
    samples: [{ labels: { x: 'a"\\\nb' }, value: 3 }],
  },
  { name: 'a_build_info', type: 'info', help: 'Info.', samples: [{ labels: { version: '1' }, value: 1 }] },
  { name: 'a_gone', type: 'gauge', help: 'Nothing.', samples: [] },
  {
    name: 'a_wait_seconds',
    type: 'histogram',
    help: 'Wait.',
    samples: [{ labels: { y: '1' }, bounds: [0.5, 1], counts: [1, 2, 4], sum: 0.1 + 0.2 }],
  },
];
const text = (format: 'openmetrics' | 'classic') => [...renderMetrics(families(), format)].join('');

describe('renderMetrics()', () => {
  test('writes OpenMetrics: families without suffix, units, cumulative buckets, escaped labels, the end', () => {
    expect(text('openmetrics')).toBe(`# TYPE a_requests counter
# HELP a_requests One\\nline \\\\.
a_requests_total{x="a\\"\\\\\\nb"} 3
# TYPE a_build info
# HELP a_build Info.
a_build_info{version="1"} 1
# TYPE a_wait_seconds histogram
# UNIT a_wait_seconds seconds
# HELP a_wait_seconds Wait.
a_wait_seconds_bucket{y="1",le="0.5"} 1
a_wait_seconds_bucket{y="1",le="1.0"} 3
a_wait_seconds_bucket{y="1",le="+Inf"} 7
a_wait_seconds_sum{y="1"} 0.3
a_wait_seconds_count{y="1"} 7
# EOF
`);
  });

  test('writes the classic format: samples by their whole name, no unit, no end', () => {
    const classic = text('classic');
    expect(classic).toContain('# TYPE a_requests_total counter\n');
    expect(classic).toContain('# TYPE a_build_info gauge\n');
    expect(classic).not.toMatch(/UNIT|EOF|a_gone/);
  });

  test('no label, whatever it is, leaves its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const one: MetricFamily = {
          name: 'm',
          type: 'gauge',
          help: 'h',
          samples: [{ labels: { l: value }, value: 1 }],
        };
        const [rest] = [...renderMetrics([one], 'classic')].map((piece) =>
          piece.slice('# HELP m h\n# TYPE m gauge\n'.length),
        );
        const [, quoted = ''] = /^m\{l="((?:[^"\\\n]|\\[\\"n])*)"\} 1\n$/.exec(rest ?? '') ?? [];
        expect(quoted.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c))).toBe(value);
      }),
    );
  });
});

test.each([
  [null, 'classic'],
  ['*/*', 'classic'],
  ['application/openmetrics-text', 'openmetrics'],
  // What Prometheus 2.42 sends.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['text/plain;q=1, application/openmetrics-text;q=0.5', 'classic'],
  ['application/openmetrics-text;q=0, text/plain', 'classic'],
  ['application/openmetrics-text;q=x', 'classic'],
])('Accept: %s gets the %s format', (accept, format) => {
  expect(metricFormat(accept)).toBe(format);
});
