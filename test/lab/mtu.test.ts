import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { observation, type ObservationOf } from '../../src/model/observation.ts';
import { fakeIo } from '../fakes/io.ts';
import { programOf } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';
import { NOBODY } from './nobody.ts';

const RUNNER = programOf(new URL('run-mtu.ts', import.meta.url));
const REFLECTOR = programOf(new URL('run-stamp.ts', import.meta.url));
const LISTEN = ['node', '-e', "require('net').createServer((s) => s.end()).listen(7041, '::')"];
/** What the paths from the client carry. The router before `hole` and `lossy` says nothing. */
const MTU = { wide: 9000, tunnel: 1420, hole: 1450, lossy: 1450, back: 1500, skew: 1480 };
type Host = keyof typeof MTU;
const LISTENING = new Set(['wide', 'hole']);

interface Circumstances {
  family?: 4 | 6;
  /** Words put before the command, to change its user. */
  as?: readonly string[];
}

describe.skipIf(skipLab)('mtu on emulated paths', () => {
  let lab: Lab;

  beforeAll(async () => {
    const topology = {
      hosts: [
        { name: 'client' },
        ...Object.keys(MTU).map((name) =>
          LISTENING.has(name) ? { name, command: LISTEN, readyPort: 7041 } : { name },
        ),
      ],
      routers: [
        { name: 'r1' },
        { name: 'r2' },
        { name: 'r3' },
        { name: 'r4', icmp: false },
        { name: 'r5' },
        { name: 'r6' },
      ],
      links: [
        { a: 'client', b: 'r1', delayMs: 1, mtu: 9000 },
        { a: 'r1', b: 'wide', delayMs: 1, mtu: 9000 },
        { a: 'r1', b: 'r2', delayMs: 1 },
        { a: 'r2', b: 'r3', delayMs: 1, mtu: MTU.tunnel },
        { a: 'r3', b: 'tunnel', delayMs: 1 },
        // A black hole: r4 drops what does not fit its link to r5, and says nothing.
        { a: 'r1', b: 'r4', delayMs: 1 },
        { a: 'r4', b: 'r5', delayMs: 1, mtu: MTU.hole },
        { a: 'r5', b: 'hole', delayMs: 1 },
        { a: 'r5', b: 'lossy', delayMs: 1, loss: 0.1 },
        // Narrower on the way back only.
        { a: 'r1', b: 'back', delayMs: 1, ba: { mtu: 1280 } },
        { a: 'r1', b: 'r6', delayMs: 1, ab: { mtu: MTU.skew }, ba: { mtu: 1400 } },
        { a: 'r6', b: 'skew', delayMs: 1 },
      ],
    };
    lab = await startLab(topology, { io: { ...fakeIo({ realClock: true }), env: process.env, cwd: process.cwd() } });
  });
  afterAll(async () => {
    await lab.stop();
  });

  async function run(
    hosts: readonly Host[],
    options: object,
    { family = 4, as = [] }: Circumstances = {},
  ): Promise<Record<Host, ObservationOf<'mtu'>>> {
    const urls = hosts.map((host) => {
      const address = lab.addressOf(host, family);
      return `http://${family === 6 ? `[${address}]` : address}:7041/`;
    });
    const command = [...as, process.execPath, ...RUNNER, JSON.stringify(options), ...urls];
    const { code, stdout, stderr } = await lab.run('client', command);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => observation.parse(JSON.parse(line)) as ObservationOf<'mtu'>);
    // Where one method did not answer the next one did: the last observation counts.
    return Object.fromEntries(hosts.map((host, i) => [host, found.findLast(({ to }) => to === urls[i])])) as Record<
      Host,
      ObservationOf<'mtu'>
    >;
  }

  const expectPaths = (found: Record<Host, ObservationOf<'mtu'>>, family: 4 | 6, holes: readonly Host[]) => {
    const at = (name: string) => lab.addressOf(name, family);
    expect(found.wide.forward).toMatchObject({ verdict: 'no-limit', confirmedBytes: 9000, refutedBytes: null });
    expect(found.wide.forward.why).toContain('MTU 9000');
    expect(found.tunnel.forward).toMatchObject({
      verdict: 'icmp-confirmed',
      confirmedBytes: 1420,
      refutedBytes: 1421,
      by: at('r2'),
      saidMtuBytes: 1420,
      hop: { afterTtl: 2, afterAddress: at('r2'), beforeTtl: 3, beforeAddress: at('r3'), confidence: 'high' },
    });
    // r4 answers to nothing, so that the place is known between its neighbours only.
    const hop = { afterTtl: 1, afterAddress: at('r1'), beforeTtl: 3, beforeAddress: at('r5') };
    for (const host of holes) {
      expect(found[host].forward, host).toMatchObject({
        verdict: 'black-hole',
        confirmedBytes: 1450,
        refutedBytes: 1451,
      });
      expect(found[host].forward).toMatchObject({ by: null, saidMtuBytes: null, hop });
    }
  };

  test.each([
    ['icmp', 4],
    ['icmp', 6],
  ] as const)(
    'by %s over IPv%d: jumbo frames, a router that speaks, black holes with and without loss',
    async (method, family) => {
      const found = await run(['wide', 'tunnel', 'hole', 'lossy'], { method }, { family });
      expectPaths(found, family, ['hole', 'lossy']);
      // What TCP sends is held against the path: the MSS says 1500 to the hole, whose link it does not know.
      expect(found.wide.tcp).toMatchObject({ packetBytes: 9000, limitedBy: 'interface', fits: true });
      expect(found.hole.tcp).toMatchObject({ packetBytes: 1500, fits: false });
    },
  );

  test.each([4, 6] as const)(
    'as nobody without ping sockets all of this works over IPv%d, by UDP, and it says so',
    async (family) => {
      await lab.run('client', ['sh', '-c', "echo '1 0' > /proc/sys/net/ipv4/ping_group_range"]);
      const found = await run(['wide', 'tunnel', 'hole'], {}, { family, as: NOBODY });
      expectPaths(found, family, ['hole']);
      for (const { method, how } of Object.values(found)) expect({ method, how }).toMatchObject({ method: 'udp' });
    },
  );

  describe('with our reflector at the far end', () => {
    beforeAll(async () => {
      const starting = ['back', 'skew'].map((host) => {
        const child = lab.spawn(host, [process.execPath, ...REFLECTOR], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        return once(child.stdout!, 'data');
      });
      await Promise.all(starting);
    }, 60_000);

    test.each([4, 6] as const)('each direction has its own MTU over IPv%d, as nobody', async (family) => {
      const found = await run(['back', 'skew'], { method: 'stamp' }, { family, as: NOBODY });
      const r1 = lab.addressOf('r1', family);
      expect(found.skew.forward).toMatchObject({ verdict: 'icmp-confirmed', confirmedBytes: 1480, by: r1 });
      expect(found.skew.forward.hop).toMatchObject({ afterAddress: r1, afterTtl: 1, beforeTtl: 2, confidence: 'high' });
      expect(found.skew.reverse).toMatchObject({
        verdict: 'limited',
        confirmedBytes: 1400,
        refutedBytes: 1401,
        by: null,
      });
      // The narrow way back begins at the reflector itself, which says so.
      expect(found.back.forward).toMatchObject({ confirmedBytes: 1500, by: r1 });
      expect(found.back.reverse).toMatchObject({ verdict: 'limited', confirmedBytes: 1280, refutedBytes: 1281 });
      expect(found.back.reverse?.by).toContain('reflector');
    });
  });

  test('agrees with tracepath on the path where ICMP speaks', async () => {
    const { stdout } = await lab.run('client', ['tracepath', '-n', lab.addressOf('tunnel')]);
    expect(stdout).toContain(`pmtu ${MTU.tunnel}`);
  });

  test.each([4, 6] as const)(
    'agrees with ping over IPv%d: 1450 octets pass the black hole and 1451 do not',
    async (family) => {
      const headers = family === 4 ? 28 : 48;
      const ping = (size: number) =>
        lab.run('client', [
          'ping',
          '-c2',
          '-i0.2',
          '-W1',
          '-Mdo',
          `-s${size - headers}`,
          lab.addressOf('hole', family),
        ]);
      const [fits, lost] = await Promise.all([ping(MTU.hole), ping(MTU.hole + 1)]);
      expect([fits.code, lost.code]).toEqual([0, 1]);
    },
  );
});
