import { describe, expect, test } from 'vitest';
import { roceReport } from '../../../model/capture/roce.ts';
import { seededRandom } from '../../../stats/random.ts';
import { cnpOpcode, operation } from '../../../wire/roce.ts';
import { datagram, roce } from './datagram.case.ts';
import { RoceTable } from './roce.ts';

const [a, b] = ['10.0.0.1', '10.0.0.2'] as const;
const mtu = 4096;

/** Sends WRITEs of four packets over several queue pairs between two hosts, each acknowledged; which are refused or marked is told. */
function conversation(qps: number, { seed = 1, messages = 20 } = {}) {
  const table = new RoceTable();
  const random = seededRandom(seed);
  const pairs = Array.from({ length: qps }, (_, i) => ({
    there: 100 + i,
    here: 9000 + i,
    psn: Math.floor(random() * 2 ** 24),
  }));
  let ms = 0;
  const put = (from: string, to: string, payload: Buffer, ecn = 2) =>
    table.add(datagram({ from, to, payload, ecn }), (ms += 0.01));
  for (let m = 0; m < messages; m++)
    for (const pair of pairs) {
      put(a, b, roce(operation.writeFirst, pair.there, pair.psn, { reth: 4 * mtu, carried: mtu }));
      for (const n of [1, 2]) put(a, b, roce(operation.writeMiddle, pair.there, pair.psn + n, { carried: mtu }));
      put(a, b, roce(operation.writeLast, pair.there, pair.psn + 3, { carried: mtu, ack: true }));
      put(b, a, roce(operation.acknowledge, pair.here, pair.psn + 3, { syndrome: 0x1f }));
      pair.psn = (pair.psn + 4) & 0xff_ffff;
    }
  return { table, pairs, put };
}

describe('RoceTable', () => {
  test('knows which queue pair an acknowledgement is for, though it does not say so', () => {
    const { table } = conversation(40);
    const report = roceReport.parse(table.report());
    expect(report.qps.length).toBe(40);
    for (const qp of report.qps) {
      expect(qp).toMatchObject({ from: a, to: b, fromQp: 9000 + qp.toQp - 100, acks: 20, service: 'rc', packets: 80 });
      expect(qp.messages).toMatchObject({ write: 20, send: 0, read: 0 });
      expect(qp.sequence).toEqual({
        gaps: 0,
        missing: 0,
        sentAgain: 0,
        reordered: 0,
        neverSeen: 0,
        repeats: 0,
        stepsBack: 0,
      });
      expect(qp.ackMinMs).toBeCloseTo(0.01, 6);
      expect(qp.payloadBytes).toBe(80 * mtu);
      expect(qp.messageP50Bytes).toBeGreaterThan(8192);
      expect(qp.messageP50Bytes).toBeLessThan(32_768);
    }
  });

  test('a packet that is lost before the tap: a gap, a NAK, and the sender goes back', () => {
    const { table, pairs, put } = conversation(2);
    const [{ there, here, psn }] = pairs as [{ there: number; here: number; psn: number }];
    const send = (n: number) => put(a, b, roce(operation.sendOnly, there, psn + n, { carried: 100 }));
    for (const n of [0, 2, 3]) send(n);
    put(b, a, roce(operation.acknowledge, here, psn + 1, { syndrome: 0x60 }));
    for (const n of [1, 2, 3, 4]) send(n);
    const [worst] = table.report().qps;
    expect(worst).toMatchObject({ toQp: there, naks: { 'psn-sequence-error': 1 } });
    expect(worst!.sequence).toEqual({
      gaps: 1,
      missing: 1,
      sentAgain: 1,
      reordered: 0,
      neverSeen: 0,
      repeats: 2,
      stepsBack: 1,
    });
  });

  test('congestion notifications count for the sender that is to slow down, marks for the packets that carry them', () => {
    const { table, pairs, put } = conversation(3);
    const [, second] = pairs;
    put(b, a, roce(cnpOpcode, second!.here, 0, { carried: 16 }));
    put(b, a, roce(cnpOpcode, second!.here, 0, { carried: 16 }));
    put(b, a, roce(cnpOpcode, 77, 0, { carried: 16 }));
    put(a, b, roce(operation.sendOnly, second!.there, second!.psn, { carried: 10 }), 3);
    const report = table.report();
    expect(report).toMatchObject({ cnps: 3, cnpsUnmatched: 1 });
    expect(report.qps[0]).toMatchObject({ toQp: second!.there, cnps: 2, ecnCe: 1 });
    expect(report.qps.slice(1).every((qp) => qp.cnps === 0 && qp.ecnCe === 0)).toBe(true);
  });

  test('receivers that are not ready are told from loss', () => {
    const { table, pairs, put } = conversation(1);
    put(b, a, roce(operation.acknowledge, pairs[0]!.here, pairs[0]!.psn, { syndrome: 0x2c }));
    expect(table.report().qps[0]!.naks).toEqual({ 'receiver-not-ready': 1 });
  });

  test('READs take the numbers of their answers, and holes inside of an answer are seen', () => {
    const table = new RoceTable();
    let ms = 0;
    const put = (from: string, to: string, payload: Buffer) => table.add(datagram({ from, to, payload }), (ms += 0.01));
    let psn = 0xff_fff0;
    for (let n = 0; n < 6; n++) {
      put(a, b, roce(operation.readRequest, 5, psn, { reth: 3 * mtu }));
      put(b, a, roce(operation.readResponseFirst, 6, psn, { syndrome: 0, carried: mtu }));
      if (n !== 4) put(b, a, roce(operation.readResponseMiddle, 6, psn + 1, { carried: mtu }));
      put(b, a, roce(operation.readResponseLast, 6, psn + 2, { syndrome: 0, carried: mtu }));
      psn = (psn + 3) & 0xff_ffff;
    }
    const { qps } = table.report();
    const asking = qps.find((qp) => qp.toQp === 5)!;
    const answering = qps.find((qp) => qp.toQp === 6)!;
    expect(asking.messages.read).toBe(6);
    expect(asking.sequence).toMatchObject({ gaps: 0, missing: 0, repeats: 0 });
    expect(answering.sequence).toBeNull();
    expect(answering.readResponses).toEqual({ packets: 17, gaps: 1, missing: 1 });
  });

  test('has room for so many queue pairs, and counts what is beyond', () => {
    const table = new RoceTable({ most: 10 });
    for (let qp = 0; qp < 30; qp++)
      table.add(datagram({ payload: roce(operation.sendOnly, qp, 0, { carried: 8 }) }), qp);
    table.add(datagram({ payload: Buffer.alloc(5) }), 31);
    expect(table.report()).toMatchObject({ packets: 31, packetsOfFurtherQps: 20, notRead: 1 });
    expect(table.report().qps.length).toBe(10);
  });
});
