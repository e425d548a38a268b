import type { QuicReport } from '../../../model/capture/quic.ts';
import type { Packet } from '../../../wire/packet/packet.ts';
import { newQuicHeader, type QuicKind, readQuic } from '../../../wire/quic.ts';
import { bucketQuantile, bucketsFor, halfOctave } from './log-buckets.ts';
import { SpinBit } from './spin-bit.ts';

const header = newQuicHeader();
/** Packets of one datagram that are looked at: more than any sender puts into one. */
const mostCoalesced = 8;
const mostVersions = 8;
const gapBuckets = bucketsFor(24);
const gapsPerMs = 64;
const order: readonly QuicKind[] = [
  'initial',
  'zero-rtt',
  'handshake',
  'retry',
  'version-negotiation',
  'other-version',
  'short',
];
const orderOf = Object.fromEntries(order.map((kind, i) => [kind, i])) as Record<QuicKind, number>;

/** One flow of QUIC. Memory is fixed, nothing is made per packet. */
export class QuicFlow {
  readonly #kinds = new Uint32Array(order.length);
  readonly #versions: number[] = [];
  readonly #idBytes = [-1, -1];
  readonly #spin = new SpinBit();
  readonly #gaps = new Uint32Array(2 * gapBuckets);
  readonly #lastMs = [NaN, NaN];
  #notQuic = 0;
  readonly #isAssumed: boolean;

  private constructor(isAssumed: boolean) {
    this.#isAssumed = isAssumed;
  }

  /** Null where the first datagram of a UDP flow is no QUIC. One with a short header is believed only on port 443. */
  static recognise(packet: Packet): QuicFlow | null {
    const end = packet.payloadAt + packet.capturedBytes;
    if (!readQuic(packet.bytes, packet.payloadAt, end, header)) return null;
    if (header.kind === 'short') {
      const isUsual = packet.sourcePort === 443 || packet.destinationPort === 443;
      return isUsual && packet.payloadBytes >= 21 ? new QuicFlow(true) : null;
    }
    // The shape of a long header is met by one in some hundred random datagrams, and that of a known version by none.
    return header.kind === 'other-version' ? null : new QuicFlow(false);
  }

  add(packet: Packet, timeMs: number, fromClient: boolean): void {
    const side = fromClient ? 0 : 1;
    this.#gap(side, timeMs);
    const end = packet.payloadAt + packet.capturedBytes;
    let at = packet.payloadAt;
    for (let i = 0; i < mostCoalesced && at < end; i++) {
      if (!readQuic(packet.bytes, at, end, header)) {
        // Octets behind a packet may be padding.
        if (i === 0) this.#notQuic++;
        return;
      }
      this.#kinds[orderOf[header.kind]]!++;
      if (header.kind === 'short') this.#spin.add(header.spin, timeMs, fromClient);
      else this.#long(side);
      if (header.nextAt <= at) return;
      at = header.nextAt;
    }
  }

  #long(side: 0 | 1): void {
    if (header.kind !== 'version-negotiation') this.#idBytes[side] = header.sourceIdBytes;
    if (header.version === 0 || this.#versions[this.#versions.length - 1] === header.version) return;
    if (this.#versions.length < mostVersions && !this.#versions.includes(header.version))
      this.#versions.push(header.version);
  }

  #gap(side: 0 | 1, timeMs: number): void {
    const gapMs = timeMs - this.#lastMs[side]!;
    this.#lastMs[side] = timeMs;
    if (gapMs >= 0)
      this.#gaps[side * gapBuckets + Math.min(gapBuckets - 1, halfOctave(Math.min(2 ** 30, gapsPerMs * gapMs)))]!++;
  }

  report(): QuicReport {
    const count = (kind: QuicKind) => this.#kinds[orderOf[kind]]!;
    const id = (bytes: number) => (bytes < 0 ? null : bytes);
    const gap = (side: 0 | 1, p: number) => {
      const steps = bucketQuantile(this.#gaps, side * gapBuckets, gapBuckets, p);
      return steps === null ? null : steps / gapsPerMs;
    };
    return {
      versions: this.#versions.map((version) => `0x${version.toString(16).padStart(8, '0')}`),
      connectionIdBytes: { client: id(this.#idBytes[0]!), server: id(this.#idBytes[1]!) },
      packets: {
        initial: count('initial'),
        zeroRtt: count('zero-rtt'),
        handshake: count('handshake'),
        retry: count('retry'),
        versionNegotiation: count('version-negotiation'),
        otherVersion: count('other-version'),
        short: count('short'),
      },
      spin: this.#spin.result(),
      gaps: { clientP50Ms: gap(0, 0.5), serverP50Ms: gap(1, 0.5), serverP99Ms: gap(1, 0.99) },
      lost: null,
      how: this.#how(),
    };
  }

  #how(): string[] {
    const how = ['packet numbers are encrypted: loss and reordering cannot be seen'];
    if (this.#isAssumed)
      how.push('taken for QUIC by its port and first bits: its beginning was not captured, nor a long header first');
    if (this.#notQuic > 0) how.push(`${this.#notQuic} datagrams are no QUIC`);
    return how;
  }
}
