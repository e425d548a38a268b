import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fakeIo } from '../../test/fakes/io.ts';
import { runCli } from './run.ts';
import { publishedSchema, schemaNames } from './schemas.ts';

const compile = (name: string) => new Ajv2020({ strict: false, validateFormats: false }).compile(publishedSchema(name));

describe('publishedSchema()', () => {
  test.each(schemaNames)('%s is a valid schema of draft 2020-12 with its properties at the top', (name) => {
    const schema = publishedSchema(name);
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
    for (const shape of schema.oneOf ?? schema.anyOf ?? [schema]) {
      expect(shape.type).toBe('object');
      expect(Object.keys(shape.properties ?? {}).length).toBeGreaterThan(0);
    }
    expect(schema.description).toMatch(/\.$/);
    expect(() => compile(name)).not.toThrow();
  });

  test('network accepts our examples as they are written, and refuses what inferpath refuses', () => {
    const valid = compile('network');
    for (const name of ['minimal', 'classes', 'enterprise']) {
      const text = readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url), 'utf8');
      expect([valid(parse(text)), valid.errors]).toEqual([true, null]);
    }
    const endpoints = [{ name: 'a', url: 'http://h' }];
    expect(valid({ version: 1, endpoints })).toBe(true);
    expect(valid({ version: 2, endpoints })).toBe(false);
    expect(valid({ version: 1, endpoints: [] })).toBe(false);
    expect(valid({ version: 1, endpoints, site: [] })).toBe(false);
    expect(valid({ version: 1, endpoints, targets: { chat: { ttftMs: { max: 5 } } } })).toBe(true);
  });
});

describe('inferpath schema', () => {
  test('prints one document', async () => {
    const io = fakeIo();
    expect(await runCli(['schema', 'assess'], io)).toBe(0);
    expect(JSON.parse(io.stdout())).toEqual(publishedSchema('assess'));
  });

  test.each([['schema'], ['schema --list']])('%s names them all', async (line) => {
    const io = fakeIo();
    expect(await runCli(line.split(' '), io)).toBe(0);
    expect(
      io
        .stdout()
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(schemaNames);
  });
});
