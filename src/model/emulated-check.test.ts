import { describe, expect, test } from 'vitest';
import { network } from './network.ts';

/** What is said about a file with these endpoints, as `path: message`. */
function said(...endpoints: Record<string, unknown>[]): string[] {
  const result = network.safeParse({
    version: 1,
    endpoints: endpoints.map((one, i) => ({ name: `e${i}`, ...one })),
  });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
const good = (port = 7041) => ({ url: `https://one.test:${port}`, emulated: { roundTripMs: 8 } });

describe('emulated endpoints', () => {
  test('stand by themselves, with defaults for what is not said', () => {
    expect(said(good(), good(7042))).toEqual([]);
    const { endpoints } = network.parse({ version: 1, endpoints: [{ name: 'e', ...good(), emulated: {} }] });
    expect(endpoints[0]?.emulated).toEqual({
      roundTripMs: 0,
      jitterMs: 0,
      loss: 0,
      serverMs: 90,
      serverSpread: 0.2,
      tokenMs: 25,
    });
  });

  test('do not stand beside real ones, which could not be reached', () => {
    expect(said(good(), { url: 'https://api.example.com' })).toEqual([
      'endpoints.1.name: must be emulated like the others: inside an emulated network nothing else can be reached',
    ]);
  });

  test.each([
    'https://api.example.com:7041',
    'http://one.test:7041',
    'https://one.test',
    'https://one.test:443',
    'https://test:7041',
  ])('have names and ports that no real server has: %s', (url) => {
    expect(said({ ...good(), url })).toEqual([expect.stringMatching(/^endpoints\.0\.url: must be https:/)]);
  });

  test('do not share a port, and need no key', () => {
    expect(said(good(), good())).toEqual([expect.stringMatching(/^endpoints\.1\.url: /)]);
    expect(said({ ...good(), auth: { env: 'KEY' } })).toEqual([expect.stringMatching(/^endpoints\.0\.auth: /)]);
  });

  test('are not so many that this machine could not carry them', () => {
    const many = Array.from({ length: 17 }, (_, i) => good(7000 + i));
    expect(said(...many)).toEqual(['endpoints.16.emulated: must be one of at most 16']);
  });
});
