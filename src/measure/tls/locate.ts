import type { TlsLocation } from '../../model/secure/tls-survey.ts';
import { errnoOf } from '../../wire/error-queue.ts';
import { type HopLimitedTcp, openHopLimitedTcp } from '../../wire/hop-limited-tcp.ts';
import type { Io } from '../../wire/io.ts';
import { openSynProbe, type SynProbe, type SynRequest } from '../../wire/syn-probe.ts';
import type { TcpTarget } from '../../wire/tcp/connection.ts';
import { segmentsOf } from './segments.ts';
import type { StartTls } from './starttls.ts';

/** What fails, and what passes, as the octets that are written one after the other. */
interface Written {
  id: string;
  failing: readonly Uint8Array[];
  passing: Uint8Array;
}

interface LocateOptions {
  target: TcpTarget;
  starttls: StartTls | null;
  timeoutMs: number;
  /** Largest segment of a connection to the target; null where it is not known. */
  mssBytes: number | null;
  /** Waits for its turn before each connection. */
  pace: () => Promise<void>;
}

/** How a segment fared whose hop limit ended at some hop. */
type Fate = 'expired' | 'silent' | 'refused' | 'reset' | 'closed' | 'data' | 'failed';

interface Hop {
  ttl: number;
  address: string | null;
}

const maxHops = 30;
/** Ethernet without options. */
const usualMssBytes = 1460;
/** SYNs at the same time: few enough not to meet a router's limit of ICMP errors. */
const window = 4;
/** A silence counts when it was met so many times. */
const tries = 3;
const pollMs = 2;
/** Between two segments of one ClientHello. */
const gapMs = 30;

/**
 * Behind which hop a ClientHello dies that does not arrive. SYNs with a hop limit show the routers (none of them completes a
 * handshake); then each segment of the ClientHello is sent on a connection that stands, with a hop limit of its own. A router at
 * which that runs out answers before it would forward, so the last one that answers still gets the segment. Needs no privilege.
 */
export async function locateFailure(
  written: Written,
  options: LocateOptions,
  io: Io,
  signal: AbortSignal,
  open: Openers = kernel,
): Promise<TlsLocation> {
  const base = { form: written.id, how, connections: 0, hops: [] };
  if (io.platform !== 'linux')
    return unknownPlace(base, `on ${io.platform} the hop limit of a connection cannot be set from here`);
  if (options.starttls) return unknownPlace(base, `behind STARTTLS (${options.starttls}) it is not followed`);
  const asker = new HopAsker(options, io, signal, open);
  try {
    const found = await find(asker, written, options.mssBytes ?? usualMssBytes);
    return { ...base, ...found, connections: asker.connections, hops: asker.hops };
  } catch (error) {
    const why = signal.aborted ? 'interrupted' : `the kernel refuses: ${errnoOf(error)}`;
    return unknownPlace({ ...base, connections: asker.connections, hops: asker.hops }, why);
  }
}

const how = 'TCP connections whose ClientHello has a hop limit; routers by SYNs with a hop limit (ICMP by IP_RECVERR)';

type Place = Omit<TlsLocation, 'form' | 'how' | 'connections' | 'hops'>;

const nowhere = { afterTtl: null, afterAddress: null, beforeTtl: null, beforeAddress: null, confidence: null } as const;
const unknownPlace = <T extends object>(base: T, why: string): T & Place => ({
  ...base,
  kind: 'unknown',
  ...nowhere,
  why,
});

async function find(asker: HopAsker, { failing, passing }: Written, mssBytes: number): Promise<Place> {
  const targetTtl = await asker.findHops();
  if (targetTtl === null)
    return unknownPlace({}, `no SYN with a hop limit of up to ${maxHops} was answered by the target`);
  const segments = segmentsOf(failing, mssBytes);
  const unlimited = await asker.fateOf(segments, segments.length - 1, null);
  if (unlimited === 'data') return unknownPlace({}, 'it does not fail when each of its segments is written by itself');
  if (unlimited === 'expired')
    return unknownPlace(
      {},
      'somebody refuses it by ICMP, which looks like a hop limit that ran out; tcpdump shows who',
    );
  const routers = asker.hops.filter(({ ttl, address }) => ttl < targetTtl && address !== null);
  if (routers.length === 0)
    return targetTtl === 1
      ? beyond(null, { ttl: 1, address: asker.address }, 'there is no router between here and the server', 'high')
      : unknownPlace({}, `none of the ${targetTtl - 1} routers before the server answers`);
  for (const [i] of segments.entries()) {
    // What answers to the segments before would be taken for an answer to this one.
    if (i > 0 && (await asker.fateOf(segments, i - 1, ALL_THE_WAY)) !== 'silent') break;
    const border = await asker.borderOf(segments, i, routers);
    if (border) return placeOf(asker, border, { segment: i + 1, of: segments.length }, passing);
  }
  const last = routers.at(-1)!;
  const isNext = last.ttl === targetTtl - 1;
  return beyond(
    last,
    { ttl: targetTtl, address: asker.address },
    `all of it still comes to hop ${last.ttl}${isNext ? ', the last router' : `; what stands between that and hop ${targetTtl} answers nothing`}`,
    isNext ? 'high' : 'medium',
  );
}

const beyond = (after: Hop | null, before: Hop, why: string, confidence: Place['confidence']): Place => ({
  kind: 'at-the-server',
  ...ends(after, before),
  confidence,
  why,
});

const ends = (after: Hop | null, before: Hop) => ({
  afterTtl: after?.ttl ?? 0,
  afterAddress: after?.address ?? null,
  beforeTtl: before.ttl,
  beforeAddress: before.address,
});

interface Border {
  /** The last router that still gets the segment; null: not even the first one does. */
  after: Hop | null;
  before: Hop;
  fate: Fate;
}

/** The place, and how sure it is: the next router has to answer when what passes ends there, or its silence says nothing. */
async function placeOf(
  asker: HopAsker,
  { after, before, fate }: Border,
  { segment, of }: { segment: number; of: number },
  passing: Uint8Array,
): Promise<Place> {
  const speaks = (await asker.fateInTries([passing], 0, before.ttl)) === 'expired';
  const gap = before.ttl - (after?.ttl ?? 0) - 1;
  const which = of === 1 ? 'it' : `segment ${segment} of ${of}`;
  const silentBetween = gap > 0 ? `; ${gap === 1 ? 'one hop' : `${gap} hops`} in between answers nothing` : '';
  const why = `${which} still comes to ${after ? `hop ${after.ttl}` : 'no router'}; with one that ends at hop ${before.ttl}, ${met[fate]}${speaks ? ', while a small ClientHello that ends there is answered' : ', and a small ClientHello that ends there is not answered either'}${silentBetween}`;
  // Somebody in the middle who answers is there, whatever the router says.
  const isSure = speaks || fate !== 'silent';
  return { kind: 'between', ...ends(after, before), confidence: !isSure ? 'low' : gap > 0 ? 'medium' : 'high', why };
}

const met: Record<Fate, string> = {
  silent: 'nothing comes back',
  refused: 'an ICMP error comes back: port unreachable',
  reset: 'a reset comes back',
  closed: 'the connection is closed',
  data: 'somebody answers',
  expired: 'it is answered',
  failed: 'there is no connection',
};

interface Openers {
  syn: (request: SynRequest) => SynProbe;
  tcp: (address: string, port: number) => HopLimitedTcp;
}
const kernel: Openers = { syn: openSynProbe, tcp: openHopLimitedTcp };

class HopAsker {
  readonly hops: Hop[] = [];
  readonly address: string;
  connections = 0;
  #rttMs = 0;
  readonly #options: LocateOptions;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #open: Openers;

  constructor(options: LocateOptions, io: Io, signal: AbortSignal, open: Openers) {
    this.#options = options;
    this.#io = io;
    this.#signal = signal;
    this.#open = open;
    this.address = options.target.address;
  }

  /** The routers on the way. @returns the distance of the target; null when it is not met */
  async findHops(): Promise<number | null> {
    for (let first = 1; first <= maxHops; first += window) {
      const found = await Promise.all(Array.from({ length: window }, (_, i) => this.#synTo(first + i)));
      for (const [i, answer] of found.entries()) {
        const ttl = first + i;
        if (answer === 'target') return ttl;
        this.hops.push({ ttl, address: answer.router });
      }
    }
    return null;
  }

  /** Where a segment stops between two neighbours of the routers that answer; null when it comes to the last of them. */
  async borderOf(segments: readonly Uint8Array[], index: number, routers: readonly Hop[]): Promise<Border | null> {
    let low = -1;
    let high = routers.length;
    let fate: Fate = 'silent';
    // The last one first: mostly it comes to all of them.
    for (let at = routers.length - 1; high - low > 1; at = Math.floor((low + high) / 2)) {
      const seen = await this.fateInTries(segments, index, routers[at]!.ttl);
      if (seen === 'expired') low = at;
      else [high, fate] = [at, seen];
    }
    return high === routers.length ? null : { after: routers[low] ?? null, before: routers[high]!, fate };
  }

  async fateInTries(segments: readonly Uint8Array[], index: number, ttl: number): Promise<Fate> {
    let fate: Fate = 'failed';
    for (let i = 0; i < tries; i++) {
      fate = await this.fateOf(segments, index, ttl);
      if (fate !== 'silent' && fate !== 'failed') break;
    }
    return fate;
  }

  /** Sends the segments up to one, and that with a hop limit (null: all the way). */
  async fateOf(segments: readonly Uint8Array[], index: number, ttl: number | null): Promise<Fate> {
    await this.#turn();
    const { address, port } = this.#options.target;
    const tcp = this.#open.tcp(address, port);
    try {
      const connected = await this.#next(tcp, this.#options.timeoutMs);
      if (connected?.kind !== 'connected') return 'failed';
      this.#rttMs = connected.rttMs;
      for (const [i, segment] of segments.slice(0, index + 1).entries()) {
        if (i > 0) await this.#io.clock.sleep(gapMs, this.#signal);
        if (!sent(tcp, segment, i === index && ttl !== null ? ttl : ALL_THE_WAY)) return 'reset';
      }
      // Long enough for the kernel to send it again, after a round trip and 200 ms: see openHopLimitedTcp().
      const event = await this.#next(tcp, ttl === null ? this.#options.timeoutMs : this.#rttMs + answerMs);
      return event === null ? 'silent' : event.kind === 'connected' ? 'failed' : event.kind;
    } finally {
      tcp.close();
    }
  }

  async #synTo(ttl: number): Promise<{ router: string | null } | 'target'> {
    const { address, port } = this.#options.target;
    for (let i = 0; i < 2; i++) {
      await this.#turn();
      const probe = this.#open.syn({ address, port, hops: ttl, reset: true });
      try {
        const result = await this.#poll(() => probe.poll(), Math.min(this.#options.timeoutMs, synMs));
        if (result?.kind === 'accepted' || result?.kind === 'refused') return 'target';
        if (result?.kind === 'icmp') return result.by === address ? 'target' : { router: result.by };
      } finally {
        probe.close();
      }
    }
    return { router: null };
  }

  #next(tcp: HopLimitedTcp, forMs: number) {
    return this.#poll(() => tcp.poll(), forMs);
  }

  async #poll<T>(look: () => T | null, forMs: number): Promise<T | null> {
    const untilMs = this.#io.clock.monoMs() + forMs;
    for (;;) {
      // What is there is taken, however late this thread comes to look.
      const seen = look();
      if (seen !== null || this.#io.clock.monoMs() >= untilMs) return seen;
      await this.#io.clock.sleep(pollMs, this.#signal);
    }
  }

  async #turn(): Promise<void> {
    await this.#options.pace();
    this.#signal.throwIfAborted();
    this.connections++;
  }
}

/** False where somebody reset the connection because of what was sent before. */
function sent(tcp: HopLimitedTcp, segment: Uint8Array, hops: number): boolean {
  try {
    tcp.send(segment, hops);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EPIPE' || errnoOf(error) === 'ECONNRESET') return false;
    throw error;
  }
}

const ALL_THE_WAY = 64;
const answerMs = 320;
/** Below the second after which a SYN is sent again. */
const synMs = 900;
