import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { fakeIo } from '../../test/fakes/io.ts';
import { observation, type Observation } from '../model/observation.ts';
import type { Io } from '../wire/io.ts';
import type { Probe, Target } from './probe.ts';

/** What the contract suite has to know about one probe. */
export interface ProbeCase<Options extends z.ZodType> {
  probe: Probe<Options>;
  /** Options, before parsing, with which one run takes about a second at most, whatever the peer does. */
  quick: z.input<Options>;
  /** Options with which a run against a silent peer takes far longer than `promptMs`, to be aborted. */
  slow: z.input<Options>;
  /** Scheme of the URLs to run against; https for a probe that has nothing to do without TLS. Default http. */
  scheme?: 'http' | 'https';
  /** Kind of platform to test besides this one: `darwin` shows that nothing needs Linux without saying so. */
  platforms?: readonly string[];
}

/** How soon after an abort a probe has to end. Generous, because tests share the machine; far below every `slow` run. */
const PROMPT_MS = 6000;

/** A port of loopback where nothing listens: taken and given back. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

export async function collect(items: AsyncIterable<Observation>): Promise<Observation[]> {
  const all: Observation[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function targetOf(url: string, more: Partial<Target> = {}): Target {
  return { name: 'subject', vantage: 'here', url: new URL(url), ...more };
}

/** The contract that every Probe keeps: one suite, run on each. */
export function probeContract<Options extends z.ZodType>(name: string, test_: ProbeCase<Options>): void {
  const { probe, quick, slow, scheme = 'http' } = test_;
  const run = (target: Target, input: unknown, io: Io, signal = new AbortController().signal) =>
    collect(probe.run(target, probe.options.parse(input), io, signal));

  const expectWellFormed = (observations: readonly Observation[]) => {
    for (const one of observations) {
      expect(observation.safeParse(one).error).toBeUndefined();
      expect(one).toMatchObject({ kind: probe.kind, from: 'here', to: 'subject' });
      expect(one.how).not.toBe('');
    }
  };

  for (const platform of [process.platform, ...(test_.platforms ?? [])]) {
    describe(`${name} keeps the contract of a probe on ${platform}`, () => {
      const io = () => fakeIo({ realClock: true, platform });

      test('says what it is about', () => {
        expect(probe.about.length).toBeGreaterThan(10);
      });

      test('a refused target is an outcome, not an exception', async () => {
        const observations = await run(targetOf(`${scheme}://127.0.0.1:${await closedPort()}/`), quick, io());
        expect(observations.length).toBeGreaterThan(0);
        expectWellFormed(observations);
      });

      test('a name that does not resolve is an outcome, not an exception', async () => {
        const observations = await run(targetOf(`${scheme}://nowhere.invalid/`), quick, io());
        expectWellFormed(observations);
        expect(observations.map(({ outcome }) => outcome.kind)).toContain('failed');
        expect(observations.map(({ outcome }) => outcome.kind)).not.toContain('answered');
      });

      test('an address of the wrong family is an outcome, not an exception', async () => {
        const observations = await run(targetOf(`${scheme}://127.0.0.1/`, { family: 6 }), quick, io());
        expectWellFormed(observations);
        expect(observations.map(({ outcome }) => outcome.kind)).not.toContain('answered');
        expect(observations.map(({ outcome }) => outcome.kind)).not.toContain('refused');
      });

      test('ends at once, with well-formed observations, when it was aborted before it began', async () => {
        const stop = AbortSignal.abort();
        const startMs = performance.now();
        expectWellFormed(await run(targetOf(`${scheme}://127.0.0.1:9/`), slow, io(), stop));
        expect(performance.now() - startMs).toBeLessThan(PROMPT_MS);
      });

      test('ends soon after an abort while the resolver is silent', async () => {
        const silent = { ...io(), dns: { ...io().dns, lookup: () => new Promise<never>(() => undefined) } };
        const startMs = performance.now();
        expectWellFormed(await run(targetOf(`${scheme}://silent.invalid/`), slow, silent, AbortSignal.timeout(50)));
        expect(performance.now() - startMs).toBeLessThan(PROMPT_MS);
      });

      test('every option has a description and a default, or may be left out', () => {
        expect(probe.options.safeParse({}).error).toBeUndefined();
        const { properties = {} } = z.toJSONSchema(probe.options, { io: 'input' });
        for (const [name, option] of Object.entries(properties)) {
          expect.soft(option, name).toMatchObject({ description: expect.stringMatching(/\.$/) });
        }
      });

      test('ends soon after an abort while the peer accepts and says nothing', async () => {
        const server = createServer(() => undefined);
        await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
        const { port } = server.address() as AddressInfo;
        const startMs = performance.now();
        try {
          expectWellFormed(await run(targetOf(`${scheme}://127.0.0.1:${port}/`), slow, io(), AbortSignal.timeout(50)));
        } finally {
          server.close();
        }
        expect(performance.now() - startMs).toBeLessThan(PROMPT_MS);
      });
    });
  }
}
