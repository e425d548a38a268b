import { afterEach, describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { loadScenario } from '../scenarios/scenario.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

/** What the stock tools say of the emulated networks: the lab's own idea of ECMP, MPLS, NAT and so on is not the judge here. */
let running: Lab | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function lab(scenario: string, server: object = {}): Promise<Lab> {
  const { topology } = loadScenario(scenario);
  const hosts = topology.hosts.map((host) => (host.name === 'server' ? { ...host, ...server } : host));
  running = await startLab({ ...topology, hosts }, { io: labIo });
  return running;
}

async function run(network: Lab, command: readonly string[]): Promise<string> {
  const { stdout, stderr } = await network.run('client', command);
  return `${stdout}${stderr}`;
}

/** Name of the node that answers from an address. */
function nameOf({ plan }: Lab, address: string): string {
  const owner = plan.directions.find(({ entry }) => entry.v4 === address || entry.v6 === address)?.to;
  const node = plan.nodes.find(({ v4, v6 }, index) => v4 === address || v6 === address || index === owner);
  return node?.name ?? address;
}

/** Per hop the names of whoever answered, from lines that begin with a number. */
function hopsOf(network: Lab, output: string): string[][] {
  return [...output.matchAll(/^\s*(\d+)\s+(.*)$/gm)].map(([, , rest]) =>
    [...rest!.matchAll(/(?<![\w.:<])(?:\d+(?:\.\d+){3}|fd[\da-f:]+|2001:db8:[\da-f:]+)(?![\w.:])/g)].map(([address]) =>
      nameOf(network, address),
    ),
  );
}

describe.skipIf(skipLab)('stock tools in emulated networks', () => {
  test('scamper’s MDA finds both branches, and no link between them', async () => {
    const network = await lab('ecmp-2');
    const output = await run(network, ['scamper', '-I', 'tracelb -P icmp-echo -w 1 -W 15 {server}']);
    // in -> (a1, a2) -> (b1, b2) -> …; scamper writes branches that do not meet side by side, in one order.
    const line = output.split('\n').find((one) => one.includes('->'))!;
    const hops = line.split('->').map((hop) => [...hop.matchAll(/[\d.]{7,}/g)].map(([one]) => nameOf(network, one)));
    expect(hops[0]).toEqual(['in']);
    const [first, second] = [hops[1]!, hops[2]!];
    expect(first.toSorted()).toEqual(['a1', 'a2']);
    expect(second).toEqual(first.map((name) => name.replace('a', 'b')));
  });

  test.each([4, 6] as const)('traceroute reads the label stacks over IPv%i', async (family) => {
    const network = await lab('mpls-uniform');
    const target = network.addressOf('server', family);
    const output = await run(network, ['traceroute', `-${family}`, '-n', '-e', '-q', '1', target]);
    expect(hopsOf(network, output)).toEqual([['pe1'], ['p1'], ['p2'], ['pe2'], ['server']]);
    const [p1, p2] = output.split('\n').slice(2, 4);
    expect(p1).toContain('<MPLS:L=24001,E=0,S=1,T=1>');
    expect(p2).toContain('<MPLS:L=24002,E=0,S=0,T=1/L=17,E=0,S=1,T=2>');
    expect(output.match(/MPLS/g)).toHaveLength(2);
  });

  test('tshark decodes extensions of either family, checksums included', async () => {
    const network = await lab('mpls-uniform');
    const script =
      'f=$(mktemp); tcpdump --immediate-mode -Z root -i lab0 -w "$f" -U "icmp or icmp6" 2>/dev/null & p=$!; ' +
      'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; [ -s "$f" ] && break; done; ' +
      'traceroute -n -q 1 {server} >&2; traceroute -6 -n -q 1 {server.6} >&2; sleep 0.3; kill $p; wait $p; ' +
      'tshark -r "$f" -T fields -E separator=/s -E aggregator=+ -e icmp.mpls.label -e icmp.mpls.exp -e icmp.mpls.ttl ' +
      '-e icmp.ext.checksum.status -Y icmp.mpls.label 2>/dev/null; rm -f "$f"';
    const { stdout } = await network.run('client', ['sh', '-c', script]);
    // Label, traffic class, TTL, and 1 for a good checksum.
    const both = ['24001 0 1 1', '24002+17 0+0 1+2 1'];
    expect(stdout.trim().split('\n')).toEqual([...both, ...both]);
  });

  test.each([4, 6] as const)(
    'tracepath learns the MTU of a tunnel over IPv%i, and not that of a black hole',
    async (family) => {
      const told = await run(await lab('mtu-confirmed'), [
        'tracepath',
        `-${family}`,
        '-n',
        family === 4 ? '{server}' : '{server.6}',
      ]);
      expect(told).toContain('Resume: pmtu 1400 ');
      await running?.stop();
      const untold = await lab('mtu-black-hole');
      const probe = ['ping', `-${family}`, '-M', 'do', '-c', '1', '-W', '1', '-s'];
      const headers = family === 4 ? 28 : 48;
      const target = untold.addressOf('server', family);
      expect(await run(untold, [...probe, String(1400 - headers), target])).toContain(' 0% packet loss');
      const lost = await run(untold, [...probe, String(1401 - headers), target]);
      expect(lost).toContain('100% packet loss');
      expect(lost).not.toMatch(/too big|Frag needed/);
    },
  );

  test.each([4, 6] as const)(
    'iperf3 passes a translating router over IPv%i, and so do the errors from behind it',
    async (family) => {
      const network = await lab('nat', { command: ['iperf3', '-s'], readyPort: 5201 });
      const target = network.addressOf('server', family);
      const output = await run(network, ['iperf3', '-c', target, '-t', '1', '-J']);
      const { end } = JSON.parse(output) as { end: { sum_received: { bytes: number } } };
      // Wrong checksums would stop it after the handshake at the latest.
      expect(end.sum_received.bytes).toBeGreaterThan(500_000);
      const hops = hopsOf(network, await run(network, ['traceroute', `-${family}`, '-n', '-q', '1', target]));
      expect(hops).toEqual([['home'], ['isp'], ['core'], ['server']]);
    },
  );

  test('mtr sees the rate-limited router lose most, and nothing behind it', async () => {
    const network = await lab('rate-limited-hop');
    const output = await run(network, ['mtr', '-n', '-r', '-c', '20', '-i', '0.05', '{server}']);
    const loss = [...output.matchAll(/\|-- (\S+)\s+([\d.]+)%/g)].map(([, address, share]) => [
      nameOf(network, address!),
      Number(share),
    ]);
    expect(loss.map(([name]) => name)).toEqual(['r1', 'r2', 'r3', 'server']);
    expect(loss[1]![1]).toBeGreaterThan(30);
    for (const index of [0, 2, 3]) expect(loss[index]![1]).toBe(0);
  });

  test('ping sees packets twice, and the other way while a link is down', async () => {
    const twice = await run(await lab('duplicates'), ['ping', '-q', '-c', '300', '-i', '0.005', '{server}']);
    const copies = Number(/\+(\d+) duplicates/.exec(twice)?.[1]);
    // Binomial around 15.
    expect(copies).toBeGreaterThan(2);
    expect(copies).toBeLessThan(34);
    await running?.stop();
    const flapping = await run(await lab('flapping-link'), ['ping', '-c', '75', '-i', '0.02', '-W', '1', '{server}']);
    const rtts = [...flapping.matchAll(/icmp_seq=(\d+) .*time=([\d.]+)/g)].map(([, , ms]) => Number(ms));
    // 12 ms by the short way, 52 ms by the long one, 28 to 32 where it came back in between; 100 ms of each second are lost.
    expect(rtts.filter((ms) => ms >= 12 && ms < 25).length).toBeGreaterThan(20);
    expect(rtts.filter((ms) => ms >= 52).length).toBeGreaterThan(5);
    expect(rtts.length).toBeLessThan(75);
  });
});
