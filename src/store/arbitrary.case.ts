import fc from 'fast-check';
import { sampleKind, sampleMetrics, sampleVerdict, type Sample } from '../model/sample.ts';

/** A sample as it is before it has an id and an agent. */
export type Bare = Omit<Sample, 'id' | 'agent'>;

/** Text that has tried to be more than text: quotes, NUL, line ends, other scripts, SQL, formulas. */
export const hostileText = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 24 }),
  fc.constantFrom(
    "'; drop table samples; --",
    '"',
    '\0',
    'a\0b',
    '=1+1',
    '@x',
    '\r\n',
    '\u202eabc',
    '💥',
    '%s$1?',
    '\\',
  ),
);

export const metricValue = fc.oneof(
  fc.double({ min: 0, max: 5000, noNaN: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: 0, max: 1000 }),
  fc.constantFrom(0, -0, 1, 2 ** -20, 2 ** 40, -3.5),
);

export function arbitrarySample(
  of: { fromMs?: number; toMs?: number; endpoints?: string[]; values?: fc.Arbitrary<number> } = {},
): fc.Arbitrary<Bare> {
  const { fromMs = 1_700_000_000_000, toMs = fromMs + 3 * 3_600_000, endpoints, values = metricValue } = of;
  return fc.record({
    atMs: fc.integer({ min: fromMs, max: toMs - 1 }),
    endpoint: endpoints ? fc.constantFrom(...endpoints) : hostileText,
    kind: fc.constantFrom(...sampleKind.options),
    outcome: fc.constantFrom('answered', 'lost', 'refused', 'timedOut', 'failed', 'interrupted'),
    verdict: fc.constantFrom(...sampleVerdict.options),
    metrics: fc.dictionary(fc.constantFrom(...sampleMetrics), values, { maxKeys: 5, noNullPrototype: true }),
    state: fc.option(fc.oneof(fc.constantFrom('a', 'b', 'c'), hostileText), { nil: null }),
    detail: fc.option(hostileText, { nil: null, freq: 4 }),
  });
}
