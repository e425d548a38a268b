import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostileText } from '../arbitrary.case.ts';
import { type Column, decodeAnswer, encodeBlock } from './native.ts';

/** Columns of types that both ways know. */
const columns = fc.integer({ min: 0, max: 12 }).chain((rows) => {
  const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: rows, maxLength: rows });
  const column: fc.Arbitrary<Column> = fc.oneof(
    list(fc.double()).map((values) => ({ type: 'Float64' as const, values: Float64Array.from(values) })),
    list(fc.bigInt(0n, 2n ** 64n - 1n)).map((values) => ({
      type: 'UInt64' as const,
      values: BigUint64Array.from(values),
    })),
    list(hostileText).map((values) => ({ type: 'String' as const, values })),
    list(fc.option(hostileText)).map((values) => ({ type: 'Nullable(String)' as const, values })),
  );
  return fc.record({ rows: fc.constant(rows), columns: fc.array(column, { minLength: 1, maxLength: 5 }) });
});

const encoded = ({ rows, columns }: { rows: number; columns: readonly Column[] }) =>
  Buffer.concat(encodeBlock(rows, Object.fromEntries(columns.map((column, i) => [`c${i}`, column]))));

/** What a text comes back as: a lone half of a character has no octets of its own. */
const told = (text: string | null) => (text === null ? null : Buffer.from(text).toString());

describe('decodeAnswer()', () => {
  test('reads what was written, in however many blocks', () => {
    fc.assert(
      fc.property(columns, fc.integer({ min: 1, max: 3 }), (block, times) => {
        const answer = decodeAnswer(Buffer.concat(Array.from({ length: times }, () => encoded(block))));
        expect(answer.rows).toBe(block.rows * times);
        block.columns.forEach((column, i) => {
          const again = <T>(values: Iterable<T>) => Array.from({ length: times }, () => [...values]).flat();
          if (column.type === 'Float64') expect([...answer.numbers(i)]).toEqual(again(column.values));
          else if (column.type === 'UInt64') expect([...answer.numbers64(i)]).toEqual(again(column.values));
          else expect(answer.texts(i)).toEqual(again(column.values as readonly (string | null)[]).map(told));
        });
      }),
      { numRuns: 200 },
    );
  });

  test('100,000 answers that are cut, changed or made up end in an error that says so, or in an answer', () => {
    const heads = ['Float64', 'UInt64', 'String', 'Nullable(String)', 'Array(Float64)', 'Nested(x)'].map((type) =>
      Buffer.concat([Buffer.from([1, 3, 1, 0x61, type.length]), Buffer.from(type)]),
    );
    const blocks = fc.sample(columns, { numRuns: 200, seed: 4 }).map(encoded);
    let errors = 0;
    const feed = (octets: Buffer) => {
      try {
        const { rows } = decodeAnswer(octets);
        // A row takes an octet at least.
        if (rows > octets.length) throw new Error(`${rows} rows of ${octets.toString('hex')}`);
      } catch (error) {
        if (!(error instanceof RangeError) || !/^The (server|answer)/.test(error.message)) throw error;
        errors++;
      }
    };
    const random = fc.sample(fc.uint8Array({ maxLength: 40 }), { numRuns: 40_000, seed: 5 });
    random.forEach((octets, i) => feed(i % 2 === 0 ? Buffer.from(octets) : Buffer.concat([heads[i % 6]!, octets])));
    const places = fc.sample(fc.nat(), { numRuns: 60_000, seed: 6 });
    places.forEach((place, i) => {
      const block = blocks[i % blocks.length]!;
      const at = place % (block.length + 1);
      if (i % 2 === 0) return feed(block.subarray(0, at));
      const changed = Buffer.from(block);
      changed[at % changed.length]! ^= 1 + (place % 255);
      feed(changed);
    });
    expect(errors).toBeGreaterThan(30_000);
  }, 20_000);
});
