import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import type { Io } from '../wire/io.ts';
import { dnsProbe, resolveTarget } from './dns.ts';
import { hostOf, portOf } from './url.ts';
import { collect, targetOf } from './probe.case.ts';
import type { Target } from './probe.ts';

const never = new AbortController().signal;
const both = [
  { address: '192.0.2.7', family: 4 as const },
  { address: '2001:db8::7', family: 6 as const },
];

async function one(target: Target, io: Io, options = {}) {
  const all = await collect(dnsProbe.run(target, dnsProbe.options.parse(options), io, never));
  expect(all).toHaveLength(1);
  return all[0];
}

describe('dnsProbe', () => {
  test('times one look-up by the clock of io and gives the addresses in their order', async () => {
    const fake = fakeIo({ hosts: { 'api.example': both } });
    // The fake clock jumps with every sleep; the time limit of the look-up must not move it.
    const io = { ...fake, clock: { ...fake.clock, sleep: () => new Promise<never>(() => undefined) } };
    const slowDns = {
      ...io.dns,
      lookup: async (host: string) => {
        io.advance(12.5);
        return io.dns.lookup(host);
      },
    };
    expect(await one(targetOf('https://api.example/v1'), { ...io, dns: slowDns })).toMatchObject({
      outcome: { kind: 'answered' },
      host: 'api.example',
      durationMs: 12.5,
      addresses: ['192.0.2.7', '2001:db8::7'],
      at: '2026-01-02T03:04:05.000Z',
    });
  });

  test.each(['http://192.0.2.1/', 'http://[2001:db8::1]:8080/'])(
    'does not ask about the literal of %s',
    async (url) => {
      expect(await one(targetOf(url), fakeIo())).toMatchObject({
        durationMs: 0,
        how: 'address literal',
        outcome: { kind: 'answered' },
      });
    },
  );

  test('honours an address given by the user, for that port only', async () => {
    const resolve = new Map([['api.example:443', '198.51.100.4']]);
    const io = fakeIo({ hosts: { 'api.example': both } });
    expect(await one(targetOf('https://api.example/', { resolve }), io)).toMatchObject({
      addresses: ['198.51.100.4'],
      durationMs: 0,
      how: 'address given by the user',
    });
    expect(await one(targetOf('https://api.example:444/', { resolve }), io)).toMatchObject({
      addresses: both.map((a) => a.address),
    });
  });

  test('passes the resolver its error code on', async () => {
    expect(await one(targetOf('https://nowhere.example/'), fakeIo())).toMatchObject({
      outcome: {
        kind: 'failed',
        phase: 'dns',
        operation: 'getaddrinfo',
        errno: 'ENOTFOUND',
        address: 'nowhere.example',
      },
    });
  });

  test('an empty answer is a failure', async () => {
    expect(
      await one(targetOf('https://api.example/'), { ...fakeIo(), dns: { ...fakeIo().dns, lookup: async () => [] } }),
    ).toMatchObject({
      outcome: { kind: 'failed', errno: 'ENODATA' },
      addresses: [],
    });
  });

  test('gives up on a silent resolver after timeoutMs', async () => {
    const io = { ...fakeIo(), dns: { ...fakeIo().dns, lookup: () => new Promise<never>(() => undefined) } };
    expect(await one(targetOf('https://api.example/'), io, { timeoutMs: 700 })).toMatchObject({
      outcome: { kind: 'timedOut', phase: 'dns', afterMs: 700 },
    });
  });

  test('makes what a resolver throws printable', async () => {
    const io = { ...fakeIo(), dns: { ...fakeIo().dns, lookup: () => Promise.reject(new Error('\u001b[31mred')) } };
    expect(await one(targetOf('https://api.example/'), io)).toMatchObject({
      outcome: { errno: 'EUNKNOWN', message: ' [31mred' },
    });
  });
});

test('portOf() and hostOf() read what the wire needs from a URL', () => {
  expect(['http://a/', 'https://a/', 'https://a:8443/'].map((url) => portOf(new URL(url)))).toEqual([80, 443, 8443]);
  expect(hostOf(new URL('http://[::1]:80/'))).toBe('::1');
});

test('resolveTarget() reports an override that is no address', async () => {
  const resolve = new Map([['a:443', 'b']]);
  const found = await resolveTarget(targetOf('https://a/', { resolve }), fakeIo(), never);
  expect(found).toMatchObject({ addresses: [], outcome: { kind: 'failed', errno: 'EADDRNOTAVAIL' } });
});
