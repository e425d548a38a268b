/**
 * Writers of flow exports for tests: NetFlow v5 and v9 as RFC 3954 and Cisco's table have them, IPFIX by RFC 7011, sFlow by its
 * specification of 2004; apart from the readers, slow and plain.
 */

export const u8 = (value: number): Buffer => Buffer.from([value]);
export const u16 = (value: number): Buffer => Buffer.from([value >>> 8, value & 0xff]);
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
/** The `length` lowest octets of a number. */
export const uint = (value: number, length: number): Buffer => {
  const all = Buffer.alloc(8);
  all.writeBigUInt64BE(BigInt(value));
  return length <= 8 ? all.subarray(8 - length) : Buffer.concat([Buffer.alloc(length - 8), all]);
};

export interface V5Flow {
  source: Buffer;
  destination: Buffer;
  input: number;
  output: number;
  packets: number;
  octets: number;
  /** Uptime of the exporter. */
  first: number;
  last: number;
  sourcePort: number;
  destinationPort: number;
  tcpFlags: number;
  protocol: number;
  tos: number;
}

export interface V5Header {
  uptime: number;
  seconds: number;
  nanoseconds: number;
  sequence: number;
  engine: number;
  sampling: number;
}

export function netflow5(flows: readonly V5Flow[], header: V5Header): Buffer {
  const { uptime, seconds, nanoseconds, sequence, engine, sampling } = header;
  const records = flows.flatMap((flow) => {
    const counts = [u16(flow.input), u16(flow.output), u32(flow.packets), u32(flow.octets)];
    const times = [u32(flow.first), u32(flow.last)];
    const transport = [u16(flow.sourcePort), u16(flow.destinationPort), u8(0), u8(flow.tcpFlags), u8(flow.protocol)];
    // Between source and counts the next hop, at the end systems and masks.
    return [flow.source, flow.destination, u32(0), ...counts, ...times, ...transport, u8(flow.tos), Buffer.alloc(8)];
  });
  const head = [u16(5), u16(flows.length), u32(uptime), u32(seconds), u32(nanoseconds), u32(sequence)];
  return Buffer.concat([...head, u16(engine), u16(sampling), ...records]);
}

export interface Field {
  element: number;
  length: number | 'variable';
  enterprise?: number;
}

/** A set, or flow set: id, length, what is in it, zeros up to the next multiple of four. */
export function set(id: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const padding = Buffer.alloc((4 - (body.length % 4)) % 4);
  return Buffer.concat([u16(id), u16(4 + body.length + padding.length), body, padding]);
}

const specifier = ({ element, length, enterprise }: Field): Buffer =>
  Buffer.concat([
    u16(enterprise === undefined ? element : element | 0x8000),
    u16(length === 'variable' ? 0xffff : length),
    ...(enterprise === undefined ? [] : [u32(enterprise)]),
  ]);

export const template = (id: number, fields: readonly Field[]): Buffer =>
  Buffer.concat([u16(id), u16(fields.length), ...fields.map(specifier)]);

/** An options template: the first `scopes` fields are scopes. */
export function optionsTemplate(id: number, fields: readonly Field[], scopes: number, version: 9 | 10): Buffer {
  const counts =
    version === 9 ? [u16(scopes * 4), u16((fields.length - scopes) * 4)] : [u16(fields.length), u16(scopes)];
  return Buffer.concat([u16(id), ...counts, ...fields.map(specifier)]);
}

/** A value with its length before it (RFC 7011 §7); the long form also for what the short one could say. */
export const variable = (value: Buffer, isLong: boolean): Buffer =>
  isLong || value.length >= 255
    ? Buffer.concat([u8(255), u16(value.length), value])
    : Buffer.concat([u8(value.length), value]);

export interface TemplatedHeader {
  seconds: number;
  sequence: number;
  domain: number;
  /** v9 only. */
  uptime?: number;
  count?: number;
}

export function netflow9(sets: readonly Buffer[], header: TemplatedHeader): Buffer {
  const { seconds, sequence, domain, uptime = 0, count = sets.length } = header;
  return Buffer.concat([u16(9), u16(count), u32(uptime), u32(seconds), u32(sequence), u32(domain), ...sets]);
}

export function ipfix(sets: readonly Buffer[], { seconds, sequence, domain }: TemplatedHeader): Buffer {
  const body = Buffer.concat(sets);
  return Buffer.concat([u16(10), u16(16 + body.length), u32(seconds), u32(sequence), u32(domain), body]);
}

/** XDR opaque without its length: padded to four octets. */
const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
/** A sample, or a record in one: format, length, octets. */
export const tagged = (format: number, ...parts: readonly Buffer[]): Buffer => {
  const body = padded(Buffer.concat(parts));
  return Buffer.concat([u32(format), u32(body.length), body]);
};

export interface SampleHead {
  sequence: number;
  sourceIndex: number;
  every: number;
  drops: number;
  input: number;
  output: number;
}

export function flowSample(head: SampleHead, records: readonly Buffer[], isExpanded: boolean): Buffer {
  const { sequence, sourceIndex, every, drops, input, output } = head;
  const common = [u32(every), u32(0), u32(drops)];
  return isExpanded
    ? tagged(
        3,
        u32(sequence),
        u32(0),
        u32(sourceIndex),
        ...common,
        u32(0),
        u32(input),
        u32(0),
        u32(output),
        u32(records.length),
        ...records,
      )
    : tagged(1, u32(sequence), u32(sourceIndex), ...common, u32(input), u32(output), u32(records.length), ...records);
}

/** A raw packet header of Ethernet, with the frame check sequence counted and stripped as agents do. */
export const rawHeader = (frame: Buffer, wireLength: number, captured: number, protocol = 1): Buffer =>
  tagged(
    1,
    u32(protocol),
    u32(wireLength + 4),
    u32(4),
    u32(Math.min(captured, frame.length)),
    padded(frame.subarray(0, captured)),
  );

export function sflow5(
  samples: readonly Buffer[],
  { agent, subAgent, sequence, uptime }: { agent: Buffer; subAgent: number; sequence: number; uptime: number },
): Buffer {
  const type = agent.length === 4 ? 1 : 2;
  return Buffer.concat([
    u32(5),
    u32(type),
    agent,
    u32(subAgent),
    u32(sequence),
    u32(uptime),
    u32(samples.length),
    ...samples,
  ]);
}
