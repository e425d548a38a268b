import { addressText } from '../../wire/ip.ts';
import { decodePacket } from '../../wire/packet/decode.ts';
import { newPacket, type Packet, tcpFlag } from '../../wire/packet/packet.ts';
import { type Frame, newFrame } from '../../wire/pcap/frame.ts';
import { withPort } from '../../stats/address.ts';
import type { CaptureFlow } from '../../model/capture/flow.ts';
import type { Batch, BatchHead } from './batch.ts';
import { micro, tcpRecord } from './flow-record.ts';
import type { StreamSink } from './stream-sink.ts';
import type { FlowEnds } from './patterns/ends.ts';
import type { FlowFeatures } from './patterns/features.ts';
import type { PacketTap } from './patterns/packet-tap.ts';
import type { FlowSummary } from './patterns/summary.ts';
import { Connection } from './tcp/connection.ts';
import type { TcpEvent } from './tcp/event.ts';

/** A conversation that says nothing for this long is over, for the sake of memory. */
const idleMs = { tcp: 600_000, other: 60_000 };
/** After both ends have closed, late packets still belong to it for this long. */
const lingerMs = 3000;
/** All conversations are looked at after so many packets, or as many new ones as a share of all: so they go faster than they come. */
const framesPerSweep = 65_536;
const newPerSweep = { least: 64, share: 0.5 } as const;
/** One that says nothing for so long has to tell what it still waits for. */
const settleMs = 5000;
interface Flow {
  /** That of its first frame in the capture. */
  number: number;
  /** Whether its client is the first end of the table's key. */
  clientFirst: boolean;
  protocol: number;
  client: string;
  server: string;
  tunnel: number;
  startMs: number;
  lastMs: number;
  /** The same by the clock of the tap, which never runs backwards. */
  lastClockMs: number;
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
  /** A conversation is over, or the capture is. `seen`: for the patterns, where they are asked for. */
  flow(flow: CaptureFlow, seen: FlowSeen | null): void;
  event?(flow: number, event: TcpEvent): void;
  /** Where the patterns see packets. */
  readonly tap?: PacketTap;
  /** Makes the reader of what a TCP connection carries. */
  stream?(flow: number, connection: () => Connection): StreamSink;
}

export interface FlowSeen {
  summary: FlowSummary;
  ends: FlowEnds;
}

/** Of so many threads the one with this index has its share of the conversations. */
export interface Share {
  index: number;
  of: number;
}

const noStream: StreamSink = { wanted: false, data: () => undefined, gap: () => undefined, end: () => undefined };

/**
 * Batches in, conversations out: keeps what the tap can tell of each. Memory is bounded by the conversations that are alive. When one is
 * over depends on its own packets alone, so that it makes no difference which others are looked at beside it.
 */
export class Conversations {
  readonly #handlers: AnalysisHandlers;
  readonly #share: Share;
  readonly #packet: Packet = newPacket();
  readonly #frame: Frame = newFrame();
  readonly #flows: (Flow | null)[] = [];
  #alive = 0;
  #sweptFrames = 0;
  #sweptBegun = 0;
  /** Conversations seen so far. */
  begun = 0;
  /** Conversations that were ended early since there were too many; what follows of them counts as others. */
  cutShort = 0;

  constructor(handlers: AnalysisHandlers, share: Share = { index: 0, of: 1 }) {
    this.#handlers = handlers;
    this.#share = share;
  }

  /** @returns places whose conversations are over */
  look(batch: Batch): number[] {
    const { index, of } = this.#share;
    const { chains, head } = batch;
    const ended: number[] = [];
    if (head.isOtherTap) this.finish();
    for (const place of head.cut) {
      if (!this.#flows[place]) continue;
      this.#end(place);
      this.cutShort += 1;
    }
    let from = 0;
    for (let chain = 0; chain < head.chains; chain++) {
      const place = chains[2 * chain]!;
      const end = chains[2 * chain + 1]!;
      if (of === 1 || place % of === index) this.#chain(batch, place, from, end);
      from = end;
    }
    const isDue =
      head.frames - this.#sweptFrames >= framesPerSweep ||
      this.begun - this.#sweptBegun >= Math.max(newPerSweep.least, newPerSweep.share * this.#alive);
    if (isDue) this.#sweep(head, ended);
    return ended;
  }

  /** What is still open is told, in the order in which it began. */
  finish(): void {
    const open = this.#flows.filter((flow) => flow !== null && flow !== undefined).sort((a, b) => a.number - b.number);
    for (const flow of open) this.#tell(flow);
    this.#flows.length = 0;
    this.#alive = 0;
  }

  #chain(batch: Batch, place: number, from: number, end: number): void {
    batch.fetch(from, end);
    let flow = this.#flows[place] ?? null;
    for (let k = from; k < end; k++) {
      const row = batch.order[k]!;
      batch.read(row, this.#frame);
      decodePacket(this.#frame, this.#packet);
      if (flow && this.#isOther(flow, batch, row)) {
        this.#alive -= 1;
        this.#tell(flow);
        flow = null;
      }
      flow ??= this.#begin(batch, place, row);
      this.#take(batch, flow, row);
    }
    flow?.tcp?.keep();
  }

  /** Whether a packet belongs to another conversation over the same ports: after a silence, or by its SYN. Most are told by two numbers. */
  #isOther(flow: Flow, batch: Batch, row: number): boolean {
    const { flags } = this.#packet;
    if (batch.clockMs(row) - flow.lastClockMs > lingerMs && isOver(flow, batch.clockMs(row))) return true;
    return (flags & tcpFlag.syn) !== 0 && begunAnew(flow, this.#packet, batch.forward(row));
  }

  #take(batch: Batch, flow: Flow, row: number): void {
    const packet = this.#packet;
    const timeMs = batch.timeMs(row);
    const fromClient = batch.forward(row) === flow.clientFirst;
    flow.lastMs = timeMs;
    flow.lastClockMs = batch.clockMs(row);
    if (fromClient) {
      flow.clientPackets += 1;
      flow.clientOctets += this.#frame.originalLength;
    } else {
      flow.serverPackets += 1;
      flow.serverOctets += this.#frame.originalLength;
    }
    flow.features?.add(packet, timeMs, fromClient);
    if (flow.tcp && packet.fragment === 0 && packet.payloadBytes >= 0)
      flow.tcp.packet(packet, timeMs, fromClient, batch.number(row));
  }

  #begin(batch: Batch, place: number, row: number): Flow {
    this.begun += 1;
    this.#alive += 1;
    const packet = this.#packet;
    const number = batch.number(row);
    const timeMs = batch.timeMs(row);
    const fromClient = sentByClient(packet);
    const source = endText(packet, packet.sourceAt, packet.sourcePort);
    const destination = endText(packet, packet.destinationAt, packet.destinationPort);
    const isTcp = packet.protocol === 6;
    const flow: Flow = {
      number,
      clientFirst: batch.forward(row) === fromClient,
      protocol: packet.protocol,
      client: fromClient ? source : destination,
      server: fromClient ? destination : source,
      tunnel: packet.tunnel,
      startMs: timeMs,
      lastMs: timeMs,
      lastClockMs: batch.clockMs(row),
      clientPackets: 0,
      serverPackets: 0,
      clientOctets: 0,
      serverOctets: 0,
      tcp: null,
      sink: null,
      features: this.#handlers.tap?.begin() ?? null,
      ends: this.#handlers.tap ? addressesOf(packet, fromClient) : noAddresses,
      version: packet.version,
    };
    while (this.#flows.length <= place) this.#flows.push(null);
    this.#flows[place] = flow;
    if (!isTcp) return flow;
    flow.sink = this.#handlers.stream?.(number, () => flow.tcp!) ?? noStream;
    flow.tcp = new Connection(flow.sink, (event) => this.#handlers.event?.(number, event));
    return flow;
  }

  #sweep({ frames, clockMs }: BatchHead, ended: number[]): void {
    this.#sweptFrames = frames;
    this.#sweptBegun = this.begun;
    for (const [place, flow] of this.#flows.entries()) {
      if (!flow) continue;
      if (isOver(flow, clockMs)) {
        this.#end(place);
        ended.push(place);
      } else if (clockMs - flow.lastClockMs > settleMs) flow.tcp?.settle(clockMs);
    }
  }

  #end(place: number): void {
    const flow = this.#flows[place]!;
    this.#flows[place] = null;
    this.#alive -= 1;
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
      quic: flow.features?.quic?.report() ?? null,
    };
    const ends = { bytes: flow.ends, clientAt: 0, serverAt: 16, version: flow.version };
    this.#handlers.flow(record, flow.features && { summary: flow.features.end(), ends });
  }
}

function isOver({ tcp, lastClockMs }: Flow, clockMs: number): boolean {
  const silentMs = clockMs - lastClockMs;
  if (silentMs <= lingerMs) return false;
  return silentMs > (tcp ? (tcp.closed ? lingerMs : idleMs.tcp) : idleMs.other);
}

/** A SYN with another number than the one before is another connection over the same ports. */
function begunAnew({ tcp, clientFirst }: Flow, { flags, sequence }: Packet, forward: boolean): boolean {
  if (!tcp || (flags & (tcpFlag.syn | tcpFlag.ack)) !== tcpFlag.syn) return false;
  const sender = forward === clientFirst ? tcp.client : tcp.server;
  return sender.started && (sequence + 1) >>> 0 !== sender.first32 && (sender.hasSyn || tcp.closed);
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

/** Who began: by the handshake, else who has the higher port, as servers have the well-known ones. */
function sentByClient(packet: Packet): boolean {
  if (packet.protocol === 6 && (packet.flags & tcpFlag.syn) !== 0) return (packet.flags & tcpFlag.ack) === 0;
  return packet.sourcePort >= packet.destinationPort;
}
