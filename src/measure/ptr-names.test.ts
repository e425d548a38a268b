import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { PtrNames } from './ptr-names.ts';

const never = new Promise<never>(() => undefined);

describe('PtrNames', () => {
  test('gives what is known by now, asks in the background, and once', async () => {
    let asked = 0;
    let learned = 0;
    const io = fakeIo({ ptr: { '10.0.0.1': ['gw.example.'], 'fe80::1': ['local.example'] } });
    const reverse = io.dns.reverse;
    io.dns.reverse = (address) => {
      asked++;
      return reverse(address);
    };
    const names = new PtrNames(io, () => learned++);
    expect([names.of('10.0.0.1'), names.of('10.0.0.1'), names.of('10.0.0.2'), names.of('fe80::1%eth0')]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    await names.settled(never);
    expect([names.of('10.0.0.1'), names.of('10.0.0.2'), names.of('fe80::1%eth0')]).toEqual([
      'gw.example',
      null,
      'local.example',
    ]);
    expect([asked, learned]).toEqual([3, 2]);
  });

  test('asks at most eight questions at once', async () => {
    let [running, most] = [0, 0];
    const io = fakeIo();
    io.dns.reverse = async () => {
      most = Math.max(most, ++running);
      await new Promise((done) => setImmediate(done));
      running--;
      return ['x.example'];
    };
    const names = new PtrNames(io, () => undefined);
    for (let i = 0; i < 50; i++) names.of(`10.0.0.${i}`);
    await names.settled(never);
    expect(most).toBe(8);
    expect(names.of('10.0.0.49')).toBe('x.example');
  });

  test('a resolver that never answers is waited for only as long as one likes', async () => {
    const io = fakeIo();
    io.dns.reverse = () => never;
    const names = new PtrNames(io, () => undefined);
    names.of('10.0.0.1');
    await names.settled(Promise.resolve());
    expect(names.of('10.0.0.1')).toBeNull();
  });

  test('what owners of addresses write is made printable and short', async () => {
    const io = fakeIo({ ptr: { '10.0.0.1': [`\u001b[2J${'x'.repeat(500)}`], '10.0.0.2': ['', 'second'] } });
    const names = new PtrNames(io, () => undefined);
    names.of('10.0.0.1');
    names.of('10.0.0.2');
    await names.settled(never);
    expect(names.of('10.0.0.1')).toMatch(/^\[2Jx{200,251}…$/);
    expect(names.of('10.0.0.2')).toBeNull();
  });

  test('bounds how many addresses it asks about', async () => {
    let asked = 0;
    const io = fakeIo();
    io.dns.reverse = () => {
      asked++;
      return Promise.resolve(['x']);
    };
    const names = new PtrNames(io, () => undefined);
    for (let i = 0; i < 3000; i++) names.of(`a${i}`);
    await names.settled(never);
    expect(asked).toBe(2000);
  });
});
