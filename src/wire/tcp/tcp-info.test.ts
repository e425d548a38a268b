import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTcpInfo, tcpInfoSize } from './tcp-info.ts';

/** A struct in which every field has a value of its own. */
function filled(): DataView {
  const view = new DataView(new ArrayBuffer(tcpInfoSize));
  const u32 = {
    16: 1448,
    20: 1400,
    32: 3,
    60: 1500,
    68: 25_500,
    72: 1250,
    80: 10,
    100: 7,
    144: 99,
    148: 24_000,
    216: 2,
    224: 5,
  };
  for (const [at, value] of Object.entries(u32)) view.setUint32(Number(at), value, true);
  const u64 = { 120: 5_000_000_000n, 128: 6_000n, 168: 1_500_000n, 176: 2_000n, 184: 3_500n, 208: 1448n };
  for (const [at, value] of Object.entries(u64)) view.setBigUint64(Number(at), value, true);
  view.setUint16(240, 4, true);
  return view;
}

const bytesOf = (view: DataView) => new Uint8Array(view.buffer);

test('parseTcpInfo() reads every field, times in ms', () => {
  expect(parseTcpInfo(bytesOf(filled()), tcpInfoSize)).toEqual({
    rttMs: 25.5,
    rttVarMs: 1.25,
    minRttMs: 24,
    totalRetrans: 7,
    lost: 3,
    sndCwnd: 10,
    sndMssBytes: 1448,
    rcvMssBytes: 1400,
    pmtuBytes: 1500,
    bytesAcked: 5_000_000_000,
    bytesReceived: 6000,
    bytesRetrans: 1448,
    notSentBytes: 99,
    busyMs: 1500,
    rwndLimitedMs: 2,
    sndbufLimitedMs: 3.5,
    rcvOooPack: 5,
    dsackDups: 2,
    totalRto: 4,
  });
});

test('parseTcpInfo() gives null for what an older kernel does not fill', () => {
  const original = parseTcpInfo(bytesOf(filled()), 104);
  expect(original).toMatchObject({ rttMs: 25.5, totalRetrans: 7, minRttMs: null, bytesAcked: null, rcvOooPack: null });
  // Linux 4.9 ends in the middle of what we know; a field that is cut is not there.
  expect(parseTcpInfo(bytesOf(filled()), 150)).toMatchObject({
    bytesAcked: 5_000_000_000,
    notSentBytes: 99,
    minRttMs: null,
  });
  expect(parseTcpInfo(bytesOf(filled()), 241)).toMatchObject({ rcvOooPack: 5, totalRto: null });
});

test.each([0, 0xffffffff])('parseTcpInfo() takes a lowest round trip of %i for none yet', (value) => {
  const view = filled();
  view.setUint32(148, value, true);
  expect(parseTcpInfo(bytesOf(view), tcpInfoSize)?.minRttMs).toBeNull();
});

test('parseTcpInfo() never throws, and is null exactly below the original struct', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, length) => {
      const whole = length >= 104 && bytes.length >= length;
      expect(parseTcpInfo(bytes, length) !== null).toBe(whole);
    }),
  );
});
