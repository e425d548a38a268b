import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { printable } from '../model/outcome.ts';
import { loadNetworkFile, NetworkFileError, parseNetwork } from './network-file.ts';

const root = new URL('../../', import.meta.url);
const examples = readdirSync(new URL('examples/', root)).filter((name) => name.endsWith('.yaml'));
const minimal = 'version: 1\nendpoints:\n  - { name: a, url: http://h }\n';

describe('the files that we ship', () => {
  test.each(examples)('examples/%s passes', (name) => {
    expect(parseNetwork(readFileSync(new URL(`examples/${name}`, root), 'utf8'))).toHaveProperty('network');
  });

  test('the file in docs/network-file.md passes', () => {
    const page = readFileSync(new URL('docs/network-file.md', root), 'utf8');
    const yaml = /```yaml\n(version[^`]*)```/.exec(page)?.[1];
    expect(parseNetwork(yaml ?? '')).toHaveProperty('network');
  });
});

describe('parseNetwork()', () => {
  test('fills in the defaults', () => {
    expect(parseNetwork(minimal)).toMatchObject({
      network: {
        version: 1,
        sites: [],
        endpoints: [{ name: 'a', url: 'http://h', dialect: 'auto', workload: 'chat' }],
        workloads: [],
        targets: {},
      },
    });
  });

  test('follows aliases, and places a mistake where the value stands', () => {
    const text = `${minimal}workloads:\n  - &w { name: x, class: rag }\n  - *w\n`;
    expect(parseNetwork(text)).toMatchObject({ mistakes: [{ line: 5, column: 16 }] });
  });

  test('never throws and always gives places inside the text, whatever the text', () => {
    const pieces = fc.constantFrom(
      ...'-:{}[]&*!|>\'"%@`#,? \t\n\u0000aé9'.split(''),
      'version: 1\n',
      'endpoints:\n',
      '- ',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 60 }).map((p) => p.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const result = parseNetwork(text);
        const lines = text.split('\n').length;
        for (const m of 'mistakes' in result ? result.mistakes : []) {
          expect(m.line).toBeGreaterThanOrEqual(1);
          expect(m.line).toBeLessThanOrEqual(lines + 1);
          expect(printable(m.message, Infinity)).toBe(m.message);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('finds every mistake that is planted in a good file, and no other', () => {
    const plants = fc.subarray([
      ['version: 1', 'version: 3'],
      ['role: dc', 'role: ddc'],
      ['lat: 50', 'lat: 91'],
      ['url: http://a', 'url: gopher://a'],
      ['workload: rag', 'workload: ragg'],
      ['class: chat', 'class: chess'],
      ['max: 7', 'max: -7'],
    ] as const);
    const good = `version: 1
sites: [{ name: s, role: dc, location: { lat: 50, lon: 8 } }]
endpoints:
  - { name: a, url: http://a }
  - { name: b, url: http://b, workload: rag }
workloads: [{ name: w, class: chat }]
targets: { voice: { ttftMs: { max: 7 } } }
`;
    fc.assert(
      fc.property(plants, (planted) => {
        const text = planted.reduce((t, [from, to]) => t.replace(from, to), good);
        const result = parseNetwork(text);
        const found = 'mistakes' in result ? result.mistakes.map((m) => m.line) : [];
        const expected = planted.map(([from]) => good.slice(0, good.indexOf(from)).split('\n').length);
        // Both in the order of the text, as the plants are.
        expect(found).toEqual(expected);
      }),
    );
  });
});

describe('loadNetworkFile()', () => {
  test('reads through Io', async () => {
    const network = await loadNetworkFile('n.yaml', fakeIo({ files: { 'n.yaml': minimal } }));
    expect(network.endpoints[0]?.name).toBe('a');
  });

  test('throws one error that holds all mistakes, at most 100 of them printed', async () => {
    const keys = Array.from({ length: 120 }, (_, i) => `x${i}: 1\n`).join('');
    const error = await loadNetworkFile('n.yaml', fakeIo({ files: { 'n.yaml': minimal + keys } })).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(NetworkFileError);
    if (!(error instanceof NetworkFileError)) return;
    expect(error.mistakes).toHaveLength(120);
    expect(error.message.split('\n')).toHaveLength(101);
    expect(error.message).toMatch(/\nn\.yaml: and 20 more$/);
  });
});
