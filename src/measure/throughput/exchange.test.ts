import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IperfProtocolError } from '../../wire/iperf/control.ts';
import { parametersJson, parseParameters } from './parameters.ts';
import { parseResults } from './results.ts';

const stockParameters = {
  tcp: true,
  omit: 0,
  time: 10,
  num: 0,
  blockcount: 0,
  parallel: 1,
  len: 131_072,
  pacing_timer: 1000,
  client_version: '3.12',
};
const stockStream = {
  id: 1,
  bytes: 100,
  retransmits: -1,
  jitter: 0,
  errors: 0,
  packets: 0,
  start_time: 0,
  end_time: 1,
};
const stockResults = {
  cpu_util_total: 1,
  cpu_util_user: 0.5,
  cpu_util_system: 0.5,
  sender_has_retransmits: 0,
  streams: [stockStream],
};

test('parseParameters() reads what stock iperf3 sends, and fills in what it leaves out', () => {
  expect(parseParameters(stockParameters)).toMatchObject({
    tcp: true,
    udp: false,
    reverse: false,
    len: 131_072,
    bandwidth: 0,
  });
  expect(parseParameters({ udp: true })).toMatchObject({ udp: true, len: 1460, parallel: 1 });
  expect(parseParameters({ ...stockParameters, unheard_of: [1, 2] })).toMatchObject({ time: 10 });
});

test('parseParameters() names what is wrong', () => {
  expect(() => parseParameters({ ...stockParameters, parallel: 129 })).toThrow('parallel');
  expect(() => parseParameters({ ...stockParameters, time: '10' })).toThrow('time');
  expect(() => parseParameters({ ...stockParameters, sctp: true })).toThrow('SCTP');
  expect(() => parseParameters({ ...stockParameters, congestion: '../../x' })).toThrow('congestion');
  expect(() => parseParameters({ udp: true, len: 65_508 })).toThrow('len');
  expect(() => parseParameters({ udp: true, len: 8 })).toThrow('len');
});

test('parametersJson() leaves out what is false or 0, and parseParameters() reads it back', () => {
  const json = parametersJson({ udp: true, reverse: false, bandwidth: 5e6, parallel: 3, time: 7, len: 1200, TOS: 0 });
  expect(Object.keys(json)).not.toContain('reverse');
  expect(Object.keys(json)).not.toContain('TOS');
  expect(parseParameters(json)).toMatchObject({ udp: true, bandwidth: 5e6, parallel: 3, time: 7, len: 1200 });
});

test('parseResults() takes 2^64 − 1 for −1, as 3.12 prints it, and fills in what old versions leave out', () => {
  const text = JSON.stringify(stockResults).replace('"retransmits":-1', '"retransmits":18446744073709551615');
  const [stream] = parseResults(JSON.parse(text)).streams;
  expect(stream).toMatchObject({ retransmits: -1, omitted_errors: 0, omitted_packets: 0 });
});

test('parseResults() keeps what an inferpath peer adds, and ignores it when it makes no sense', () => {
  const inferpath = {
    elapsedMs: 1,
    busyMs: 1,
    rwndLimitedMs: 0,
    sndbufLimitedMs: 0,
    busiestThread: 1,
    waitedForCore: 0,
  };
  expect(parseResults({ ...stockResults, inferpath }).inferpath).toEqual(inferpath);
  expect(parseResults({ ...stockResults, inferpath: { busyMs: 'x' } }).inferpath).toBeUndefined();
  expect(parseResults({ ...stockResults, inferpath: { ...inferpath, busyMs: -5 } }).inferpath).toBeUndefined();
});

/** A stock text with any values, keys and shapes in place of its own. */
function mutated(stock: object): fc.Arbitrary<unknown> {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(-1, 1e308, 2 ** 63, 2 ** 64, -0, 1.5, '', '9'),
  );
  const changes = fc.dictionary(fc.constantFrom(...Object.keys(stock), 'num', 'window', 'TOS', 'inferpath'), anything);
  return fc.oneof(
    changes.map((change) => ({ ...stock, ...change })),
    anything,
  );
}

test('parseParameters() never throws anything but its own error, and what it takes is within its bounds', () => {
  fc.assert(
    fc.property(mutated(stockParameters), (value) => {
      try {
        const p = parseParameters(value);
        expect(p.parallel).toBeLessThanOrEqual(128);
        expect(p.len).toBeLessThanOrEqual(1 << 20);
        expect(p.time).toBeLessThanOrEqual(86_400);
      } catch (error) {
        expect(error).toBeInstanceOf(IperfProtocolError);
      }
    }),
    { numRuns: 10_000 },
  );
});

test('parseResults() never throws anything but its own error, and what it takes is finite', () => {
  const streams = fc.array(mutated(stockStream), { maxLength: 4 }).map((list) => ({ ...stockResults, streams: list }));
  fc.assert(
    fc.property(fc.oneof(streams, mutated(stockResults)), (value) => {
      try {
        const results = parseResults(value);
        for (const { bytes, retransmits } of results.streams) {
          expect(Math.min(bytes, retransmits)).toBeGreaterThanOrEqual(-1);
          expect(bytes).toBeLessThan(2 ** 63);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(IperfProtocolError);
      }
    }),
    { numRuns: 10_000 },
  );
});
