import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newTrace } from '../../wire/tcp/connection.ts';
import { burstIntervalMs, RoundTrips } from './context.ts';
import type { Exchange, TokenArrival } from './exchange.ts';

const made = (samples: readonly number[]) => {
  const trips = new RoundTrips();
  for (const ms of samples) trips.addSample(ms);
  return trips;
};

describe('RoundTrips', () => {
  test('knows nothing without a sample', () => {
    const none = new RoundTrips();
    none.addSample(null);
    none.addSample(0);
    expect([none.count, none.minMs, none.floorMs(), none.spreadMs()]).toEqual([0, null, null, 0]);
  });

  test('has a floor below every sample, nearer to the lowest the more there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.2, max: 300, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (samples) => {
          const trips = made(samples);
          const min = Math.min(...samples);
          expect(trips.minMs).toBe(min);
          expect(trips.floorMs()).toBeLessThan(min);
          expect(trips.floorMs()).toBeGreaterThanOrEqual(0);
          expect(trips.spreadMs()).toBeLessThanOrEqual(Math.max(...samples) - min);
          // Once more the same tells nothing new of the spread, but makes the lowest surer.
          const twice = made([...samples, ...samples]);
          expect(twice.floorMs() as number).toBeGreaterThanOrEqual((trips.floorMs() as number) - 1e-9);
        },
      ),
    );
  });

  test('sees every new sample in the spread', () => {
    const trips = made([10, 12]);
    expect(trips.spreadMs()).toBe(2);
    trips.addSample(25);
    expect(trips.spreadMs()).toBe(15);
    expect(trips.spreadMs()).toBe(15);
  });

  test('does not take a handshake for a round trip when its SYN was sent twice', () => {
    const trips = new RoundTrips();
    const trace = newTrace(1, { address: '192.0.2.1', family: 4, port: 80 }, 0);
    trips.add({ ...trace, handshakeRttMs: 1020, synRetransmits: 1 });
    expect(trips.count).toBe(0);
    trips.add({ ...trace, handshakeRttMs: 20, synRetransmits: 0 });
    expect(trips.minMs).toBe(20);
  });
});

describe('burstIntervalMs()', () => {
  const streamOf = (times: readonly number[]): Exchange => {
    const tokens = times.map((atMs, i): TokenArrival => ({
      endOffset: i,
      atMs,
      visible: true,
      delivery: times.indexOf(atMs),
      serverWallMs: null,
    }));
    // Nothing else of an exchange is looked at.
    return { tokens, handedMs: 0 } as unknown as Exchange;
  };

  test('is 0 for a stream that comes token by token, and for one too short to tell', () => {
    expect(burstIntervalMs(streamOf(Array.from({ length: 50 }, (_, i) => 100 + i * 20)))).toBe(0);
    expect(burstIntervalMs(streamOf([100, 100, 100, 100, 100]))).toBe(0);
    expect(burstIntervalMs(streamOf([]))).toBe(0);
  });

  test('is at least the time between bursts', () => {
    const bursts = Array.from({ length: 60 }, (_, i) => 100 + Math.floor(i / 10) * 200);
    expect(burstIntervalMs(streamOf(bursts))).toBeGreaterThanOrEqual(200);
  });

  test('is the whole wait when everything came at once', () => {
    expect(burstIntervalMs(streamOf(Array(20).fill(700)))).toBe(700);
  });
});
