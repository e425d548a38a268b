import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { workloadClass } from '../../model/workload.ts';
import { parseNetwork } from '../network-file.ts';
import { runCli } from '../run.ts';
import { starterYaml } from '../starter.ts';

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/).filter((n) => n !== 'client');
const answers = fc.record({
  vantage: name,
  sites: fc.uniqueArray(
    fc.record({
      name,
      lat: fc.double({ min: -90, max: 90, noNaN: true }),
      lon: fc.double({ min: -180, max: 180, noNaN: true }),
      role: fc.constantFrom('user' as const, 'edge' as const, 'dc' as const, 'cloud' as const),
    }),
    { selector: (s) => s.name, maxLength: 4 },
  ),
  endpoints: fc.uniqueArray(
    fc.record(
      {
        name,
        url: fc.webUrl({ withFragments: true, withQueryParameters: false }),
        workload: fc.constantFrom(...workloadClass.options),
        model: fc.string({ minLength: 1, unit: 'grapheme' }),
        authEnv: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/),
      },
      { requiredKeys: ['name', 'url', 'workload'] },
    ),
    { selector: (e) => e.name, minLength: 1, maxLength: 4 },
  ),
});

describe('starterYaml()', () => {
  test('writes a file that passes and says what was answered, whatever the answers', () => {
    fc.assert(
      fc.property(answers, (given) => {
        const result = parseNetwork(starterYaml(given));
        expect(result).toHaveProperty('network');
        if ('mistakes' in result) return;
        expect(result.network.vantage).toEqual({ name: given.vantage });
        expect(result.network.sites.map((s) => s.location)).toEqual(
          given.sites.map(({ lat, lon }) => ({ lat: lat + 0, lon: lon + 0 })),
        );
        expect(result.network.endpoints).toEqual(
          given.endpoints.map(({ authEnv, ...e }) => ({
            ...e,
            dialect: 'auto',
            ...(authEnv === undefined ? {} : { auth: { env: authEnv } }),
          })),
        );
      }),
    );
  });

  test('is a file whose suggestions pass too, once the # is gone', () => {
    const endpoints = workloadClass.options.map((c) => ({ name: c, url: 'http://h', workload: c }));
    const text = starterYaml({ vantage: 'here', sites: [], endpoints });
    const uncommented = text
      .replaceAll(/^( *)# ((?:sites|targets):|  ?.*(?:\{|:)$|  .*\}$)/gm, '$1$2')
      .replaceAll('# auth:', 'auth:')
      .replaceAll('# model:', 'model:');
    const result = parseNetwork(uncommented);
    expect(result).toHaveProperty('network.sites.0.name', 'frankfurt');
    expect(result).toHaveProperty('network.targets.batch.networkRttMs', { max: 400, percentile: 95 });
    expect(result).toHaveProperty('network.endpoints.6.auth.env', 'INFERENCE_API_KEY');
  });
});

describe('inferpath init', () => {
  test('asks when stdin is a terminal, and asks again after a wrong answer', async () => {
    const io = fakeIo({
      stdinIsTty: true,
      answers: ['Office!', 'office', 'llm.example', 'https://llm.example/v1', '', 'voise', 'voice', 'LLM_KEY', '', ''],
    });
    expect(await runCli(['init'], io)).toBe(0);
    expect(io.stdout()).toBe('Wrote network.yaml with 1 endpoint.\nNext: inferpath assess network.yaml\n');
    expect(io.stderr()).toBe(
      [
        'A few questions; Enter takes what stands in brackets.',
        '  found "Office!"; allowed: 1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
        '  found "llm.example"; allowed: http or https URL',
        '  found "voise"; allowed: chat, finance, voice, copilot, agent, rag, batch',
        '',
      ].join('\n'),
    );
    expect(parseNetwork(io.written.get('network.yaml') ?? '')).toMatchObject({
      network: {
        vantage: { name: 'office' },
        endpoints: [{ name: 'llm.example', workload: 'voice', auth: { env: 'LLM_KEY' } }],
      },
    });
  });

  test('writes nothing when the input ends early', async () => {
    const io = fakeIo({ stdinIsTty: true, answers: ['office', null] });
    expect(await runCli(['init'], io)).toBe(130);
    expect(io.written.size).toBe(0);
  });

  test('leaves an existing file as it is, unless --force is given', async () => {
    const io = fakeIo({ files: { 'network.yaml': 'mine' } });
    expect(await runCli(['init', '--yes'], io)).toBe(2);
    expect(io.stderr()).toBe(
      'inferpath init: network.yaml: the file exists\nhint: --force overwrites it, --output writes another one\n',
    );
    expect(io.written.get('network.yaml')).toBe('mine');
    expect(await runCli(['init', '--yes', '--force'], io)).toBe(0);
    expect(parseNetwork(io.written.get('network.yaml') ?? '')).toHaveProperty('network');
  });

  test('--json prints one document and nothing else', async () => {
    const io = fakeIo();
    expect(await runCli(['init', '--json', '--url', 'http://a', '--url', 'http://a', '-o', 'x.yaml'], io)).toBe(0);
    expect(JSON.parse(io.stdout())).toMatchObject({
      path: 'x.yaml',
      network: { endpoints: [{ name: 'a' }, { name: 'a-2' }] },
    });
    expect(io.stderr()).toBe('');
  });
});
