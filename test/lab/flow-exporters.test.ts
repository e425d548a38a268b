import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { collectFlows, type FlowCollector } from '../../src/gather/flow-export/collect.ts';
import type { FlowRecord } from '../../src/model/capture/flow-record.ts';
import { sampledSum } from '../../src/stats/sampled.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { formatIPv4, formatIPv6 } from '../../src/wire/sockaddr.ts';
import { classicFile } from '../../src/wire/pcap/write.case.ts';
import { fakeIo } from '../fakes/io.ts';

/**
 * Exporters that others have written read a capture, and what they export comes to our collector over loopback: its totals have to be
 * those of the capture, flow by flow.
 */
const tshark = 'tshark';
const missing = ['softflowd', 'pmacctd', 'nfcapd', 'nfreplay', tshark].filter(
  (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0,
);
const skip = missing.length > 0 && process.env['CI'] !== 'true';
if (skip) process.stderr.write(`tests with exporters of flows are skipped: ${missing.join(', ')} missing\n`);

interface Sent {
  version: 4 | 6;
  /** protocol, source, destination, with ports. */
  key: string;
  octets: number;
}

/** Conversations of TCP, UDP and ICMP, in both families and both directions, in any order; Ethernet frames and what they are. */
function conversations(count: number): { frames: Buffer[]; sent: Sent[] } {
  const random = seededRandom(7);
  const below = (n: number) => Math.floor(random() * n);
  const [frames, sent]: [Buffer[], Sent[]] = [[], []];
  for (let i = 0; i < count; i++) {
    const conversation = below(60);
    const version = conversation % 3 === 0 ? 6 : 4;
    const protocol = [6, 6, 17, version === 4 ? 1 : 58][conversation % 4]!;
    const ends = [1, 2].map((host) => {
      const bytes = Buffer.alloc(version === 4 ? 4 : 16);
      bytes.set(version === 4 ? [10, 1] : [0x20, 0x01, 0x0d, 0xb8]);
      bytes[bytes.length - 2] = conversation;
      bytes[bytes.length - 1] = host;
      return { bytes, port: host === 1 ? 40_000 + conversation : 443 };
    });
    const [from, to] = below(2) === 0 ? ends : ends.toReversed();
    const payload = below(1400);
    const transport = Buffer.alloc(protocol === 6 ? 20 : 8);
    if (protocol === 6 || protocol === 17) {
      transport.writeUInt16BE(from!.port, 0);
      transport.writeUInt16BE(to!.port, 2);
      if (protocol === 17) transport.writeUInt16BE(8 + payload, 4);
      else transport.set([0x50, 0x10], 12);
    } else transport[0] = version === 4 ? 8 : 128;
    const ip = Buffer.alloc(version === 4 ? 20 : 40);
    const octets = ip.length + transport.length + payload;
    if (version === 4) {
      ip[0] = 0x45;
      ip.writeUInt16BE(octets, 2);
      ip.set([64, protocol], 8);
      ip.set([...from!.bytes, ...to!.bytes], 12);
    } else {
      ip[0] = 0x60;
      ip.writeUInt16BE(octets - 40, 4);
      ip.set([protocol, 64, ...from!.bytes, ...to!.bytes], 6);
    }
    const ether = Buffer.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...(version === 4 ? [8, 0] : [0x86, 0xdd])]);
    frames.push(Buffer.concat([ether, ip, transport, Buffer.alloc(payload, 7)]));
    const name = ({ bytes, port }: { bytes: Buffer; port: number }) =>
      `${version === 4 ? formatIPv4(bytes, 0) : formatIPv6(bytes, 0)} ${protocol === 6 || protocol === 17 ? port : 0}`;
    sent.push({ version, key: `${protocol} ${name(from!)} ${name(to!)}`, octets });
  }
  return { frames, sent };
}

type Totals = Map<string, { octets: number; packets: number }>;

function totalsOf(parts: readonly { key: string; octets: number; packets: number }[]): Totals {
  const totals: Totals = new Map();
  for (const { key, octets, packets } of parts) {
    const before = totals.get(key) ?? { octets: 0, packets: 0 };
    totals.set(key, { octets: before.octets + octets, packets: before.packets + packets });
  }
  return new Map([...totals].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const sentTotals = (sent: readonly Sent[]): Totals => totalsOf(sent.map((one) => ({ ...one, packets: 1 })));

/** Some exporters put type and code of ICMP into the ports, which is where v5 has them. */
const recordTotals = (records: readonly FlowRecord[]): Totals =>
  totalsOf(
    records.map(({ protocol, source, destination, octets, packets }) => {
      const port = (value: number) => (protocol === 6 || protocol === 17 ? value : 0);
      const key = `${protocol} ${source.address} ${port(source.port)} ${destination.address} ${port(destination.port)}`;
      return { key, octets, packets };
    }),
  );

const packetsOf = (records: readonly FlowRecord[]) => records.reduce((sum, { packets }) => sum + packets, 0);

describe.skipIf(skip)('flow exports of stock exporters', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-exporters-'));
  const capture = join(folder, 'capture.pcap');
  const { frames, sent } = conversations(1500);
  const children: ChildProcess[] = [];
  const collectors: FlowCollector[] = [];

  beforeAll(() => {
    const packets = frames.map((bytes, i) => ({
      bytes,
      more: 0,
      seconds: 1_700_000_000 + Math.floor(i / 1000),
      nanoseconds: (i % 1000) * 1_000_000,
    }));
    writeFileSync(capture, classicFile(packets, { little: true, nano: false, modified: false, link: 1 }));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) endGroup(child);
    await Promise.all(collectors.splice(0).map((one) => one.close()));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function collector() {
    const records: FlowRecord[] = [];
    const io = fakeIo({ realClock: true });
    const one = await collectFlows(
      { listen: [{ address: '127.0.0.1', port: 0 }] },
      { flow: (record) => records.push(record) },
      // The tables of the kernel are no file that the fake has.
      { clock: io.clock, fs: { readText: async (path) => readFileSync(path, 'utf8') } },
    );
    collectors.push(one);
    return { records, one, port: one.local[0]!.port };
  }

  function start(command: string, args: readonly string[]): { child: ChildProcess; ended: Promise<string> } {
    // A group of its own: pmacctd leaves its plugins behind when it is killed.
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    children.push(child);
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    return { child, ended: new Promise((done) => child.on('close', () => done(said))) };
  }

  async function until(isSo: () => boolean, timeoutMs: number): Promise<void> {
    for (let waitedMs = 0; !isSo() && waitedMs < timeoutMs; waitedMs += 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  const softflowd = (port: number, version: number) =>
    start('softflowd', [
      '-r',
      capture,
      '-n',
      `127.0.0.1:${port}`,
      '-v',
      `${version}`,
      '-d',
      '-t',
      'maxlife=1d',
      '-p',
      join(folder, `${port}.pid`),
      '-c',
      'none',
    ]);

  /** pmacctd with one plugin that exports what it reads from the capture. */
  function pmacctd(port: number, plugin: 'nfprobe' | 'sfprobe', ...lines: readonly string[]) {
    const file = join(folder, `pmacctd-${port}.conf`);
    const config = [
      'daemonize: false',
      `pcap_savefile: ${capture}`,
      `plugins: ${plugin}[x]`,
      `pidfile: ${file}.pid`,
      `${plugin}_receiver: 127.0.0.1:${port}`,
      ...lines,
      'plugin_buffer_size: 102400',
      'plugin_pipe_size: 10240000',
    ];
    writeFileSync(file, `${config.join('\n')}\n`);
    return start('pmacctd', ['-f', file]);
  }

  test('the capture is what tshark says that it is', () => {
    const fields = ['-T', 'fields', '-e', 'ip.len', '-e', 'ipv6.plen'];
    const { stdout } = spawnSync(tshark, ['-n', '-r', capture, ...fields], { encoding: 'utf8', maxBuffer: 1 << 24 });
    const octets = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([v4, v6]) => (v4 ? Number(v4) : 40 + Number(v6)));
    expect(octets).toEqual(sent.map((one) => one.octets));
  });

  test.each([5, 9, 10])('softflowd, version %d', async (version) => {
    const { records, one, port } = await collector();
    const said = await softflowd(port, version).ended;
    // v5 has no IPv6.
    const expected = sentTotals(sent.filter((packet) => version !== 5 || packet.version === 4));
    await until(() => recordTotals(records).size >= expected.size, 3000);
    expect(recordTotals(records), said).toEqual(expected);
    const { exporters, kernelDrops } = await one.counts();
    expect(kernelDrops).toBe(0);
    expect(exporters).toMatchObject([
      { malformed: 0, unreadSets: 0, sequence: { lost: 0, duplicates: 0, restarts: 0 } },
    ]);
  });

  test('pmacctd, NetFlow v5 and v9, IPFIX', async () => {
    const aggregate = 'aggregate[x]: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags';
    const runs = await Promise.all(
      [5, 9, 10].map(async (version) => {
        const { records, one, port } = await collector();
        const { ended } = pmacctd(
          port,
          'nfprobe',
          `nfprobe_version: ${version}`,
          'nfprobe_timeouts: maxlife=2:expint=1',
          aggregate,
        );
        return { version, records, one, ended };
      }),
    );
    for (const { version, records, one, ended } of runs) {
      const expected = sentTotals(sent.filter((packet) => version !== 5 || packet.version === 4));
      await until(
        () => packetsOf(records) >= [...expected.values()].reduce((sum, { packets }) => sum + packets, 0),
        12_000,
      );
      expect(
        recordTotals(records),
        `version ${version}: ${await Promise.race([ended, Promise.resolve('still running')])}`,
      ).toEqual(expected);
      const { exporters } = await one.counts();
      expect(exporters).toMatchObject([
        { malformed: 0, unreadSets: 0, sequence: { lost: 0, duplicates: 0, restarts: 0 } },
      ]);
    }
  });

  test('pmacctd, sFlow: every packet, and one in ten', async () => {
    const [every, some] = [await collector(), await collector()];
    pmacctd(every.port, 'sfprobe', 'sfprobe_agentip: 127.0.0.9', 'sampling_rate: 1');
    pmacctd(some.port, 'sfprobe', 'sfprobe_agentip: 127.0.0.9', 'sampling_rate: 10');
    // Its last datagram, of at most ten samples, never leaves it.
    await until(() => every.records.length >= sent.length - 10 && some.records.length >= 100, 12_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(every.records.length).toBeGreaterThanOrEqual(sent.length - 10);
    expect(recordTotals(every.records)).toEqual(sentTotals(sent.slice(0, every.records.length)));
    expect((await every.one.counts()).exporters).toMatchObject([
      { format: 'sflow-v5', agent: '127.0.0.9', malformed: 0, sequence: { lost: 0, duplicates: 0, restarts: 0 } },
    ]);

    expect(some.records.every(({ sampling }) => sampling.everyPackets === 10 && sampling.saidBy === 'record')).toBe(
      true,
    );
    const sum = sampledSum();
    for (const { octets } of some.records) sum.add(octets / 10, (octets / 10) ** 2, 10);
    const { estimate, low, high } = sum.total();
    const truth = sent.reduce((total, { octets }) => total + octets, 0);
    // Not twice the width of 95 %, which one run in ten thousand misses, and the samples that did not leave.
    expect(Math.abs(estimate - truth)).toBeLessThan((2 * (high - low)) / 2 + 10 * 15_000);
  });

  test('nfcapd writes what softflowd exports, and nfreplay exports it again', async () => {
    const port = await freePort();
    const flows = join(folder, 'nfcapd');
    spawnSync('mkdir', [flows]);
    const { child, ended } = start('nfcapd', ['-b', '127.0.0.1', '-p', `${port}`, '-w', flows, '-t', '3600']);
    const table = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `;
    await until(() => readFileSync('/proc/net/udp', 'utf8').includes(table), 5000);
    await softflowd(port, 9).ended;
    child.kill('SIGTERM');
    const said = await ended;
    const [file] = readdirSync(flows).filter((name) => /^nfcapd\.\d/.test(name));
    expect(file, said).toBeDefined();
    for (const version of [5, 9]) {
      const { records, one, port: ours } = await collector();
      const args = ['-r', join(flows, file!), '-H', '127.0.0.1', '-p', `${ours}`, '-v', `${version}`];
      // v5 has no IPv6, and nfreplay stumbles over it.
      const replayed = await start('nfreplay', version === 5 ? [...args, 'ipv4'] : args).ended;
      const expected = sentTotals(sent.filter((packet) => version !== 5 || packet.version === 4));
      await until(() => recordTotals(records).size >= expected.size, 3000);
      expect(recordTotals(records), `version ${version}: ${replayed}`).toEqual(expected);
      expect((await one.counts()).exporters).toMatchObject([{ malformed: 0, unreadSets: 0 }]);
    }
  });
});

/** Ends a process and what it has started; nothing where all have ended. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  return port;
}
