import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { observation, type Observation } from '../model/observation.ts';
import type { ImportWarning } from '../model/import.ts';
import { importObservations, startImport } from './import.ts';
import { chooseImporter } from './importers.ts';
import type { Importer } from './importer.ts';

const folder = new URL('../../test/fixtures/outputs/', import.meta.url);
/** A file written a minute after the measurements in the fixtures. */
const clock = { ms: Date.UTC(2026, 10, 27, 0, 0, 30), of: 'end' } as const;

export function fixture(name: string): Buffer {
  return readFileSync(new URL(name, folder));
}

export function importFixture(name: string, more: Parameters<typeof importObservations>[2] = {}) {
  return importObservations(fixture(name), name, { clock, ...more });
}

function expectWellFormed(observations: readonly Observation[], format: string): void {
  for (const one of observations) {
    expect(observation.safeParse(one).error, JSON.stringify(one)).toBeUndefined();
    expect(one.how, format).toMatch(/^imported from .+, .+; /);
  }
}

/** The contract that every importer keeps: one suite, run on each. `fixtures` are files that are its own. */
export function importerContract(importer: Importer, fixtures: readonly string[]): void {
  const { format } = importer;
  const texts = fixtures.map((name) => fixture(name));

  const readRaw = (bytes: Uint8Array) => {
    const observations: Observation[] = [];
    const warnings: ImportWarning[] = [];
    const reading = startImport(
      { name: 'some file', clock, format },
      { observation: (one) => observations.push(one), warning: (one) => warnings.push(one) },
    );
    reading.push(bytes);
    const result = reading.end();
    return { observations, warnings, result };
  };

  describe(`the importer of ${format} keeps the contract`, () => {
    test('says what it is about', () => {
      expect(importer.about.length).toBeGreaterThan(5);
    });

    test.each(fixtures)('%s is recognised as its own, and every line of it is understood', (name) => {
      const { observations, result } = importFixture(name);
      expect(result).toMatchObject({ ok: true, file: { format, unreadLines: 0 } });
      expect(observations.length).toBeGreaterThan(0);
      expectWellFormed(observations, format);
    });

    test.each(fixtures)('%s read in small pieces gives the same', (name) => {
      const whole = importFixture(name);
      const observations: Observation[] = [];
      const reading = startImport(
        { name, clock },
        { observation: (one) => observations.push(one), warning: () => undefined },
      );
      const bytes = fixture(name);
      for (let at = 0; at < bytes.length; at += 7) reading.push(bytes.subarray(at, at + 7));
      expect(reading.end()).toEqual(whole.result);
      expect(observations).toEqual(whole.observations);
    });

    test('every line of garbage is a warning with its number', () => {
      const { observations, warnings, result } = readRaw(Buffer.from('%%% nothing ###\n\n<<<>>> of the kind ~~\n'));
      expect(observations).toEqual([]);
      expect(result).toMatchObject({ ok: true, file: { unreadLines: 2, lines: 3 } });
      expect(warnings.flatMap(({ line }) => line ?? [])).toEqual(expect.arrayContaining([1, 3]));
    });

    test('whatever the bytes are, nothing is thrown and what comes out is well-formed', () => {
      const mutated = fc.tuple(
        fc.constantFrom(...texts),
        fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(6)), { maxLength: 12 }),
      );
      fc.assert(
        fc.property(
          fc.oneof({ weight: 4, arbitrary: mutated.map(damage) }, fc.uint8Array({ maxLength: 400 })),
          (bytes) => {
            const { observations, result } = readRaw(bytes);
            expect(result.ok || bytes.length === 0 || result.lines === 0).toBe(true);
            expectWellFormed(observations, format);
            expect(observations.length).toBeLessThan(200_000);
            chooseImporter(Buffer.from(bytes).toString('latin1'));
          },
        ),
        { numRuns: 400, interruptAfterTimeLimit: 4000 },
      );
    });
  });
}

/** Bytes changed, doubled and cut out at random places. */
function damage([text, edits]: readonly [Buffer, readonly (readonly [number, number, number])[]]): Buffer {
  let bytes = Buffer.from(text);
  for (const [where, value, what] of edits) {
    const at = bytes.length === 0 ? 0 : where % bytes.length;
    if (what === 0) bytes = bytes.subarray(0, at);
    else if (what === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + value)]);
    else if (what === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - value))]);
    else if (what === 3)
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(String(value ** 5)), bytes.subarray(at)]);
    else if (bytes.length > 0) bytes[at] = value;
  }
  return bytes;
}
