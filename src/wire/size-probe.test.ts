import { createServer, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { egressTo } from './interface-mtu.ts';
import { openMssProbe, type MssProbe } from './mss-probe.ts';
import { controlMessages } from './msghdr.ts';
import {
  openEchoSizeProbe,
  openUdpSizeProbe,
  quotedSequence,
  type SizeEvents,
  type SizeProbe,
  tellIcmp,
} from './size-probe.ts';
import { errorEstimate, writeReflector } from './stamp.ts';
import { openStampSizeProbe, readSizeReply } from './stamp-size-probe.ts';

const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
const linux = process.platform === 'linux';

function listen(): SizeEvents & { heard: unknown[][] } {
  const heard: unknown[][] = [];
  const note =
    (kind: string) =>
    (...words: unknown[]) =>
      void heard.push([kind, ...words]);
  return {
    heard,
    arrived: note('arrived'),
    tooBig: note('tooBig'),
    expired: note('expired'),
    unreachable: note('unreachable'),
  };
}

const bySequence = (heard: readonly unknown[][]) => heard.toSorted((a, b) => Number(a[1]) - Number(b[1]));

async function until(probe: SizeProbe, events: ReturnType<typeof listen>, count: number): Promise<void> {
  for (let i = 0; i < 500 && events.heard.length < count; i++) {
    probe.drain(events);
    await sleep(1);
  }
}

async function settled(probe: MssProbe) {
  for (let i = 0; i < 500; i++) {
    const result = probe.poll();
    if (result) return result;
    await sleep(1);
  }
  return null;
}

describe('quotedSequence()', () => {
  const mark = Buffer.from('inferpath mtu probe', 'latin1');

  test('knows our own payload, whole or cut short, and nothing else', () => {
    const payload = Buffer.concat([Buffer.from([1, 2]), mark, Buffer.alloc(100)]);
    expect(quotedSequence(payload, payload.length)).toBe(0x0102);
    expect(quotedSequence(payload, 5)).toBe(0x0102);
    expect(quotedSequence(payload, 2)).toBe(0x0102);
    expect(quotedSequence(payload, 1)).toBeNull();
    expect(quotedSequence(Buffer.from([1, 2, 3]), 3)).toBeNull();
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: -10, max: 100 }), (octets, bytes) => {
        const sequence = quotedSequence(Buffer.from(octets), bytes);
        expect(sequence === null || (sequence >= 0 && sequence <= 0xffff)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('readSizeReply()', () => {
  test('reads a reply to us and no other, and survives anything behind it', () => {
    const error = errorEstimate(1, false);
    const time = { sec: 1, nsec: 0 };
    const reply = Buffer.alloc(600);
    const from = (sequence: number) => {
      const sender = { sequence, time, error, ttl: 1 };
      writeReflector(reply, { sequence: 0, time, error, ssid: 0, received: time, sender });
      return reply;
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.nat(600), fc.nat(0xffff), (octets, bytes, sequence) => {
        const packet = from(0x4d520000 + sequence);
        packet.set(octets, 44);
        const read = readSizeReply(packet, bytes, 'reverse');
        expect(read?.sequence).toBe(bytes < 44 ? undefined : sequence);
        expect(readSizeReply(packet, bytes, 'forward')).toBeNull();
        expect(readSizeReply(from(sequence), bytes, 'reverse')).toBeNull();
        readSizeReply(Buffer.from(octets), bytes, 'forward');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('tellIcmp()', () => {
  const told = (family: 4 | 6, type: number, code: number, info: number, offender: string | null) => {
    const events = listen();
    const control = { ...controlMessages(), errorType: type, errorCode: code, errorInfo: info, offender };
    tellIcmp(control, 7, family === 4 ? '192.0.2.9' : 'fe80::9%2', family, events);
    return events.heard[0];
  };

  test.each([
    [4, 3, 4, 1400, '192.0.2.1', ['tooBig', 7, '192.0.2.1', 1400]],
    [4, 3, 4, 0, '192.0.2.1', ['tooBig', 7, '192.0.2.1', null]],
    [6, 2, 0, 1280, 'fe80::1', ['tooBig', 7, 'fe80::1', 1280]],
    [4, 11, 0, 0, '192.0.2.1', ['expired', 7, '192.0.2.1']],
    [6, 3, 0, 0, 'fe80::1', ['expired', 7, 'fe80::1']],
    [4, 3, 3, 0, '192.0.2.9', ['arrived', 7]],
    [6, 1, 4, 0, 'fe80::9', ['arrived', 7]],
    [4, 3, 13, 0, '192.0.2.1', ['unreachable', 7, '192.0.2.1', 'administratively prohibited (ICMP 3/13)']],
    [4, 3, 1, 0, null, ['unreachable', 7, 'unknown', 'host unreachable (ICMP 3/1)']],
  ] as const)('IPv%d, type %d code %d with %d by %s', (family, type, code, info, offender, wanted) => {
    expect(told(family, type, code, info, offender)).toEqual(wanted);
  });
});

describe.runIf(linux)('on loopback', () => {
  test.each(['127.0.0.1', '::1'])('UDP of exact sizes to a closed port of %s arrives, whole', async (address) => {
    const family = address === '::1' ? 6 : 4;
    const probe = openUdpSizeProbe(address, family, 9, 65_535);
    const events = listen();
    try {
      const sizes = [probe.headerBytes, 1281, 9000, 65_535];
      for (const [sequence, sizeBytes] of sizes.entries()) probe.send({ sequence, sizeBytes });
      await until(probe, events, sizes.length);
      expect(bySequence(events.heard)).toEqual(sizes.map((_, sequence) => ['arrived', sequence]));
      expect(() => probe.send({ sequence: 9, sizeBytes: probe.headerBytes - 1 })).toThrow(RangeError);
    } finally {
      probe.close();
      probe.close();
    }
  });

  test('echo of exact sizes comes back, where this user may send any', async ({ skip }) => {
    let probe: SizeProbe;
    try {
      probe = openEchoSizeProbe('127.0.0.1', 4, 9000);
    } catch (error) {
      expect((error as { errno: string }).errno).toMatch(/EACCES|EPERM/);
      return skip('neither a ping socket nor a raw socket is permitted');
    }
    const events = listen();
    try {
      for (const [sequence, sizeBytes] of [28, 9000].entries()) probe.send({ sequence, sizeBytes });
      await until(probe, events, 2);
      expect(bySequence(events.heard)).toEqual([
        ['arrived', 0],
        ['arrived', 1],
      ]);
    } finally {
      probe.close();
    }
  });

  test('without a STAMP reflector that is said, in either direction', async () => {
    const probe = openStampSizeProbe('127.0.0.1', 4, 9, 1500);
    const events = listen();
    try {
      probe.forward.send({ sequence: 3, sizeBytes: 1500 });
      await until(probe.forward, events, 1);
      expect(events.heard[0]).toEqual(['unreachable', 3, '127.0.0.1', expect.stringContaining('no STAMP reflector')]);
      expect(probe.heedsSize()).toBeNull();
    } finally {
      probe.close();
    }
  });

  test('egressTo() names the interface with its MTU, and throws where no route leads', () => {
    expect(egressTo('127.0.0.1', 4)).toMatchObject({ localAddress: '127.0.0.1', interfaceName: 'lo' });
    expect(egressTo('127.0.0.1', 4).mtuBytes).toBeGreaterThanOrEqual(1280);
    expect(() => egressTo('ff05::1%nowhere', 6)).toThrow(/nowhere/);
  });

  test('openMssProbe() tells the sizes of a connection, or that it was refused', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const { port } = server.address() as AddressInfo;
    const probe = openMssProbe('127.0.0.1', port);
    try {
      const result = await settled(probe);
      expect(result).toMatchObject({ kind: 'connected' });
      if (result?.kind !== 'connected') return;
      const { mtuBytes } = egressTo('127.0.0.1', 4);
      expect(result.sizes.pathMtuBytes).toBe(Math.min(mtuBytes ?? 0, 65_535));
      expect(result.sizes.advertisedMssBytes + result.sizes.optionBytes + 40).toBe(result.sizes.pathMtuBytes);
      expect(result.sizes.sendMssBytes).toBeGreaterThan(500);
    } finally {
      probe.close();
      await new Promise((done) => server.close(done));
    }
    const refused = openMssProbe('127.0.0.1', port);
    expect(await settled(refused)).toEqual({ kind: 'failed', errno: 'ECONNREFUSED' });
    refused.close();
  });
});
