import { addressText } from '../../wire/ip.ts';
import { decodePacket } from '../../wire/packet/decode.ts';
import { newPacket, type Packet, tcpFlag } from '../../wire/packet/packet.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { withPort } from '../../stats/address.ts';
import type { CaptureFlow } from '../../model/capture/flow.ts';
import { Duplicates } from './duplicates.ts';
import { FlowTable } from './flow-table.ts';
import { micro, tcpRecord } from './flow-record.ts';
import type { StreamSink } from './stream-sink.ts';
import type { PatternBook } from './patterns/book.ts';
import type { FlowFeatures } from './patterns/features.ts';
import { Connection } from './tcp/connection.ts';
import type { TcpEvent } from './tcp/event.ts';

/** A conversation that says nothing for this long is over, for the sake of memory. */
const idleMs = { tcp: 600_000, other: 60_000 };
/** After both ends have closed, late packets still belong to it for this long. */
const lingerMs = 3000;
/** One conversation is looked at per this many packets, in turn, and two for each new one: so they go faster than they come. */
const packetsPerLook = 8;
const looksPerFlow = 2;
/** Conversations that are kept alive at most, about 200 MB; a flood of SYN packets makes any number of them. */
const maxFlows = 50_000;

interface Flow {
  number: number;
  key: Int32Array;
  /** Whether its client is the first end of the table's key. */
  clientFirst: boolean;
  protocol: number;
  client: string;
  server: string;
  tunnel: number;
  startMs: number;
  lastMs: number;
  clientPackets: number;
  serverPackets: number;
  clientOctets: number;
  serverOctets: number;
  tcp: Connection | null;
  sink: StreamSink | null;
  features: FlowFeatures | null;
  /** Its addresses, client first, for the patterns. */
  ends: Uint8Array;
  version: 0 | 4 | 6;
}

export interface AnalysisHandlers {
  /** A conversation is over, or the capture is. */
  flow(flow: CaptureFlow): void;
  event?(flow: number, event: TcpEvent): void;
  /** Where what the traffic looks like is found out; asked for at the first packet, with its time. */
  patterns?(startEpochMs: number | null): PatternBook<CaptureFlow>;
  /** Makes the reader of what a TCP connection carries. */
  stream?(flow: number, connection: () => Connection): StreamSink;
}

const noStream: StreamSink = { wanted: false, data: () => undefined, gap: () => undefined, end: () => undefined };

/**
 * Packets in, conversations out: finds the conversation of each packet and keeps what the tap can tell of it. Memory is bounded by the
 * conversations that are alive.
 */
export class CaptureAnalysis {
  readonly #handlers: AnalysisHandlers;
  readonly #packet: Packet = newPacket();
  readonly #table = new FlowTable();
  readonly #duplicates = new Duplicates();
  #patterns: PatternBook<CaptureFlow> | null = null;
  readonly #flows: (Flow | null)[] = [];
  readonly #free: number[] = [];
  #look = 0;
  #number = 0;
  frames = 0;
  octets = 0;
  /** Frames that carry no IP that can be read. */
  otherFrames = 0;
  /** Seconds of the first packet since the epoch, and its nanoseconds; NaN: none had a time. */
  firstSeconds = Number.NaN;
  firstNanoseconds = 0;
  lastMs = 0;
  /** Packets whose time was before that of the packet ahead of them. */
  backwards = 0;
  mostFlows = 0;
  /** Conversations that were ended early since there were too many; what follows of them counts as others. */
  cutShort = 0;

  constructor(handlers: AnalysisHandlers) {
    this.#handlers = handlers;
  }

  /** Conversations seen so far. */
  get flows(): number {
    return this.#number;
  }

  /** Packets that the tap saw twice. */
  get duplicates(): number {
    return this.#duplicates.counts.duplicates;
  }

  frame(frame: Frame): void {
    if (this.frames === 0) this.#patterns = this.#handlers.patterns?.(startOf(frame)) ?? null;
    this.frames += 1;
    this.octets += frame.originalLength;
    const timeMs = this.#timeOf(frame);
    if (this.frames % packetsPerLook === 0) this.#expire(timeMs, 1);
    const packet = this.#packet;
    if (!decodePacket(frame, packet) || packet.inError || packet.fragment === 2) {
      this.otherFrames += 1;
      return;
    }
    if (this.#duplicates.isDuplicate(frame, packet)) return;
    const flow = this.#flowOf(packet, timeMs);
    const fromClient = this.#table.forward === flow.clientFirst;
    flow.lastMs = timeMs;
    if (fromClient) {
      flow.clientPackets += 1;
      flow.clientOctets += frame.originalLength;
    } else {
      flow.serverPackets += 1;
      flow.serverOctets += frame.originalLength;
    }
    if (flow.features) this.#patterns!.packet(flow.features, packet, timeMs, fromClient);
    if (flow.tcp && packet.fragment === 0 && packet.payloadBytes >= 0)
      flow.tcp.packet(packet, timeMs, fromClient, this.frames);
  }

  /** What is still open is told, in the order in which it began. */
  finish(): void {
    const open = this.#flows.filter((flow) => flow !== null).sort((a, b) => a.number - b.number);
    for (const flow of open) this.#tell(flow);
    this.#flows.length = 0;
  }

  #timeOf(frame: Frame): number {
    if (!frame.hasTime) return this.lastMs;
    if (Number.isNaN(this.firstSeconds)) {
      this.firstSeconds = frame.seconds;
      this.firstNanoseconds = frame.nanoseconds;
    }
    const ms = (frame.seconds - this.firstSeconds) * 1000 + (frame.nanoseconds - this.firstNanoseconds) / 1e6;
    if (ms >= this.lastMs) this.lastMs = ms;
    else this.backwards += 1;
    return ms;
  }

  #flowOf(packet: Packet, timeMs: number): Flow {
    const found = this.#table.find(packet);
    if (found >= 0) {
      const flow = this.#flows[found]!;
      if (!this.#begunAnew(flow, packet)) return flow;
      this.#end(found);
    }
    this.#expire(timeMs, looksPerFlow);
    const index = this.#free.pop() ?? this.#flows.length;
    this.#table.add(index);
    const flow = this.#begin(packet, timeMs);
    this.#flows[index] = flow;
    this.mostFlows = Math.max(this.mostFlows, this.#table.size);
    return flow;
  }

  /** A SYN with another number than the one before is another connection over the same ports. */
  #begunAnew(flow: Flow, packet: Packet): boolean {
    if (!flow.tcp || packet.protocol !== 6 || (packet.flags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn)
      return false;
    const { client, server } = flow.tcp;
    const sender = this.#table.forward === flow.clientFirst ? client : server;
    return sender.started && (packet.sequence + 1) >>> 0 !== sender.first32 && (sender.hasSyn || flow.tcp.closed);
  }

  #begin(packet: Packet, timeMs: number): Flow {
    this.#number += 1;
    const number = this.#number;
    const fromClient = sentByClient(packet);
    const source = endText(packet, packet.sourceAt, packet.sourcePort);
    const destination = endText(packet, packet.destinationAt, packet.destinationPort);
    const isTcp = packet.protocol === 6;
    const flow: Flow = {
      number,
      key: this.#table.lastKey(),
      clientFirst: this.#table.forward === fromClient,
      protocol: packet.protocol,
      client: fromClient ? source : destination,
      server: fromClient ? destination : source,
      tunnel: packet.tunnel,
      startMs: timeMs,
      lastMs: timeMs,
      clientPackets: 0,
      serverPackets: 0,
      clientOctets: 0,
      serverOctets: 0,
      tcp: null,
      sink: null,
      features: this.#patterns?.begin() ?? null,
      ends: this.#patterns ? addressesOf(packet, fromClient) : noAddresses,
      version: packet.version,
    };
    if (!isTcp) return flow;
    flow.sink = this.#handlers.stream?.(number, () => flow.tcp!) ?? noStream;
    flow.tcp = new Connection(flow.sink, (event) => this.#handlers.event?.(number, event));
    return flow;
  }

  #expire(timeMs: number, looks: number): void {
    for (let i = 0; i < looks && this.#flows.length > 0; i++) {
      this.#look = (this.#look + 1) % this.#flows.length;
      const flow = this.#flows[this.#look];
      if (!flow) continue;
      const silentMs = timeMs - flow.lastMs;
      const isOver = silentMs > (flow.tcp ? (flow.tcp.closed ? lingerMs : idleMs.tcp) : idleMs.other);
      if (isOver || this.#table.size >= maxFlows) {
        if (!isOver) this.cutShort += 1;
        this.#end(this.#look);
      } else flow.tcp?.settle(timeMs);
    }
  }

  #end(index: number): void {
    const flow = this.#flows[index]!;
    this.#table.remove(flow.key);
    this.#flows[index] = null;
    this.#free.push(index);
    this.#tell(flow);
  }

  #tell(flow: Flow): void {
    flow.tcp?.finish(flow.lastMs);
    flow.sink?.end(flow.lastMs);
    const record: CaptureFlow = {
      number: flow.number,
      protocol: flow.protocol === 6 ? 'tcp' : flow.protocol === 17 ? 'udp' : String(flow.protocol),
      client: flow.client,
      server: flow.server,
      tunnel: flow.tunnel === 0 ? null : (flow.tunnel >>> 0).toString(16).padStart(8, '0'),
      startMs: micro(flow.startMs),
      durationMs: micro(flow.lastMs - flow.startMs),
      packets: { client: flow.clientPackets, server: flow.serverPackets },
      octets: { client: flow.clientOctets, server: flow.serverOctets },
      tcp: flow.tcp ? tcpRecord(flow.tcp) : null,
    };
    this.#handlers.flow(record);
    if (!flow.features) return;
    const { ends: bytes, version } = flow;
    this.#patterns!.end(flow.features.end(), { bytes, clientAt: 0, serverAt: 16, version }, record);
  }
}

function endText({ bytes, version }: Packet, at: number, port: number): string {
  return withPort(addressText(bytes.subarray(at, at + (version === 6 ? 16 : 4))), port);
}

const noAddresses = new Uint8Array(0);

/** Client at 0, server at 16, whatever their length. */
function addressesOf({ bytes, sourceAt, destinationAt, version }: Packet, fromClient: boolean): Uint8Array {
  const both = new Uint8Array(32);
  const octets = version === 6 ? 16 : 4;
  const [client, server] = fromClient ? [sourceAt, destinationAt] : [destinationAt, sourceAt];
  both.set(bytes.subarray(client, client + octets), 0);
  both.set(bytes.subarray(server, server + octets), 16);
  return both;
}

function startOf({ hasTime, seconds, nanoseconds }: Frame): number | null {
  return hasTime ? seconds * 1000 + nanoseconds / 1e6 : null;
}

/** Who began: by the handshake, else who has the higher port, as servers have the well-known ones. */
function sentByClient(packet: Packet): boolean {
  if (packet.protocol === 6 && (packet.flags & tcpFlag.syn) !== 0) return (packet.flags & tcpFlag.ack) === 0;
  return packet.sourcePort >= packet.destinationPort;
}
