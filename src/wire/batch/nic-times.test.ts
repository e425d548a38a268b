import { describe, expect, test } from 'vitest';
import { columnBytes, Counter, makeColumns, ProbeState } from './columns.ts';
import { Flight } from './flight.ts';
import { NicTimes } from './nic-times.ts';
import { openUdpSocket } from './socket.ts';
import { Sweep } from './sweep.ts';
import { udpCodec } from './udp-codec.ts';

const plan = { roundMs: 10, spacingMs: 0, timeoutMs: 100, graceMs: 0, stampEvery: 1 };
const EPOCH_S = 40;

function books(rounds = 2) {
  const columns = makeColumns(1, rounds, new SharedArrayBuffer(columnBytes(1, rounds)));
  columns.family[0] = 4;
  const flight = new Flight(columns, plan);
  flight.startMs = 0;
  return { columns, flight, nic: new NicTimes(flight) };
}

/** ms of the card's clock as its stamp. */
function at(ms: number): [sec: number, nsec: number] {
  return [EPOCH_S + Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}

describe('NicTimes', () => {
  test('takes the round trip of the card when both stamps are of the card, whichever is told first', () => {
    for (const isLate of [false, true]) {
      const { columns, flight, nic } = books();
      const probe = flight.sent(0);
      if (!isLate) nic.sent(probe, ...at(999.5));
      flight.answered(probe, 1.2, 1.3, ProbeState.answered);
      nic.received(probe, ...at(1000.6));
      if (isLate) nic.sent(probe, ...at(999.5));
      expect(columns.rttMs[0]).toBeCloseTo(1.1, 6);
      expect(columns.counters[Counter.nicStamped]).toBe(1);
    }
  });

  test('never mixes the two clocks: with one stamp of the card the round trip stays that of the kernel', () => {
    const { columns, flight, nic } = books();
    const first = flight.sent(0);
    nic.sent(first, ...at(5));
    flight.answered(first, 1.2, 1.3, ProbeState.answered);
    const second = flight.sent(10);
    flight.answered(second, 2.2, 2.3, ProbeState.answered);
    nic.received(second, ...at(17));
    expect([...columns.rttMs].map((ms) => Number(ms.toFixed(3)))).toEqual([1.2, 2.2]);
    expect(columns.counters[Counter.nicStamped]).toBe(0);
  });

  test.each([
    ['longer than the kernel saw', 5, 6.5],
    ['negative', 5, 4],
    ['of a clock that was set meanwhile', 5, 3_600_000],
  ])('leaves alone a round trip that is %s', (_, sentMs, receivedMs) => {
    const { columns, flight, nic } = books();
    const probe = flight.sent(0);
    nic.sent(probe, ...at(sentMs));
    flight.answered(probe, 1.2, 1.3, ProbeState.answered);
    nic.received(probe, ...at(receivedMs));
    expect(columns.rttMs[0]).toBeCloseTo(1.2, 6);
    expect(columns.counters[Counter.nicStamped]).toBe(0);
  });

  test('does not give a probe the stamp of the one whose place it takes', () => {
    const { columns, flight, nic } = books(8);
    const first = flight.sent(0);
    nic.sent(first, ...at(1));
    nic.forget(first);
    flight.answered(first, 1.2, 1.3, ProbeState.answered);
    nic.received(first, ...at(2));
    expect(columns.rttMs[0]).toBeCloseTo(1.2, 6);
  });

  test('does not make an answer of what was lost or late', () => {
    const { columns, flight, nic } = books();
    const probe = flight.sent(0);
    nic.sent(probe, ...at(0));
    flight.answered(probe, 150, 150, ProbeState.answered);
    nic.received(probe, ...at(99));
    expect(columns.state[0]).toBe(ProbeState.late);
    expect(columns.rttMs[0]).toBe(150);
  });
});

test.runIf(process.platform === 'linux')(
  'a card that is said to stamp and does not leaves every round trip to the kernel',
  () => {
    const rounds = 5;
    const columns = makeColumns(1, rounds, new SharedArrayBuffer(columnBytes(1, rounds)));
    columns.family[0] = 4;
    columns.address32[0] = 0x0100007f;
    columns.port[0] = 0x0100; // port 1, where nothing listens
    const socket = openUdpSocket(4, udpCodec({ token: { first: 1, second: 2 }, payloadBytes: 56 }), 0);
    const sweep = new Sweep(columns, { ...plan, timeoutMs: 1000 }, [socket], { state: 'on', interfaces: ['lo'] });
    try {
      sweep.step(Infinity);
      expect([...columns.state]).toEqual(Array.from({ length: rounds }, () => ProbeState.refused));
      expect([...columns.rttMs].every((ms) => ms >= 0)).toBe(true);
      expect(columns.counters[Counter.nicStamped]).toBe(0);
      expect(sweep.end().nic).toEqual({ state: 'on', interfaces: ['lo'] });
    } finally {
      sweep.close();
    }
  },
);
