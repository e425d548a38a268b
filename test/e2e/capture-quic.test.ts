import { describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { captureReport } from '../../src/model/capture/report.ts';
import { fakeIo } from '../fakes/io.ts';
import { fileOf, type Pack } from '../fixtures/capture-mutants.ts';

/** Ethernet, IPv4, UDP between 10.0.0.1:50000 and 10.0.0.2:443. */
function quicPack(ms: number, fromClient: boolean, payload: Buffer): Pack {
  const ends = fromClient ? [1, 2] : [2, 1];
  const ports = fromClient ? [50_000, 443] : [443, 50_000];
  const head = Buffer.alloc(42);
  head.set([8, 0, 0x45, 0], 12);
  head.writeUInt16BE(28 + payload.length, 16);
  head.set([64, 17], 22);
  head.set([10, 0, 0, ends[0]!, 10, 0, 0, ends[1]!], 26);
  head.writeUInt16BE(ports[0]!, 34);
  head.writeUInt16BE(ports[1]!, 36);
  head.writeUInt16BE(8 + payload.length, 38);
  const bytes = Buffer.concat([head, payload]);
  const at = { seconds: 1_700_000_000 + Math.floor(ms / 1000), nanoseconds: (ms % 1000) * 1e6 };
  return { bytes, originalLength: bytes.length, ...at, linkType: 1 };
}

/** Two seconds at the client of a path of 40 ms; the client turns the spin bit of the server around 5 ms after it came (RFC 9000 §17.4). */
function connection(spins: boolean): Buffer {
  const initial = Buffer.concat([Buffer.from('c300000001088394c8f03e51570804aabbccdd00', 'hex'), Buffer.alloc(1180)]);
  const packs: Pack[] = [quicPack(0, true, initial), quicPack(40, false, initial)];
  for (let ms = 80; ms < 2080; ms += 10) {
    const bit = (at: number) => (spins && Math.floor((at - 5) / 40) % 2 === 1 ? 0x20 : 0);
    packs.push(quicPack(ms, true, Buffer.concat([Buffer.from([0x40 | bit(ms)]), Buffer.alloc(60, ms)])));
    packs.push(quicPack(ms + 5, false, Buffer.concat([Buffer.from([0x40 | bit(ms - 35)]), Buffer.alloc(60, ms)])));
  }
  return fileOf(packs, 'pcap');
}

async function run(file: Buffer, ...args: string[]) {
  const io = fakeIo({ stdin: file });
  expect(await runCli(['capture', '-', ...args], io), io.stderr()).toBe(0);
  return io.stdout();
}

describe('QUIC in a capture', () => {
  test('is told with the round trips of its spin bit and the gaps of the server', async () => {
    const file = connection(true);
    const { flows, totals } = captureReport.parse(JSON.parse(await run(file, '--json')));
    expect(totals).toMatchObject({ conversations: 1, quic: 1, tcp: 0 });
    const { spin, versions, gaps, lost } = flows[0]!.quic!;
    expect(versions).toEqual(['0x00000001']);
    expect(lost).toBeNull();
    if (spin.kind !== 'spins') throw new Error(spin.why);
    expect(spin.client.p50Ms).toBeGreaterThan(35);
    expect(spin.client.p50Ms).toBeLessThan(50);
    expect(gaps.serverP50Ms).toBeGreaterThan(7);
    expect(gaps.serverP50Ms).toBeLessThan(15);
    const text = (await run(file)).replaceAll(/\s+/g, ' ');
    expect(text).toContain('QUIC, of which loss cannot be seen');
    expect(text).toMatch(
      /10\.0\.0\.1:50000 → 10\.0\.0\.2:443: version 1, 402 packets; .*round trips by the spin bit \d+/,
    );
  });

  test('where the bit does not spin there are no round trips, with the reason', async () => {
    const text = (await run(connection(false))).replaceAll(/\s+/g, ' ');
    expect(text).toMatch(/402 packets; .*no round trips: \w/);
    expect(text).not.toContain('by the spin bit');
  });
});
