import fc from 'fast-check';
import { expect, test } from 'vitest';
import { importOpenSlo } from '../gather/openslo.ts';
import { network as schema, type Network } from '../model/network.ts';
import { durationMs, type Slo, sloIndicator } from '../model/watch.ts';
import { endpointsOfSlo } from '../model/watch-plan.ts';
import { openSloDocuments } from './openslo.ts';

const names = ['eu', 'us', `long-${'x'.repeat(58)}`];
const window = fc.constantFrom('7d', '30d', '1209600s', '10080m', '336h', '604800000ms');
const slice = fc.constantFrom('1m', '60s', '5m', '90s', '60000ms');
const share = fc.integer({ min: 1, max: 99_999 }).map((n) => n / 100_000);
const slo = fc.record(
  {
    endpoints: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }),
    indicator: fc.constantFrom(...sloIndicator.options),
    probe: fc.constantFrom('tcp', 'tls', 'inference'),
    thresholdMs: fc.integer({ min: 1, max: 1e7 }).map((n) => n / 1000),
    objective: share.map((n) => 0.99 + n / 100),
    window,
    method: fc.constantFrom('occurrences', 'timeslices'),
    slice,
    sliceObjective: share,
  },
  { requiredKeys: ['indicator', 'objective'] },
);

const fileOf = (slos: readonly object[]) => ({
  version: 1,
  endpoints: names.map((name) => ({ name, url: 'http://eu.example.com' })),
  watch: { slos, schedule: ['tcp', 'tls', 'ping', 'inference'].map((probe) => ({ probe, every: '5s' })) },
});

/** What an objective promises of one endpoint, whatever it is called and however its times are written. */
function promises(network: Network): unknown[] {
  return (network.watch?.slos ?? []).flatMap((one: Slo) =>
    endpointsOfSlo(network.endpoints, one).map(({ name }) => ({
      endpoint: name,
      indicator: one.indicator,
      probe: one.probe,
      thresholdMs: ['availability', 'network-loss'].includes(one.indicator) ? undefined : one.thresholdMs,
      objective: one.objective,
      windowMs: durationMs(one.window),
      method: one.method,
      ...(one.method === 'timeslices' && { sliceMs: durationMs(one.slice), sliceObjective: one.sliceObjective }),
    })),
  );
}

test('what is exported as OpenSLO comes back by the import as the same promises, with nothing guessed', () => {
  fc.assert(
    fc.property(fc.array(slo, { maxLength: 4 }), (slos) => {
      const parsed = schema.safeParse(
        fileOf(slos.map((one, i) => ({ ...one, name: `slo-${i}-${'y'.repeat(i * 14)}` }))),
      );
      fc.pre(parsed.success);
      const network = parsed.data;
      const documents: unknown = JSON.parse(JSON.stringify(openSloDocuments(network)));
      const read = importOpenSlo(
        (documents as unknown[]).map((value) => ({ file: 'f', value })),
        names,
      );
      expect(read.notes).toEqual([]);
      const again = schema.parse(fileOf(read.slos));
      expect(promises(again)).toEqual(promises(network));
      expect(new Set(again.watch?.slos.map(({ name }) => name)).size).toBe(read.slos.length);
    }),
    { numRuns: 300 },
  );
});
