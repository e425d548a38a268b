import { expect, test } from 'vitest';
import { flowExportDecoder } from './decoder.ts';
import {
  flowSample,
  ipfix,
  netflow5,
  netflow9,
  optionsTemplate,
  rawHeader,
  set,
  sflow5,
  tagged,
  template,
  u16,
  u32,
  u8,
} from './encode.case.ts';

/** As many as the environment says: a hundred thousand in CI. */
const inputs = Number(process.env['INFERPATH_FUZZ_INPUTS'] ?? 100_000);

/** xorshift32 (Marsaglia 2003): a failure is the same for everybody. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const fields = [
  { element: 8, length: 4 },
  { element: 12, length: 4 },
  { element: 1, length: 8 },
  { element: 2, length: 4 },
  { element: 371, length: 'variable' as const },
];
const record = Buffer.concat([u32(1), u32(2), u32(0), u32(1500), u32(3), u8(2), u16(1)]);
const options = [
  { element: 149, length: 4 },
  { element: 302, length: 1 },
  { element: 305, length: 4 },
];
const flow5 = { source: u32(1), destination: u32(2), input: 1, output: 2, packets: 1, octets: 40, first: 0, last: 0 };
const frame = Buffer.concat([
  Buffer.alloc(12),
  u16(33024),
  u16(5),
  u16(2048),
  u8(69),
  u8(0),
  u16(60),
  u32(0),
  u8(64),
  u8(6),
  u16(0),
  u32(1),
  u32(2),
  u16(443),
  u16(9),
  u32(1),
  u32(2),
  u8(160),
  u8(24),
  u16(0),
  u32(0),
  Buffer.alloc(20, 1),
]);
const head = { sequence: 1, sourceIndex: 5, every: 512, drops: 0, input: 5, output: 9 };
const at = { seconds: 1_700_000_000, sequence: 1, domain: 1 };

const good: readonly Buffer[] = [
  netflow5(
    Array.from({ length: 4 }, () => ({
      ...flow5,
      sourcePort: 1,
      destinationPort: 2,
      tcpFlags: 0,
      protocol: 6,
      tos: 0,
    })),
    { uptime: 10, seconds: 1_700_000_000, nanoseconds: 0, sequence: 0, engine: 0, sampling: 100 },
  ),
  ipfix([set(2, template(256, fields)), set(256, record, record), set(2, u16(256), u16(0))], at),
  ipfix([set(3, optionsTemplate(257, options, 1, 10)), set(257, u32(1), u8(1), u32(9)), set(258, record)], at),
  netflow9([set(0, template(256, fields.slice(0, 4))), set(256, record.subarray(0, 20))], at),
  netflow9([set(1, optionsTemplate(257, options, 1, 9)), set(257, u32(1), u8(1), u32(9))], at),
  sflow5(
    [
      flowSample(head, [rawHeader(frame, 1500, 128), tagged(1001, Buffer.alloc(16))], true),
      flowSample(head, [tagged(3, Buffer.alloc(32)), tagged(4, Buffer.alloc(56))], false),
      tagged(2, u32(1), u32(7), u32(1), tagged(1, Buffer.alloc(88))),
    ],
    { agent: u32(1), subAgent: 0, sequence: 1, uptime: 1 },
  ),
];

test(`${inputs} malformed datagrams neither throw nor run away, and what they give lies within them`, () => {
  const below = numbers(7);
  let flows = 0;
  const decoder = flowExportDecoder({
    flow: ({ bytes, version, sourceAt, destinationAt, octets, packets, startMs, endMs, everyPackets }) => {
      flows += 1;
      const length = version === 4 ? 4 : 16;
      // Not expect(): it would be most of the time.
      if (
        !(
          sourceAt >= 0 &&
          destinationAt >= 0 &&
          sourceAt + length <= bytes.length &&
          destinationAt + length <= bytes.length
        ) ||
        !(octets >= 0 || packets >= 0) ||
        !(Number.isFinite(startMs) && Number.isFinite(endMs) && everyPackets >= 1)
      )
        throw new Error(
          `a flow that cannot be: ${JSON.stringify({ version, sourceAt, octets, packets, startMs, endMs })}`,
        );
    },
  });
  for (let i = 0; i < inputs; i++) {
    const one = good[below(good.length)]!;
    const isRandom = below(8) === 0;
    const length = isRandom || below(3) === 0 ? below(one.length + 40) : one.length;
    const bytes = Buffer.alloc(length);
    if (isRandom) for (let k = 0; k < length; k++) bytes[k] = below(256);
    else one.copy(bytes);
    // Versions are mostly left: a datagram of none is read no further.
    for (let flips = length <= 4 ? 0 : below(6); flips > 0; flips--) bytes[4 + below(length - 4)] = below(256);
    decoder.datagram(bytes, '192.0.2.1', below(4), 1_800_000_000_000);
  }
  expect(flows).toBeGreaterThan(inputs / 10);
  expect(decoder.waitingBytes).toBeLessThanOrEqual(2 ** 20);
  expect([...decoder.sessions()].length).toBeLessThanOrEqual(4096);
});
