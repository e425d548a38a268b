import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  builtInTargets,
  classDefaults,
  endpointFromUrl,
  nameFromUrl,
  networkFromUrls,
  resolveWorkload,
} from './defaults.ts';
import { network } from './network.ts';
import { targets, workloadClass } from './workload.ts';

describe('classDefaults', () => {
  test.each(workloadClass.options)('%s has limits that a network file could have, each with a source', (name) => {
    expect(targets.parse(builtInTargets(name))).toEqual(builtInTargets(name));
    const all = Object.entries(classDefaults[name].targets);
    expect(all.filter(([, t]) => t.source.length < 10)).toEqual([]);
    // A shared limit has one percentile; a ratio has none.
    expect(all.filter(([, t]) => t.percentile === undefined).map(([key]) => key)).toEqual(['networkLoss', 'stallRate']);
  });

  test('keeps what the issue of the network asks for: 50 ms for chat, 10 ms for finance', () => {
    expect(builtInTargets('chat').networkRttMs).toEqual({ max: 50, percentile: 99 });
    expect(builtInTargets('finance').networkRttMs).toEqual({ max: 10, percentile: 99 });
  });

  test('never lets the token gap and the stall rate contradict: who meets the one can meet the other', () => {
    for (const name of workloadClass.options) {
      const { tokenGapMs, stallRate } = builtInTargets(name);
      expect(stallRate.max).toBeLessThanOrEqual((100 - tokenGapMs.percentile) / 100 + 1e-12);
    }
  });
});

describe('resolveWorkload()', () => {
  const file = network.parse({
    version: 1,
    endpoints: [
      { name: 'plain', url: 'http://h' },
      { name: 'own', url: 'http://h', workload: 'support' },
      { name: 'other', url: 'http://h', workload: 'voice' },
      { name: 'renamed', url: 'http://h', workload: 'rag' },
    ],
    workloads: [
      { name: 'support', class: 'chat', promptTokens: 3000, targets: { ttftMs: { max: 800, percentile: 95 } } },
      { name: 'rag', class: 'rag', maxTokens: 9 },
    ],
    targets: { chat: { networkRttMs: { max: 40 }, ttftMs: { max: 600 } } },
  });
  const of = (name: string) => {
    const endpoint = file.endpoints.find((e) => e.name === name);
    if (!endpoint) throw new Error(`no endpoint ${name}`);
    return resolveWorkload(file, endpoint);
  };

  test('takes the targets of the class from the file, and the rest built in', () => {
    expect(of('plain')).toEqual({
      name: 'chat',
      class: 'chat',
      promptTokens: 1000,
      maxTokens: 128,
      targets: {
        ...builtInTargets('chat'),
        networkRttMs: { max: 40, percentile: 99 },
        ttftMs: { max: 600, percentile: 99 },
      },
    });
  });

  test('lets the targets of the workload win over those of its class', () => {
    expect(of('own')).toMatchObject({ name: 'support', class: 'chat', promptTokens: 3000, maxTokens: 128 });
    expect(of('own').targets.ttftMs).toEqual({ max: 800, percentile: 95 });
    expect(of('own').targets.networkRttMs).toEqual({ max: 40, percentile: 99 });
  });

  test('leaves other classes alone, and lets a workload carry the name of its own class', () => {
    expect(of('other').targets).toEqual(builtInTargets('voice'));
    expect(of('renamed')).toMatchObject({ class: 'rag', promptTokens: 2000, maxTokens: 9 });
  });

  test('throws for a workload that no parsed network can name', () => {
    const endpoint = { ...file.endpoints[0]!, workload: 'toString' };
    expect(() => resolveWorkload(file, endpoint)).toThrow('Endpoint "plain" names the unknown workload "toString"');
  });
});

describe('networkFromUrls()', () => {
  test('names endpoints by host, each once', () => {
    const { endpoints } = networkFromUrls(
      ['https://API.example.com/v1', 'https://api.example.com', 'http://[::1]:80'],
      'voice',
    );
    expect(endpoints.map((e) => [e.name, e.workload])).toEqual([
      ['api.example.com', 'voice'],
      ['api.example.com-2', 'voice'],
      ['1', 'voice'],
    ]);
    expect(endpointFromUrl('http://client').endpoints[0]?.name).toBe('endpoint');
  });

  test.each([
    [['http://a', 'nonsense'], '"nonsense" is no http or https URL'],
    [['file:///etc/passwd'], '"file:///etc/passwd" is no http or https URL'],
    [
      ['http://me:hunter2@h'],
      'The URL must be a URL without user name and password; secrets come by auth.env or auth.file',
    ],
  ])('refuses %j', (urls, words) => {
    expect(() => networkFromUrls(urls)).toThrow(new RangeError(words));
  });

  test('nameFromUrl() always makes a name that a network file takes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.webUrl(), fc.string())), (urls) => {
        const taken = new Set<string>();
        const made = urls.map((url) => nameFromUrl(url, taken));
        expect(taken.size).toBe(urls.length);
        const endpoints = made.map((name) => ({ name, url: 'http://h' }));
        expect(endpoints.length === 0 || network.safeParse({ version: 1, endpoints }).success).toBe(true);
      }),
    );
  });
});
