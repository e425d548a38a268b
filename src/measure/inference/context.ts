import type { Exchange } from './exchange.ts';
import type { TrivialAnswers } from './floor.ts';
import type { PathContext } from './attribution.ts';
import type { ConnectionTrace } from '../../wire/tcp/connection.ts';

/** Round trips to one endpoint, collected over a run: the more there are, the surer the floor. */
export class RoundTrips {
  readonly #samplesMs: number[] = [];
  /** Asked for with every request of a run, so sorted only when something is new. */
  #spreadMs: number | null = null;

  /** Takes what a finished connection or request tells. */
  add(trace: ConnectionTrace, exchange?: Exchange): void {
    if (!exchange) {
      if (trace.synRetransmits === 0) this.addSample(trace.handshakeRttMs);
      return;
    }
    // On a connection in use the acknowledgement may ride on the answer (delayed ACK, RFC 1122): no round trip then.
    const last = exchange.sendings.at(-1);
    if (!exchange.reused && last?.leftMs != null && last.ackedMs != null) this.addSample(last.ackedMs - last.leftMs);
    this.addSample(exchange.shadowRttMs);
    this.addSample(trace.info.at(-1)?.info.minRttMs ?? null);
  }

  addSample(ms: number | null): void {
    if (ms === null || ms <= 0) return;
    this.#samplesMs.push(ms);
    this.#spreadMs = null;
  }

  get count(): number {
    return this.#samplesMs.length;
  }

  get minMs(): number | null {
    let min: number | null = null;
    for (const ms of this.#samplesMs) if (min === null || ms < min) min = ms;
    return min;
  }

  /**
   * A round trip that none on this path undercuts: the lowest seen, less what a lowest of n misses on average (the spread over
   * n + 1, as for a uniform distribution), and never less than the resolution of the stamps.
   */
  floorMs(): number | null {
    const min = this.minMs;
    if (min === null) return null;
    return Math.max(0, min - Math.max(0.1, this.spreadMs() / (this.count + 1)));
  }

  /** 99th percentile minus lowest. */
  spreadMs(): number {
    if (this.#spreadMs !== null || this.#samplesMs.length === 0) return this.#spreadMs ?? 0;
    const rising = Float64Array.from(this.#samplesMs).sort();
    const high = rising[Math.min(rising.length - 1, Math.floor(rising.length * 0.99))] as number;
    return (this.#spreadMs = high - (rising[0] as number));
  }
}

/** Mean tokens per delivery from which a stream counts as coming in bursts; a free stream has 1, a lossy one a little more. */
const burstTokens = 3;

/** How far apart the bursts of a stream are, ms; 0 when tokens come as they are made. */
export function burstIntervalMs(exchange: Exchange): number {
  const { tokens } = exchange;
  const first = tokens[0];
  const last = tokens.at(-1);
  if (!first || !last || tokens.length < 6) return 0;
  const arrivals: number[] = [];
  let delivery = -1;
  for (const token of tokens) {
    if (token.delivery === delivery) continue;
    // Deliveries that follow each other at once are one burst in several reads.
    if (arrivals.length === 0 || token.atMs - (arrivals.at(-1) as number) > 2) arrivals.push(token.atMs);
    delivery = token.delivery;
  }
  if (tokens.length / arrivals.length < burstTokens) return 0;
  if (arrivals.length < 2) return Math.max(1, last.atMs - exchange.handedMs);
  const gaps = arrivals.slice(1).map((at, i) => at - (arrivals[i] as number));
  // The first burst took as long to fill as its tokens took to make, at the pace of the whole stream.
  const inFirst = tokens.filter((t) => t.atMs - first.atMs <= 2).length;
  const paceMs = (last.atMs - first.atMs) / Math.max(1, tokens.length - inFirst);
  return burstSlack * Math.max(...gaps, inFirst * paceMs);
}

/** Least and most that is allowed for a server to get round to reading a request, ms. Own choice: an event loop with a few streams. */
const readDelay = { leastMs: 1, mostMs: 6 };
/** A server's code reads a large body piece by piece, this fast or faster, bytes per ms (25 MB/s). Own choice. */
const readBytesPerMs = 25_000;
/** A trivial answer that never comes faster than this beyond its round trip has a way behind it, or a slow gateway. Own choice. */
const behindMs = 3;
/** A request is larger than a trivial question and takes a little longer on the way behind. Own choice. */
const behindSlack = 1.07;
/** Pace and fill of a buffer vary: its first filling may take this much longer than what was seen of the others. Own choice. */
const burstSlack = 1.3;

/** How long a way behind whoever terminates TCP may be, by the trivial answers; on a new connection it may have to be opened first. */
function beyondMs(trivial: TrivialAnswers | null, reused: boolean, rttMs: number): number | null {
  if (trivial === null) return null;
  const least = Math.max(0, trivial.lowestMs - rttMs);
  if (least < behindMs) return least;
  return behindSlack * (Math.max(trivial.highestMs, reused ? 0 : trivial.coldMs) - rttMs) + behindMs;
}

/** The context of one request from what the run has collected so far. */
export function pathContext(input: {
  roundTrips: RoundTrips;
  trivial: TrivialAnswers | null;
  exchange: Exchange;
  terminated: boolean;
  loopLagMs: number;
  /** How unevenly the server writes, ms. */
  unevennessMs: number;
}): PathContext {
  const floorMs = input.roundTrips.floorMs();
  const rttMs = input.roundTrips.minMs ?? 0;
  return {
    rttFloorMs: floorMs,
    jitterMs: Math.max(1, input.roundTrips.spreadMs()),
    beyondMs: beyondMs(input.trivial, input.exchange.reused, rttMs),
    readDelayMs:
      input.exchange.requestBytes / readBytesPerMs +
      Math.min(
        readDelay.mostMs,
        Math.max(readDelay.leastMs, 2 * ((input.trivial?.typicalMs ?? 0) - rttMs), input.unevennessMs),
      ),
    terminated: input.terminated,
    burstMs: burstIntervalMs(input.exchange),
    loopLagMs: input.loopLagMs,
  };
}
