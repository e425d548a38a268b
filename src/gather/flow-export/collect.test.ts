import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { flowCollection, flowRecord, type FlowRecord } from '../../model/capture/flow-record.ts';
import { flowSample, netflow5, sflow5, tagged, u32 } from '../../wire/flow-export/encode.case.ts';
import { collectFlows, type CollectOptions, type FlowCollector } from './collect.ts';
import { dropsIn } from './kernel-drops.ts';

const running: FlowCollector[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

async function start(options: Partial<CollectOptions> = {}) {
  const records: FlowRecord[] = [];
  const collector = await collectFlows(
    { listen: [{ address: '127.0.0.1', port: 0 }], ...options },
    { flow: (record) => records.push(record) },
    fakeIo({ realClock: true }),
  );
  running.push(collector);
  return { records, collector };
}

/** Sends datagrams from one socket, in order, and waits until the collector has seen all. */
async function send(collector: FlowCollector, datagrams: readonly Buffer[], to = 0): Promise<void> {
  const { address, port } = collector.local[to]!;
  const before = (await collector.counts()).datagrams;
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  for (const one of datagrams)
    await new Promise<void>((done, fail) => socket.send(one, port, address, (error) => (error ? fail(error) : done())));
  while ((await collector.counts()).datagrams < before + datagrams.length)
    await new Promise((resolve) => setTimeout(resolve, 5));
  socket.close();
}

const flow5 = {
  source: u32(0x0a000001),
  destination: u32(0x0a000002),
  input: 3,
  output: 4,
  packets: 10,
  octets: 9000,
  first: 1000,
  last: 3000,
  sourcePort: 50_000,
  destinationPort: 443,
  tcpFlags: 0x1b,
  protocol: 6,
  tos: 0,
};
const message5 = (sequence: number, sampling = 0) =>
  netflow5([flow5], { uptime: 4000, seconds: 1_700_000_000, nanoseconds: 0, sequence, engine: 1, sampling });

describe('collectFlows()', () => {
  test('gives records that its schema takes, and counts what is missing', async () => {
    const { records, collector } = await start();
    await send(collector, [message5(0), message5(1), message5(4), Buffer.from('GET / HTTP/1.1')]);
    expect(records).toHaveLength(3);
    expect(flowRecord.parse(records[0])).toEqual(records[0]);
    expect(records[0]).toMatchObject({
      startMs: 1_699_999_997_000,
      endMs: 1_699_999_999_000,
      source: { address: '10.0.0.1', port: 50_000 },
      destination: { address: '10.0.0.2', port: 443 },
      octets: 9000,
      octetsRange: [9000, 9000],
      sampling: { everyPackets: 1, saidBy: 'nobody' },
      exporter: { address: '127.0.0.1', format: 'netflow-v5', domain: 1, agent: null },
    });
    const counts = await collector.counts();
    expect(flowCollection.parse(counts)).toEqual(counts);
    expect(counts).toMatchObject({ datagrams: 4, foreign: 1, refused: 0 });
    expect(counts.exporters).toMatchObject([{ messages: 3, flows: 3, sequence: { unit: 'flows', lost: 2, gaps: 1 } }]);
  });

  test('scales by sampling and says how far off that can be', async () => {
    const { records, collector } = await start();
    await send(collector, [message5(0, 100)]);
    const [{ octets, octetsRange, packets, packetsRange } = records[0]!] = records;
    expect([octets, packets]).toEqual([900_000, 1000]);
    // Ten packets were seen: the truth is 4.8 to 18.4 of their hundreds (Garwood 1936).
    expect(packetsRange[0]).toBeCloseTo(480, -1);
    expect(packetsRange[1]).toBeCloseTo(1840, -2);
    // Octets can be off further: sizes differ.
    expect(octetsRange[0] / octets).toBeLessThan(packetsRange[0] / packets);
    expect(octetsRange[1] / octets).toBeGreaterThan(packetsRange[1] / packets);
  });

  test('listens on several ports, of both families, and tells exporters apart', async () => {
    const { records, collector } = await start({
      listen: [
        { address: '127.0.0.1', port: 0 },
        { address: '::1', port: 0 },
      ],
    });
    const addresses = tagged(
      4,
      u32(1400),
      u32(17),
      Buffer.alloc(15),
      Buffer.from([1]),
      Buffer.alloc(15),
      Buffer.from([2]),
      Buffer.alloc(16),
    );
    const sample = { sequence: 1, sourceIndex: 5, every: 512, drops: 0, input: 5, output: 9 };
    await send(collector, [message5(0)]);
    await send(
      collector,
      [
        sflow5([flowSample(sample, [addresses], false)], {
          agent: u32(0x0a000009),
          subAgent: 2,
          sequence: 1,
          uptime: 1,
        }),
      ],
      1,
    );
    expect(records.map(({ exporter }) => exporter.format)).toEqual(['netflow-v5', 'sflow-v5']);
    expect(records[1]).toMatchObject({
      source: { address: '::1' },
      destination: { address: '::2' },
      octets: 512 * 1400,
      exporter: { address: '::1', agent: '10.0.0.9', domain: 2 },
      direction: 'in',
    });
    expect((await collector.counts()).exporters).toHaveLength(2);
  });

  test('does not read what others send', async () => {
    const { records, collector } = await start({ accepts: (address) => address !== '127.0.0.1' });
    await send(collector, [message5(0)]);
    expect(records).toHaveLength(0);
    expect(await collector.counts()).toMatchObject({ datagrams: 1, refused: 1, exporters: [] });
  });

  test('a port that is taken is an error that names it, and leaves none open', async () => {
    const { collector } = await start();
    const [taken] = collector.local;
    await expect(start({ listen: [{ address: '127.0.0.1', port: 0 }, taken!] })).rejects.toThrow(
      `EADDRINUSE 127.0.0.1:${taken!.port}`,
    );
  });
});

test('dropsIn() adds the drops of the sockets on these ports', () => {
  const table = [
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    '  100: 0100007F:0807 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 123 2 0000000000000000 17',
    '  101: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 124 2 0000000000000000 5',
    '  102: 00000000:0807 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 125 2 0000000000000000 3',
  ].join('\n');
  expect(dropsIn(table, [2055])).toBe(20);
});
