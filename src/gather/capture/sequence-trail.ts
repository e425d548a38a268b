import type { JudgedExchange, JudgedStall } from '../../model/capture/judged.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import type { SequenceMark, SequenceTrail } from '../../model/capture/sequence.ts';
import { withPort } from '../../stats/address.ts';
import { addressText } from '../../wire/ip.ts';
import { decodePacket } from '../../wire/packet/decode.ts';
import { newPacket, type Packet, tcpFlag } from '../../wire/packet/packet.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { CaptureAnalysis } from './analysis.ts';
import { TapClock } from './tap-clock.ts';
import type { TcpEvent } from './tcp/event.ts';

/** Packets of one picture; what is more is left out, and said. */
const mostMarks = 2000;
/** Longer answers are shown around their longest stall. */
const mostMs = 15_000;
const aroundMs = 5000;

interface Watched {
  trail: SequenceTrail;
  client: string;
  server: string;
  fromMs: number;
  toMs: number;
  /** Number of the server's first octet; -1: none was seen. */
  first: number;
  /** Highest offset so far, to unwrap by. */
  highest: number;
  marks: Map<number, SequenceMark>;
  /** The tap that saw it; 0: not known before its first frame comes. */
  tap: number;
}

/**
 * Sequence numbers against time for one answer of each of a few conversations: a second look at the files, for the first cannot know which
 * will be the worst. What was sent again or overtaken is judged by the same engine, on the packets of these conversations alone.
 */
export class SequenceTrails {
  readonly trails: readonly SequenceTrail[];
  readonly #watched: Watched[];
  readonly #ports = new Set<number>();
  readonly #packet = newPacket();
  readonly #analysis: CaptureAnalysis;
  readonly #clock = new TapClock();
  /** Of the whole capture; the analysis counts those that are looked at. */
  #frames = 0;

  /** @param flows each with a streamed answer */
  constructor(flows: readonly FlowWithExchanges[], seed: number) {
    this.#watched = flows.flatMap((flow) => watchedOf(flow) ?? []);
    this.trails = this.#watched.map(({ trail }) => trail);
    for (const { client, server } of this.#watched) this.#ports.add(portsKey(portOf(client), portOf(server)));
    this.#analysis = new CaptureAnalysis({ flow: () => undefined, event: (_, event) => this.#event(event) }, seed);
  }

  /** What comes is of another file. */
  beginFile(): void {
    this.#clock.beginFile();
    this.#analysis.beginFile();
  }

  /** Every frame of the capture, in its order. */
  frame(frame: Frame): void {
    const packet = this.#packet;
    this.#clock.turn();
    const ms = this.#clock.see(frame);
    const { taps } = this.#clock;
    this.#frames += 1;
    for (const one of this.#watched) if (one.trail.flow === this.#frames) one.tap = taps;
    if (!decodePacket(frame, packet) || packet.inError || packet.protocol !== 6 || packet.fragment !== 0) return;
    if (!this.#ports.has(portsKey(packet.sourcePort, packet.destinationPort))) return;
    const source = endText(packet, packet.sourceAt, packet.sourcePort);
    const destination = endText(packet, packet.destinationAt, packet.destinationPort);
    const ours = this.#watched.filter(
      ({ client, server, tap }) =>
        tap === taps &&
        ((client === source && server === destination) || (client === destination && server === source)),
    );
    if (ours.length === 0) return;
    // Its mark has to be there before it is judged.
    const number = this.#analysis.sorted.frames + 1;
    for (const one of ours) take(one, packet, ms, one.server === source, number);
    this.#analysis.frame(frame);
  }

  finish(): void {
    this.#analysis.finish();
  }

  #event(event: TcpEvent): void {
    if (event.from !== 'server') return;
    for (const { marks } of this.#watched) {
      const mark = marks.get(event.frameNumber);
      if (!mark) continue;
      if (event.kind === 'reordering') mark.kind = 'overtaken';
      else if (event.kind === 'retransmission')
        mark.kind = event.spurious ? 'needless' : event.original === 'seen' ? 'again' : 'again-unseen';
    }
  }
}

function watchedOf(flow: FlowWithExchanges): Watched | null {
  const streamed = flow.exchanges.filter(({ shape }) => shape === 'stream');
  if (streamed.length === 0) return null;
  const worst = streamed.reduce((a, b) => (stalledMs(b) > stalledMs(a) ? b : a));
  const [fromMs, toMs] = windowOf(worst);
  const stalls = worst.stalls.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
  return {
    trail: { flow: flow.number, fromMs, toMs, marks: [], acknowledged: [], stalls, leftOut: 0 },
    client: flow.client,
    server: flow.server,
    fromMs,
    toMs,
    first: -1,
    highest: 0,
    marks: new Map(),
    tap: 0,
  };
}

function stalledMs({ stalls }: JudgedExchange): number {
  return stalls.reduce((sum, { gapMs }) => sum + gapMs, 0);
}

function windowOf({ requestEndMs, firstByteMs, endMs, stalls }: JudgedExchange): [number, number] {
  const from = requestEndMs ?? firstByteMs ?? endMs;
  const longest = stalls.reduce<JudgedStall | null>((a, b) => (a && a.gapMs >= b.gapMs ? a : b), null);
  if (endMs - from <= mostMs || !longest) return [from, Math.min(endMs, from + mostMs)];
  return [Math.max(from, longest.startMs - aroundMs), Math.min(endMs, longest.startMs + mostMs - aroundMs)];
}

function take(one: Watched, packet: Packet, ms: number, fromServer: boolean, number: number): void {
  const { trail } = one;
  if (fromServer) {
    const isSyn = (packet.flags & tcpFlag.syn) !== 0;
    if (isSyn) [one.first, one.highest] = [(packet.sequence + 1) >>> 0, 0];
    else if (one.first < 0) one.first = packet.sequence;
  }
  if (one.first < 0 || ms < one.fromMs || ms > one.toMs) {
    if (fromServer && one.first >= 0) one.highest = Math.max(one.highest, unwrap(one, packet.sequence));
    return;
  }
  if (trail.marks.length + trail.acknowledged.length >= 2 * mostMarks) trail.leftOut += 1;
  else if (!fromServer) {
    if ((packet.flags & tcpFlag.ack) !== 0)
      trail.acknowledged.push({ ms, offset: unwrap(one, packet.acknowledgement) });
  } else if (packet.payloadBytes > 0) {
    const offset = unwrap(one, packet.sequence);
    one.highest = Math.max(one.highest, offset);
    const mark: SequenceMark = { ms, offset, octets: packet.payloadBytes, kind: 'first' };
    one.marks.set(number, mark);
    trail.marks.push(mark);
  }
}

/** Octets since the first, nearest to the highest so far. */
function unwrap({ first, highest }: Watched, number: number): number {
  const near = (number - ((first + highest) >>> 0)) | 0;
  return highest + near;
}

function portsKey(a: number, b: number): number {
  return Math.min(a, b) * 65_536 + Math.max(a, b);
}

function portOf(place: string): number {
  return Number(place.slice(place.lastIndexOf(':') + 1));
}

function endText({ bytes, version }: Packet, at: number, port: number): string {
  return withPort(addressText(bytes.subarray(at, at + (version === 6 ? 16 : 4))), port);
}
