import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { ObservationOf } from '../../model/observation.ts';
import { SystemCallError } from '../../wire/libc.ts';
import { collect, targetOf } from '../probe.case.ts';
import { type FakePath, fakeProbe } from './fake-path.case.ts';
import { makeMtuProbe, type MtuSockets } from './probe.ts';

const EACCES = 13;
const ENETUNREACH = 101;
const egress = { localAddress: '192.0.2.1', interfaceName: 'eth0', mtuBytes: 1500, cachedMtuBytes: 1500 };
const sizes = { sendMssBytes: 1448, advertisedMssBytes: 1448, pathMtuBytes: 1500, optionBytes: 12 };

interface World {
  echo?: Omit<FakePath, 'nowMs'> | Error;
  udp?: Omit<FakePath, 'nowMs'>;
  sockets?: Partial<MtuSockets>;
}

/** Runs the probe over made-up paths; also tells in which order sockets were opened. */
async function run({ echo, udp, sockets }: World, input: object = {}) {
  const io = fakeIo();
  const opened: string[] = [];
  const open = (name: string, path: Omit<FakePath, 'nowMs'> | Error = { links: [], loses: () => true }) => {
    opened.push(name);
    if (path instanceof Error) throw path;
    return fakeProbe({ ...path, nowMs: () => io.clock.monoMs() });
  };
  const probe = makeMtuProbe({
    egressTo: () => egress,
    openMss: () => {
      opened.push('tcp');
      return { poll: () => ({ kind: 'connected', sizes }), close: () => undefined };
    },
    openEcho: () => open('icmp', echo),
    openUdp: () => open('udp', udp),
    openStamp: () => {
      throw new SystemCallError('connect', ENETUNREACH, '192.0.2.9');
    },
    ...sockets,
  });
  const options = probe.options.parse(input);
  const observations = await collect(
    probe.run(targetOf('https://192.0.2.9/'), options, io, new AbortController().signal),
  );
  return { opened, found: observations as ObservationOf<'mtu'>[] };
}

describe('the mtu probe', () => {
  test('looks at TCP before it sends anything that could change what the kernel thinks, then asks by echo only', async () => {
    const { opened, found } = await run({ echo: { links: [1500, 1420, 1500] } });
    expect(opened).toEqual(['tcp', 'icmp']);
    expect(found).toMatchObject([
      {
        method: 'icmp',
        forward: { verdict: 'icmp-confirmed', confirmedBytes: 1420, hop: { afterAddress: 'r1', beforeTtl: 2 } },
        tcp: { port: 443, packetBytes: 1500, limitedBy: 'interface', fits: false },
      },
    ]);
  });

  test.each([
    ['is not permitted', new SystemCallError('socket', EACCES, ''), 'ping_group_range'],
    ['is not answered', undefined, 'not answered'],
  ])('where echo %s both methods are told, and UDP decides', async (_name, echo, why) => {
    const { found } = await run({ ...(echo ? { echo } : {}), udp: { links: [1500, 1500] } });
    expect(found.map(({ method, forward }) => [method, forward.verdict, forward.confirmedBytes])).toEqual([
      ['icmp', 'unknown', null],
      ['udp', 'no-limit', 1500],
    ]);
    expect(found[0]?.forward.why).toContain(why);
  });

  test('a method that was named is not replaced by another', async () => {
    const { opened } = await run({ udp: { links: [1500] } }, { method: 'icmp' });
    expect(opened).toEqual(['tcp', 'icmp']);
    const { found } = await run({}, { method: 'stamp' });
    expect(found).toMatchObject([{ method: 'stamp', outcome: { kind: 'failed', errno: 'ENETUNREACH' } }]);
  });

  test('no route is the word of this host', async () => {
    const egressTo = () => {
      throw new SystemCallError('connect', ENETUNREACH, '192.0.2.9');
    };
    const { opened, found } = await run({ sockets: { egressTo } });
    expect(opened).toEqual([]);
    expect(found).toMatchObject([
      { outcome: { kind: 'unreachable', by: 'this host' }, forward: { verdict: 'unknown' } },
    ]);
  });

  test('a path MTU that the kernel has in its cache already is noted, and ignored by the search', async () => {
    const egressTo = () => ({ ...egress, cachedMtuBytes: 1300 });
    const { found } = await run({ echo: { links: [1500] }, sockets: { egressTo } });
    expect(found[0]?.forward.confirmedBytes).toBe(1500);
    expect(found[0]?.notes.join()).toContain('1300 octets');
  });

  test.each([
    [{ kind: 'failed' as const, errno: 'ECONNREFUSED' }, 'ECONNREFUSED'],
    [{ kind: 'unreachable' as const, by: 'r1', message: 'prohibited' }, 'r1 says prohibited'],
    [null, 'no answer'],
  ])('without a TCP connection (%j) the rest goes on and says so', async (result, why) => {
    const openMss = () => ({ poll: () => result, close: () => undefined });
    const { found } = await run({ echo: { links: [1500] }, sockets: { openMss } });
    expect(found[0]).toMatchObject({ tcp: null, forward: { confirmedBytes: 1500 } });
    expect(found[0]?.notes.join()).toContain(why);
  });

  test('without --hop nobody looks for the hop', async () => {
    const { found } = await run({ echo: { links: [1500, 1450], silent: ['r1'] } }, { hops: false });
    expect(found[0]?.forward).toMatchObject({ verdict: 'black-hole', hop: null });
  });
});
