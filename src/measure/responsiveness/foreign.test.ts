import { expect, test } from 'vitest';
import { connectMs, handshakeMs } from './foreign.ts';

const sending = (calledMs: number, leftMs: number | null = calledMs + 0.1) => ({
  endOffset: 0,
  calledMs,
  leftMs,
  ackedMs: null,
});
const arrival = (atMs: number, readAtMs = atMs) => ({ endOffset: 0, atMs, readAtMs, stamp: 'kernel' as const });

test('handshakeMs() ends with the server flight, whenever this thread got round to it, and not with tickets behind it', () => {
  const sendings = [sending(100), sending(140)];
  const arrivals = [arrival(110, 135), arrival(112, 136), arrival(155)];
  expect(handshakeMs({ sendings, arrivals }, 1)).toBeCloseTo(11.9, 9);
});

test('handshakeMs() spans both round trips of TLS 1.2', () => {
  const sendings = [sending(100, null), sending(111), sending(123)];
  expect(handshakeMs({ sendings, arrivals: [arrival(110), arrival(121), arrival(140)] }, 2)).toBe(21);
});

test('handshakeMs() is unknown where the trace does not show it', () => {
  expect(handshakeMs({ sendings: [], arrivals: [arrival(1)] }, 1)).toBeNull();
  expect(handshakeMs({ sendings: [sending(1)], arrivals: [] }, 1)).toBeNull();
});

test('connectMs() is the measure of the kernel, but a SYN that was lost costs all of its time', () => {
  const trace = { connectMs: 100, connectedMs: 1130, handshakeRttMs: 25, synRetransmits: 0 };
  expect(connectMs(trace, 2000)).toBe(25);
  expect(connectMs({ ...trace, synRetransmits: 1 }, 2000)).toBe(1030);
  expect(connectMs({ ...trace, handshakeRttMs: null, connectedMs: null }, 2000)).toBe(1900);
});
