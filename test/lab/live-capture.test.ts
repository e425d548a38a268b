import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LiveOptions, LiveStatistics } from '../../src/gather/capture/live.ts';
import { decodePacket } from '../../src/wire/packet/decode.ts';
import { newPacket } from '../../src/wire/packet/packet.ts';
import { type Frame, newFrame } from '../../src/wire/pcap/frame.ts';
import { captureReader } from '../../src/wire/pcap/reader.ts';
import { programOf } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';
import { type PacketSum, packetSum } from './packet-sum.ts';

/**
 * Two namespaces with a veth between them, in which iperf3 sends 200 Mbit/s of UDP: what our ring has seen has to be what tcpdump has
 * written beside it, packet by packet with its time, and the kernel has to have dropped nothing. `INFERPATH_LIVE_SECONDS=60` for long.
 */
const seconds = Number(process.env['INFERPATH_LIVE_SECONDS'] ?? 3);
const port = '5201';
const runner = programOf(new URL('capture-interface.ts', import.meta.url));

interface Captured {
  seen: PacketSum;
  how: string;
  linkType: number;
  statistics: LiveStatistics;
  files: string[];
  ended: string | null;
}

describe.skipIf(skipLab)('live capture', { timeout: (seconds + 60) * 1000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-live-'));
  const holders: ChildProcess[] = [];
  const children: ChildProcess[] = [];
  let near = 0;
  let far = 0;

  beforeAll(async () => {
    [near, far] = [await namespace(), await namespace()];
    const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02'] as const;
    const peer = ['type', 'veth', 'peer', 'name', 'v1', 'address', macs[1], 'netns', `${far}`];
    // Nothing on the link but what we send: no IPv6 that looks for neighbours, and no ARP.
    for (const pid of [near, far])
      inside(pid, ['sh', '-c', 'for i in all default; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done']);
    inside(near, ['ip', 'link', 'add', 'v0', 'address', macs[0], ...peer]);
    for (const [pid, name, address, other, mac] of [
      [near, 'v0', '10.9.0.1', '10.9.0.2', macs[1]],
      [far, 'v1', '10.9.0.2', '10.9.0.1', macs[0]],
    ] as const) {
      inside(pid, ['ip', 'address', 'add', `${address}/24`, 'dev', name]);
      inside(pid, ['ip', 'link', 'set', 'lo', 'up']);
      inside(pid, ['ip', 'link', 'set', name, 'up']);
      inside(pid, ['ip', 'neighbour', 'add', other, 'lladdr', mac, 'dev', name, 'nud', 'permanent']);
    }
  });
  afterEach(() => {
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  });
  afterAll(() => {
    for (const child of holders) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  /** A namespace that lives as long as a sleeping process in it. */
  async function namespace(): Promise<number> {
    const child = spawn('unshare', ['-n', 'sleep', String(seconds + 300)], { stdio: 'ignore' });
    holders.push(child);
    const own = readlinkSync('/proc/self/ns/net');
    while (readlinkSync(`/proc/${child.pid}/ns/net`) === own) await new Promise((resolve) => setTimeout(resolve, 5));
    return child.pid!;
  }

  const entering = (pid: number) => ['-n', '-t', String(pid), '--'];

  function inside(pid: number, command: readonly string[]): void {
    const { status, stderr } = spawnSync('nsenter', [...entering(pid), ...command], { encoding: 'utf8' });
    expect(status, `${command.join(' ')}: ${stderr}`).toBe(0);
  }

  /** A command in a namespace; resolves once it has said `ready`. */
  async function start(pid: number, command: readonly string[], ready: RegExp): Promise<Running> {
    const child = spawn('nsenter', [...entering(pid), ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const running: Running = { child, said: '' };
    const hear = (text: Buffer) => (running.said += text.toString());
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    while (!ready.test(running.said) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(running.said).toMatch(ready);
    return running;
  }

  async function stop({ child }: Running): Promise<void> {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'close');
  }

  const capture = (name: string, options: LiveOptions & { folder?: string }) =>
    start(near, [process.execPath, ...runner, name, JSON.stringify(options)], /^open/m);
  const resultOf = async (running: Running): Promise<Captured> => {
    await stop(running);
    return JSON.parse(running.said.trim().split('\n').at(-1)!) as Captured;
  };

  test(`${seconds} s of 200 Mbit/s: nothing is dropped, and it is what tcpdump writes`, async () => {
    const written = join(folder, 'tcpdump.pcap');
    const tcpdump = [
      'tcpdump',
      '-i',
      'v0',
      '-w',
      written,
      '-s',
      '128',
      '-n',
      '-B',
      '65536',
      '--time-stamp-precision',
      'nano',
      '-Z',
      'root',
    ];
    const [server, beside, ring, filtered] = await Promise.all([
      start(near, ['iperf3', '-s', '-1', '-p', port, '--forceflush'], /listening/),
      start(near, tcpdump, /listening on/),
      capture('v0', { way: 'ring', folder }),
      capture('v0', { way: 'ring', filter: 'udp and dst host 10.9.0.1', snapLength: 64 }),
    ]);
    // Tags of VLANs, which the kernel takes out of the packet, one and two.
    const tags = ['81000005', '88a8000781000009'];
    const frames = tags.map((tag) => `s.send(bytes.fromhex("02"*12 + "${tag}" + "0800" + "45" + "00"*40))`);
    const python = `import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("v1", 0)); ${frames.join('; ')}`;
    inside(far, ['python3', '-c', python]);
    const iperf = ['iperf3', '-c', '10.9.0.1', '-p', port, '-u', '-b', '200M', '-l', '1200', '-t', String(seconds)];
    const client = await start(far, iperf, /iperf Done/);
    // tcpdump leaves what its ring has not handed over when it is stopped: it waits a second for more.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await stop(beside);
    const [whole, some] = [await resultOf(ring), await resultOf(filtered)];

    const all = await read(written);
    const { seen, how, statistics, files, ended } = whole;
    // The kernel's own counts, of ours and of tcpdump.
    expect({ ...statistics, ended }).toEqual({ packets: seen.frames, drops: 0, freezes: 0, ended: null });
    expect(beside.said).toMatch(/\b0 packets dropped by kernel/);
    expect(how).toContain('TPACKET_V3');
    expectSame(seen, all.whole);
    // A busy machine sends less than the 20 800 a second that it was asked for.
    expect(seen.frames, client.said).toBeGreaterThan(seconds * 2000);
    expect(all.vlans).toEqual([5, 9]);

    // Written by us, and read again.
    expect(files).toHaveLength(1);
    expect((await read(files[0]!)).whole).toEqual(seen);

    expect(some.statistics).toMatchObject({ drops: 0, packets: some.seen.frames });
    expect(some.seen.frames).toBe(all.toNear);
    const mbps = (seen.octets * 8) / 1e6 / seconds;
    process.stderr.write(`live capture: ${mbps.toFixed(0)} Mbit/s, ${JSON.stringify(statistics)}\n`);
    await stop(server);
  });

  test('tcpdump as the way gives the same packets, and its counts at the end', async () => {
    const [ring, piped] = await Promise.all([capture('v0', { way: 'ring' }), capture('v0', { way: 'tcpdump' })]);
    inside(far, ['ping', '-q', '-c', '20', '-i', '0.02', '10.9.0.1']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [one, other] = [await resultOf(ring), await resultOf(piped)];
    expect(one.seen.frames).toBeGreaterThanOrEqual(40);
    expectSame(other.seen, one.seen);
    expect(other).toMatchObject({ linkType: one.linkType, statistics: { packets: one.seen.frames, drops: 0 } });
  });

  test('all interfaces at once are cooked, the loopback counted once; an interface that goes away ends the capture', async () => {
    const [every, single] = await Promise.all([capture('any', { way: 'ring' }), capture('v0', { way: 'ring' })]);
    inside(near, ['ping', '-q', '-c', '5', '-i', '0.02', '127.0.0.1']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { linkType, seen } = await resultOf(every);
    expect(linkType).toBe(276);
    // Anything else that the kernel has to say on a quiet link is allowed for.
    expect(seen.frames).toBeGreaterThanOrEqual(10);
    expect(seen.frames).toBeLessThan(20);
    inside(near, ['ip', 'link', 'set', 'v0', 'down']);
    await once(single.child, 'close');
    inside(near, ['ip', 'link', 'set', 'v0', 'up']);
    expect(JSON.parse(single.said.trim().split('\n').at(-1)!)).toMatchObject({ ended: 'interface v0: ENETDOWN' });
  });
});

interface Running {
  child: ChildProcess;
  said: string;
}

/** The same packets; each tap looks at the clock for itself, so their times are alike and not the same. */
function expectSame(one: PacketSum, other: PacketSum): void {
  const content = ({ frames, octets, content: sum }: PacketSum) => ({ frames, octets, sum });
  expect(content(one)).toEqual(content(other));
  expect(Math.abs(one.meanSeconds - other.meanSeconds)).toBeLessThan(0.05);
}

/** What a capture holds: the sum of its packets, the innermost VLANs, the UDP packets to the near end. */
async function read(path: string) {
  const [reader, frame, packet, whole] = [captureReader(), newFrame(), newPacket(), packetSum()];
  const vlans: number[] = [];
  let toNear = 0;
  const take = (one: Frame) => {
    whole.add(one);
    if (!decodePacket(one, packet)) return;
    if (packet.vlan >= 0) vlans.push(packet.vlan);
    const { bytes, destinationAt, protocol, version } = packet;
    if (version === 4 && protocol === 17 && packet.vlan < 0 && bytes.readUInt32BE(destinationAt) === 0x0a090001)
      toNear += 1;
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    reader.push(chunk as Buffer);
    while (reader.next(frame)) take(frame);
  }
  expect(reader.end()).toEqual({ kind: 'complete' });
  return { whole: whole.result(), vlans, toNear };
}
