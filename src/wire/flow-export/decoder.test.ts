import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flowExportDecoder } from './decoder.ts';
import {
  type Field,
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
  uint,
  variable,
} from './encode.case.ts';
import type { ExportedFlow, InterfaceCounters } from './flow.ts';
import type { ExportSession } from './session.ts';

const exporter = '192.0.2.1';
const arrivalMs = 1_800_000_000_000;

type Seen = Omit<ExportedFlow, 'bytes' | 'sourceAt' | 'destinationAt'> & { source: string; destination: string };

/** A decoder whose flows are copied out, addresses as hexadecimal. */
function collecting() {
  const flows: Seen[] = [];
  const counters: InterfaceCounters[] = [];
  const gone: ExportSession[] = [];
  const decoder = flowExportDecoder({
    flow: ({ bytes, sourceAt, destinationAt, ...rest }) => {
      const octets = rest.version === 4 ? 4 : 16;
      const hex = (at: number) => bytes.toString('hex', at, at + octets);
      flows.push({ ...rest, source: hex(sourceAt), destination: hex(destinationAt) });
    },
    counters: (one) => counters.push({ ...one }),
    gone: (session) => gone.push(session),
  });
  const take = (bytes: Buffer, port = 2055) => decoder.datagram(bytes, exporter, port, arrivalMs);
  return { flows, counters, gone, decoder, take, session: () => [...decoder.sessions()][0]! };
}

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((b) => Buffer.from(b));
const n8 = fc.nat(0xff);
const n16 = fc.nat(0xffff);
const n32 = fc.nat(0xffff_ffff);

describe('NetFlow v5', () => {
  const flow = fc.record({
    source: octets(4),
    destination: octets(4),
    input: n16,
    output: n16,
    packets: n32,
    octets: n32,
    ageMs: fc.nat(2 ** 31 - 1),
    lengthMs: fc.nat(1000),
    sourcePort: n16,
    destinationPort: n16,
    tcpFlags: n8,
    protocol: n8,
    tos: n8,
  });
  const header = fc.record({
    uptime: n32,
    seconds: fc.integer({ min: 1_000_000_000, max: 0xffff_ffff }),
    nanoseconds: fc.nat(999).map((ms) => ms * 1_000_000),
    sequence: n32,
    engine: n16,
    sampling: fc.constantFrom(0, 0x4000 | 100, 1, 0x3fff),
  });

  test('gives back what was written, with uptimes that have wrapped', () => {
    fc.assert(
      fc.property(fc.array(flow, { minLength: 1, maxLength: 30 }), header, (written, head) => {
        const { flows, take, session } = collecting();
        const aged = written.map((one) => ({
          ...one,
          first: (head.uptime - one.ageMs) >>> 0,
          last: (head.uptime - Math.max(0, one.ageMs - one.lengthMs)) >>> 0,
        }));
        expect(take(netflow5(aged, head))).toBe('netflow-v5');
        const exportMs = head.seconds * 1000 + head.nanoseconds / 1e6;
        const every = head.sampling & 0x3fff;
        expect(flows).toEqual(
          written.map((one) => ({
            version: 4,
            source: one.source.toString('hex'),
            destination: one.destination.toString('hex'),
            sourcePort: one.sourcePort,
            destinationPort: one.protocol === 1 ? 0 : one.destinationPort,
            protocol: one.protocol,
            octets: one.octets,
            packets: one.packets,
            reverseOctets: -1,
            reversePackets: -1,
            tcpFlags: one.tcpFlags,
            tos: one.tos,
            icmp: one.protocol === 1 ? one.destinationPort : -1,
            direction: -1,
            input: one.input,
            output: one.output,
            vlan: -1,
            startMs: exportMs - one.ageMs,
            endMs: exportMs - Math.max(0, one.ageMs - one.lengthMs),
            everyPackets: every === 0 ? 1 : every,
            samplingFrom: every === 0 ? 'nobody' : 'header',
          })),
        );
        expect(session()).toMatchObject({ flows: written.length, domain: head.engine, malformed: 0 });
      }),
      { numRuns: 200 },
    );
  });

  test('reads the records that are there of a message that is cut', () => {
    const { flows, take, session } = collecting();
    const one = { source: u32(1), destination: u32(2), input: 0, output: 0, packets: 1, octets: 40, first: 0, last: 0 };
    const whole = netflow5(
      Array.from({ length: 3 }, () => ({
        ...one,
        sourcePort: 1,
        destinationPort: 2,
        tcpFlags: 0,
        protocol: 6,
        tos: 0,
      })),
      { uptime: 10, seconds: 1_700_000_000, nanoseconds: 0, sequence: 0, engine: 0, sampling: 0 },
    );
    take(whole.subarray(0, -1));
    expect(flows).toHaveLength(2);
    expect(session().malformed).toBe(1);
  });
});

/** An element with a value, and what it makes of the flow. */
interface Written {
  field: Field;
  bytes: Buffer;
  means: Partial<Seen>;
}

const numberOf = (element: number, key: keyof Seen, most: number, lengths: readonly number[]): fc.Arbitrary<Written> =>
  fc.tuple(fc.constantFrom(...lengths), fc.double({ min: 0, max: 1, noNaN: true })).map(([length, share]) => {
    const value = Math.floor(share * Math.min(most, 2 ** (8 * Math.min(length, 6)) - 1));
    return { field: { element, length }, bytes: uint(value, length), means: { [key]: value } };
  });

const knownFields: readonly fc.Arbitrary<Written>[] = [
  numberOf(7, 'sourcePort', 0xffff, [2]),
  numberOf(11, 'destinationPort', 0xffff, [2]),
  numberOf(4, 'protocol', 255, [1]),
  numberOf(5, 'tos', 255, [1]),
  numberOf(6, 'tcpFlags', 0xff, [1, 2]),
  numberOf(10, 'input', 0xffff, [2, 4]),
  numberOf(14, 'output', 0xffff, [2, 4]),
  numberOf(58, 'vlan', 4095, [2]),
  numberOf(61, 'direction', 1, [1]),
  numberOf(32, 'icmp', 0xffff, [2]),
  numberOf(152, 'startMs', 2 ** 42, [8]),
  numberOf(153, 'endMs', 2 ** 42, [8]),
];

const addresses = fc.constantFrom(4 as const, 6 as const).chain((version) =>
  octets(version === 4 ? 4 : 16).chain((source) =>
    octets(version === 4 ? 4 : 16).map((destination): Written[] => [
      {
        field: { element: version === 4 ? 8 : 27, length: source.length },
        bytes: source,
        means: { version, source: source.toString('hex') },
      },
      {
        field: { element: version === 4 ? 12 : 28, length: destination.length },
        bytes: destination,
        means: { destination: destination.toString('hex') },
      },
    ]),
  ),
);

/** Elements that nobody knows, of any length; and in IPFIX of other enterprises, with a length in the record. */
const strange = (version: 9 | 10): fc.Arbitrary<Written> =>
  fc
    .record({
      element: fc.integer({ min: 400, max: 30_000 }),
      value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      isVariable: fc.boolean(),
      isLong: fc.boolean(),
      enterprise: fc.option(fc.integer({ min: 1, max: 29_000 }), { nil: undefined }),
    })
    .map(({ element, value, isVariable, isLong, enterprise }) => ({
      field: {
        element,
        length: version === 10 && isVariable ? 'variable' : value.length,
        ...(version === 10 && enterprise !== undefined ? { enterprise } : {}),
      },
      bytes: version === 10 && isVariable ? variable(value, isLong) : value,
      means: {},
    }));

/** A record: addresses, counters, some other fields, some unknown ones, in any order. */
const record = (version: 9 | 10): fc.Arbitrary<Written[]> =>
  fc
    .tuple(
      addresses,
      numberOf(1, 'octets', 2 ** 47, [1, 3, 4, 8]),
      numberOf(2, 'packets', 2 ** 32 - 1, [4, 5, 8]),
      fc.subarray([...knownFields]).chain((some) => fc.tuple(...some)),
      fc.array(strange(version), { maxLength: 3 }),
    )
    .chain(([ends, counted, packets, some, others]) => {
      const all = [...ends, counted, packets, ...some, ...others];
      return fc.shuffledSubarray(all, { minLength: all.length });
    });

const blank: Seen = {
  version: 0,
  source: '',
  destination: '',
  sourcePort: 0,
  destinationPort: 0,
  protocol: -1,
  octets: -1,
  packets: -1,
  reverseOctets: -1,
  reversePackets: -1,
  tcpFlags: -1,
  tos: -1,
  icmp: -1,
  direction: -1,
  input: -1,
  output: -1,
  vlan: -1,
  startMs: Number.NaN,
  endMs: Number.NaN,
  everyPackets: 1,
  samplingFrom: 'nobody',
};

function meaning(written: readonly Written[], exportMs: number): Seen {
  const seen = Object.assign({ ...blank }, ...written.map(({ means }) => means)) as Seen;
  if (Number.isNaN(seen.endMs)) seen.endMs = Number.isNaN(seen.startMs) ? exportMs : seen.startMs;
  if (Number.isNaN(seen.startMs)) seen.startMs = seen.endMs;
  return seen;
}

describe.each([9, 10] as const)('templates, version %d', (version) => {
  const seconds = 1_700_000_000;
  const message = (sets: readonly Buffer[], sequence: number, domain = 7) =>
    (version === 9 ? netflow9 : ipfix)(sets, { seconds, sequence, domain, uptime: 1000 });
  const setIds = version === 9 ? { template: 0, options: 1 } : { template: 2, options: 3 };

  test('gives back what was written, whatever the template, also when it comes after its records', () => {
    fc.assert(
      fc.property(
        fc.array(record(version), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        fc.boolean(),
        (records, templatesLast, inOneMessage) => {
          const { flows, take, session } = collecting();
          const templates = records.map((one, i) =>
            set(
              setIds.template,
              template(
                256 + i,
                one.map(({ field }) => field),
              ),
            ),
          );
          const data = records.map((one, i) => set(256 + i, ...one.map(({ bytes }) => bytes)));
          const parts = templatesLast ? [data, templates] : [templates, data];
          if (inOneMessage) take(message(parts.flat(), 0));
          else parts.forEach((sets, i) => take(message(sets, i)));
          expect(flows).toEqual(records.map((one) => meaning(one, seconds * 1000)));
          expect(session()).toMatchObject({ malformed: 0, otherRecords: 0, unread: 0, flows: records.length });
        },
      ),
      { numRuns: 150 },
    );
  });

  const plain: Field[] = [
    { element: 8, length: 4 },
    { element: 12, length: 4 },
    { element: 1, length: 4 },
    { element: 2, length: 4 },
  ];
  const one = Buffer.concat([u32(1), u32(2), u32(1500), u32(3)]);

  test('scales by the sampler that a flow names, by the only one, and by what it says itself', () => {
    const { flows, take } = collecting();
    const sampler = version === 9 ? { id: 48, every: 34 } : { id: 302, every: 305 };
    const optionFields: Field[] = [
      { element: version === 9 ? 1 : 149, length: 4 },
      { element: sampler.id, length: 1 },
      { element: sampler.every, length: 4 },
      ...(version === 9 ? [] : [{ element: 306, length: 4 }]),
    ];
    const option = (id: number, every: number) =>
      version === 9 ? [u32(0), u8(id), u32(every)] : [u32(7), u8(id), u32(10), u32(10 * every - 10)];
    const naming = set(setIds.template, template(300, [...plain, { element: sampler.id, length: 1 }]));
    const silent = set(setIds.template, template(301, plain));
    const saying = set(setIds.template, template(302, [...plain, { element: 34, length: 4 }]));
    take(message([naming, silent, saying], 0));
    take(message([set(301, one)], 1));
    take(
      message([set(setIds.options, optionsTemplate(400, optionFields, 1, version)), set(400, ...option(1, 100))], 2),
    );
    take(message([set(300, one, u8(1)), set(301, one), set(302, one, u32(7))], 3));
    take(message([set(400, ...option(2, 50)), set(300, one, u8(2)), set(301, one)], 4));
    expect(flows.map(({ everyPackets, samplingFrom }) => [everyPackets, samplingFrom])).toEqual([
      [1, 'nobody'],
      [100, 'options'],
      [100, 'options'],
      [7, 'record'],
      [50, 'options'],
      [1, 'nobody'],
    ]);
  });

  test('keeps templates of domains and of sessions apart', () => {
    const { flows, take, decoder } = collecting();
    take(message([set(setIds.template, template(300, plain))], 0, 1));
    take(message([set(300, one)], 0, 2));
    take(message([set(300, one)], 0, 1), 2056);
    expect(flows).toHaveLength(0);
    take(message([set(300, one)], 1, 1));
    expect(flows).toHaveLength(1);
    expect([...decoder.sessions()]).toHaveLength(3);
  });

  test('a template that is defined anew holds for what comes after it', () => {
    const { flows, take } = collecting();
    take(message([set(setIds.template, template(300, plain)), set(300, one)], 0));
    take(message([set(setIds.template, template(300, [...plain].reverse())), set(300, one)], 1));
    expect(flows.map(({ octets: count, packets }) => [count, packets])).toEqual([
      [1500, 3],
      [2, 1],
    ]);
  });

  test('records that tell of no traffic between two addresses are counted and not given', () => {
    const { flows, take, session } = collecting();
    take(
      message(
        [
          set(
            setIds.template,
            template(300, [
              { element: 8, length: 4 },
              { element: 1, length: 4 },
            ]),
          ),
          set(300, one),
        ],
        0,
      ),
    );
    expect(flows).toHaveLength(0);
    expect(session().otherRecords).toBe(2);
  });

  test.each([
    ['of no octets', [{ element: 1, length: 0 }]],
    ['of more fields than any record has', Array.from({ length: 600 }, () => ({ element: 1, length: 1 }))],
  ])('templates %s are refused', (_, fields) => {
    const { take, decoder, session } = collecting();
    take(message([set(setIds.template, template(300, fields))], 0));
    expect(decoder.knownTemplates).toBe(0);
    expect(session().malformed).toBe(1);
  });

  test('memory stays bounded however many templates, records and sessions come', () => {
    const { take, decoder, gone } = collecting();
    const many = set(
      setIds.template,
      template(
        256,
        Array.from({ length: 500 }, (_, i) => ({ element: i + 1, length: 4 })),
      ),
    );
    for (let domain = 0; domain < 120; domain++)
      for (let id = 256; id < 276; id++) {
        many.writeUInt16BE(id, 4);
        take(message([many], 0, domain));
      }
    expect(decoder.evictedTemplates).toBe(2400 - decoder.knownTemplates);
    expect(decoder.knownTemplates).toBe(Math.floor(2 ** 20 / 500));
    const body = Buffer.alloc(40_000);
    for (let id = 0; id < 200; id++) take(message([set(1000 + id, body)], id, 999));
    expect(decoder.waitingBytes).toBeLessThanOrEqual(2 ** 20);
    expect([...decoder.sessions()].reduce((sum, { unread }) => sum + unread, 0)).toBe(
      200 - decoder.waitingBytes / 40_000,
    );
    for (let port = 0; port < 5000; port++) take(message([], 0), port);
    expect([...decoder.sessions()]).toHaveLength(4096);
    // Port 2055 with domain 7 was there before.
    expect(gone).toHaveLength(5000 + 120 - 4096);
  });
});

describe('IPFIX', () => {
  const message = (sets: readonly Buffer[], sequence: number) =>
    ipfix(sets, { seconds: 1_700_000_000, sequence, domain: 0 });
  const base: Field[] = [
    { element: 8, length: 4 },
    { element: 12, length: 4 },
    { element: 2, length: 4 },
  ];
  const ends = Buffer.concat([u32(1), u32(2), u32(1)]);
  const timed = (fields: Field[], ...values: Buffer[]) => {
    const { flows, take } = collecting();
    take(message([set(2, template(300, [...base, ...fields])), set(300, ends, ...values)], 0));
    return [flows[0]!.startMs, flows[0]!.endMs];
  };

  test.each([
    ['seconds', 150, 4, u32(1_700_000_001), 1_700_000_001_000],
    [
      'microseconds, as stamps of NTP',
      154,
      8,
      Buffer.concat([u32(1_700_000_001 + 2_208_988_800), u32(2 ** 31)]),
      1_700_000_001_500,
    ],
    [
      'nanoseconds, as stamps of NTP',
      156,
      8,
      Buffer.concat([u32(1_700_000_001 + 2_208_988_800), u32(2 ** 30)]),
      1_700_000_001_250,
    ],
    ['microseconds before the export', 158, 4, u32(250_000), 1_699_999_999_750],
  ])('times in %s', (_, element, length, value, ms) => {
    expect(timed([{ element, length }], value)).toEqual([ms, ms]);
  });

  test('uptimes with the time of the start, and durations', () => {
    const boot = uint(1_699_990_000_000, 8);
    expect(
      timed(
        [
          { element: 22, length: 4 },
          { element: 21, length: 4 },
          { element: 160, length: 8 },
        ],
        u32(100),
        u32(350),
        boot,
      ),
    ).toEqual([1_699_990_000_100, 1_699_990_000_350]);
    expect(
      timed(
        [
          { element: 152, length: 8 },
          { element: 161, length: 4 },
        ],
        boot,
        u32(5),
      ),
    ).toEqual([1_699_990_000_000, 1_699_990_000_005]);
  });

  test('both directions in one record (RFC 5103)', () => {
    const { flows, take } = collecting();
    const back = [1, 2].map((element) => ({ element, length: 8, enterprise: 29_305 }));
    take(message([set(2, template(300, [...base, ...back])), set(300, ends, uint(777, 8), uint(5, 8))], 0));
    expect(flows[0]).toMatchObject({ packets: 1, reverseOctets: 777, reversePackets: 5 });
  });

  test('templates that are taken back, one and all', () => {
    const { flows, take } = collecting();
    take(message([set(2, template(300, base), template(301, base)), set(300, ends)], 0));
    take(message([set(2, u16(300), u16(0)), set(300, ends), set(301, ends)], 1));
    expect(flows).toHaveLength(2);
    take(message([set(2, u16(2), u16(0)), set(301, ends)], 3));
    expect(flows).toHaveLength(2);
    // What waited is read when there is a template again.
    take(message([set(2, template(301, base))], 4));
    expect(flows).toHaveLength(3);
  });

  test('numbers that count the records of the message itself are known as such', () => {
    const { take, session } = collecting();
    const options = optionsTemplate(
      400,
      [
        { element: 149, length: 4 },
        { element: 34, length: 4 },
      ],
      1,
      10,
    );
    const opening = [set(2, template(300, base)), set(3, options), set(400, u32(0), u32(1))];
    take(message([...opening, set(300, ends, ends)], 2));
    take(message([set(300, ends, ends, ends)], 5));
    take(message([set(300, ends)], 6));
    expect(session().sequence).toMatchObject({ lost: 0, gaps: 0, duplicates: 0, restarts: 0 });
    // Four are lost.
    take(message([set(300, ends, ends)], 12));
    expect(session().sequence).toMatchObject({ lost: 4, gaps: 1, duplicates: 0, restarts: 0 });
  });

  test('gaps in numbers that count the records before are losses', () => {
    const { take, session } = collecting();
    take(message([set(2, template(300, base)), set(300, ends, ends)], 10));
    take(message([set(300, ends)], 12));
    take(message([set(300, ends)], 17));
    take(message([set(300, ends, ends)], 18));
    expect(session().sequence).toMatchObject({ lost: 4, gaps: 1, duplicates: 0, restarts: 0 });
  });

  test('addresses of both families in one template, the other one zero', () => {
    const { flows, take } = collecting();
    const both = [...base, { element: 27, length: 16 }, { element: 28, length: 16 }];
    const some = Buffer.alloc(16, 1);
    take(
      message(
        [set(2, template(300, both)), set(300, ends, Buffer.alloc(32)), set(300, Buffer.alloc(8), u32(1), some, some)],
        0,
      ),
    );
    expect(flows.map(({ version, source }) => [version, source])).toEqual([
      [4, '00000001'],
      [6, '01'.repeat(16)],
    ]);
  });
});

/** Ethernet with any VLAN tag, IPv4 or IPv6, TCP, UDP or ICMP; and what a flow of it is. */
const frame = fc
  .record({
    version: fc.constantFrom(4 as const, 6 as const),
    protocol: fc.constantFrom(6, 17, 1),
    vlan: fc.option(fc.integer({ min: 1, max: 4094 }), { nil: null }),
    sourcePort: n16,
    destinationPort: fc.integer({ min: 10_000, max: 20_000 }),
    tos: n8,
    flags: n8,
    payload: fc.nat(1400),
    addresses: octets(32),
  })
  .map(({ version, protocol, vlan, sourcePort, destinationPort, tos, flags, payload, addresses: both }) => {
    const isIcmp = protocol === 1;
    const number = isIcmp && version === 6 ? 58 : protocol;
    // An echo request: what is quoted by nothing.
    const icmp = version === 6 ? 128 : 8;
    const transport = isIcmp
      ? Buffer.concat([u8(icmp), u8(0), Buffer.alloc(6)])
      : protocol === 17
        ? Buffer.concat([u16(sourcePort), u16(destinationPort), u16(8 + payload), u16(0)])
        : Buffer.concat([u16(sourcePort), u16(destinationPort), Buffer.alloc(8), u8(0x50), u8(flags), Buffer.alloc(6)]);
    const [from, to] =
      version === 4 ? [both.subarray(0, 4), both.subarray(4, 8)] : [both.subarray(0, 16), both.subarray(16)];
    const length = transport.length + payload;
    const ip =
      version === 4
        ? Buffer.concat([u8(0x45), u8(tos), u16(20 + length), u32(0), u8(64), u8(number), u16(0), from, to])
        : Buffer.concat([u32(0x6000_0000 + tos * 2 ** 20), u16(length), u8(number), u8(64), from, to]);
    const tag = vlan === null ? Buffer.alloc(0) : Buffer.concat([u16(0x8100), u16(vlan)]);
    const ether = Buffer.concat([Buffer.alloc(12, 2), tag, u16(version === 4 ? 0x0800 : 0x86dd)]);
    const means = {
      version,
      source: from.toString('hex'),
      destination: to.toString('hex'),
      protocol: number,
      sourcePort: isIcmp ? 0 : sourcePort,
      destinationPort: isIcmp ? 0 : destinationPort,
      octets: ip.length + length,
      packets: 1,
      tos,
      tcpFlags: protocol === 6 ? flags : -1,
      icmp: isIcmp ? icmp * 256 : -1,
      vlan: vlan ?? -1,
    };
    return { bytes: Buffer.concat([ether, ip, transport, Buffer.alloc(payload)]), means };
  });

describe('sFlow v5', () => {
  const datagram = (samples: readonly Buffer[], sequence = 1) =>
    sflow5(samples, { agent: u32(0x0a00_0001), subAgent: 3, sequence, uptime: 5000 });
  const head = { sequence: 1, sourceIndex: 5, every: 512, drops: 0, input: 5, output: 9 };

  test('a sampled packet becomes a flow, in samples of both kinds, however short the header', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        fc.boolean(),
        fc.integer({ min: 90, max: 256 }),
        (frames, isExpanded, captured) => {
          const { flows, take, session } = collecting();
          const samples = frames.map(({ bytes }) =>
            flowSample(head, [rawHeader(bytes, bytes.length, captured)], isExpanded),
          );
          expect(take(datagram(samples))).toBe('sflow-v5');
          expect(flows).toEqual(
            frames.map(({ means }) => ({
              ...blank,
              ...means,
              direction: 0,
              input: 5,
              output: 9,
              startMs: arrivalMs,
              endMs: arrivalMs,
              everyPackets: 512,
              samplingFrom: 'record',
            })),
          );
          expect(session()).toMatchObject({ agent: '10.0.0.1', domain: 3, malformed: 0, flows: frames.length });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('an ICMP error is a flow of its own, not the packet that it quotes', () => {
    const { flows, take } = collecting();
    const quoted = Buffer.concat([
      u8(0x45),
      u8(0),
      u16(60),
      u32(0),
      u8(1),
      u8(17),
      u16(0),
      u32(9),
      u32(8),
      Buffer.alloc(8),
    ]);
    const error = Buffer.concat([u8(3), u8(1), Buffer.alloc(6), quoted]);
    const ip = Buffer.concat([
      u8(0x45),
      u8(0),
      u16(20 + error.length),
      u32(0),
      u8(64),
      u8(1),
      u16(0),
      u32(1),
      u32(2),
      error,
    ]);
    take(datagram([flowSample(head, [rawHeader(ip, ip.length, 128, 11)], false)]));
    expect(flows).toMatchObject([
      { source: '00000001', destination: '00000002', protocol: 1, icmp: 0x0301, octets: ip.length },
    ]);
  });

  test('addresses without a header, and VLANs beside it', () => {
    const { flows, take, session } = collecting();
    const plain = tagged(3, u32(1400), u32(6), u32(1), u32(2), u32(80), u32(443), u32(0x18), u32(4));
    const vlan = tagged(1001, u32(42), u32(0), u32(42), u32(0));
    take(datagram([flowSample(head, [vlan, plain], false), flowSample(head, [vlan], true)]));
    expect(flows).toMatchObject([
      {
        version: 4,
        octets: 1400,
        packets: 1,
        protocol: 6,
        sourcePort: 80,
        destinationPort: 443,
        tcpFlags: 0x18,
        vlan: 42,
      },
    ]);
    expect(session().otherRecords).toBe(1);
  });

  test('counters of interfaces; what the agent does not know is not a number', () => {
    const { counters, take } = collecting();
    const generic = tagged(
      1,
      u32(7),
      u32(6),
      uint(1e10, 8),
      u32(1),
      u32(3),
      uint(123_456_789_012, 8),
      u32(10),
      u32(20),
      u32(30),
      u32(1),
      u32(2),
      u32(0),
      uint(55, 8),
      u32(4),
      u32(0xffff_ffff),
      u32(1),
      u32(0xffff_ffff),
      u32(0),
      u32(0),
    );
    take(datagram([tagged(2, u32(1), u32(7), u32(1), generic), tagged(4, u32(1), u32(0), u32(7), u32(1), generic)]));
    const expected = {
      index: 7,
      bitsPerSecond: 1e10,
      inOctets: 123_456_789_012,
      inPackets: 60,
      inDiscards: 1,
      inErrors: 2,
      outOctets: 55,
      outPackets: 5,
      outDiscards: Number.NaN,
      outErrors: 0,
    };
    expect(counters).toEqual([expected, expected]);
  });

  test('samples that the agent had no room for are counted by source', () => {
    const { take, session } = collecting();
    const dropping = (sourceIndex: number, drops: number) => flowSample({ ...head, sourceIndex, drops }, [], false);
    take(datagram([dropping(1, 100), dropping(2, 0)], 1));
    take(datagram([dropping(1, 103), dropping(2, 4)], 2));
    expect(session().samplesDropped).toBe(7);
  });
});

test('other datagrams are none', () => {
  const { take, decoder } = collecting();
  for (const bytes of [Buffer.alloc(0), Buffer.from([0, 7, 0, 1]), Buffer.from('hello'), Buffer.from([0, 0, 0, 4])])
    expect(take(bytes)).toBeNull();
  expect([...decoder.sessions()]).toHaveLength(0);
});
