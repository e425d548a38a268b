import type { MtuHop } from '../../model/mtu.ts';
import type { Io } from '../../wire/io.ts';
import type { SizeProbe } from '../../wire/size-probe.ts';

/** What one hop, or the target, answered to small and to large packets whose TTL ended there. */
export interface HopAnswers {
  ttl: number;
  address: string | null;
  /** The target itself answered the small packet. */
  target: boolean;
  small: boolean;
  large: boolean;
}

export interface LocateOptions {
  smallBytes: number;
  /** A size that does not fit the path. */
  largeBytes: number;
  address: string;
  maxHops: number;
  /** Wait for the answers of one round, ms. */
  waitMs: number;
  /** Tries per hop and size. */
  rounds: number;
}

/** TTLs that are asked at once: enough to be quick, few enough not to meet the ICMP rate limit of one router. */
const WINDOW = 8;
/** Silent hops in a row after which the target is not expected any more. */
const SILENT_HOPS = 5;
const POLL_MS = 1;
const PACE_MS = 2;

/**
 * Sends small and large packets with every TTL up to the target. A router at which the TTL runs out answers before it would
 * have to forward: so the last one that answers large packets is the one that still gets them.
 */
export async function askHops(
  socket: SizeProbe,
  io: Io,
  signal: AbortSignal,
  options: LocateOptions,
): Promise<HopAnswers[]> {
  const asker = new Asker(socket, io, signal, options);
  let known = 0;
  // Windows of small packets outwards, until the target answers or too many hops in a row do not.
  for (let end = 0; end < options.maxHops && !asker.done(end) && !signal.aborted; known = end) {
    end = Math.min(options.maxHops, end + WINDOW);
    await asker.ask('small', range(known + 1, end));
  }
  await asker.ask('large', range(1, asker.lastAnswered()));
  return asker.hops();
}

/**
 * Where packets get lost, from the answers of the hops; null when nothing beyond the last large answer speaks at all.
 * @param lossShare loss of packets that fit: the more there is, the less a silence says
 */
export function whereLost(
  hops: readonly HopAnswers[],
  { rounds, lossShare, echo }: { rounds: number; lossShare: number; echo: boolean },
): MtuHop | null {
  const after = hops.findLast((hop) => hop.large);
  const afterTtl = after?.ttl ?? 0;
  const beyond = hops.filter((hop) => hop.small && hop.ttl > afterTtl);
  const [before] = beyond;
  // The target answers large packets: so they arrive, and the limit is not on this way.
  if (!before || after?.target) return null;
  const silent = before.ttl - afterTtl - 1;
  const chance = lossShare ** (rounds * beyond.length);
  const onlyTarget = before.target;
  const confidence =
    silent === 0 && chance < 0.01
      ? onlyTarget && echo
        ? 'medium'
        : 'high'
      : silent <= 1 && chance < 0.05
        ? 'medium'
        : 'low';
  const why = [
    `large packets are answered up to hop ${afterTtl}, small ones also by ${beyond.length === 1 ? `hop ${before.ttl}` : `${beyond.length} hops from ${before.ttl} on`}`,
    ...(silent > 0
      ? [`${silent === 1 ? 'one hop' : `${silent} hops`} in between ${silent === 1 ? 'answers' : 'answer'} nothing`]
      : []),
    ...(onlyTarget && echo ? ['the answer of the target is as large as the question, so it may be the way back'] : []),
  ].join('; ');
  return {
    afterTtl,
    afterAddress: after?.address ?? null,
    beforeTtl: before.ttl,
    beforeAddress: before.address,
    confidence,
    why,
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

class Asker {
  readonly #socket: SizeProbe;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #options: LocateOptions;
  readonly #hops = new Map<number, HopAnswers>();
  readonly #sent = new Map<number, { ttl: number; size: 'small' | 'large' }>();
  #sequence: number;

  constructor(socket: SizeProbe, io: Io, signal: AbortSignal, options: LocateOptions) {
    this.#socket = socket;
    this.#io = io;
    this.#signal = signal;
    this.#options = options;
    this.#sequence = Math.floor(io.random.next() * 0x10000);
  }

  /** Asks each hop until it answered or all rounds are over. */
  async ask(size: 'small' | 'large', ttls: readonly number[]): Promise<void> {
    for (let round = 0; round < this.#options.rounds && !this.#signal.aborted; round++) {
      const open = () => ttls.filter((ttl) => !this.#settled(ttl, size));
      if (open().length === 0) return;
      for (const ttl of open()) {
        this.#send(ttl, size);
        await this.#sleep(PACE_MS);
        this.#drain();
      }
      const untilMs = this.#io.clock.monoMs() + this.#options.waitMs;
      while (open().length > 0 && this.#io.clock.monoMs() < untilMs && !this.#signal.aborted) {
        await this.#sleep(POLL_MS);
        this.#drain();
      }
    }
  }

  /** The target was reached, or the hops up to `end` end in silence. */
  done(end: number): boolean {
    if (this.hops().some((hop) => hop.target)) return true;
    return end > 0 && end - this.lastAnswered() >= SILENT_HOPS;
  }

  lastAnswered(): number {
    return this.hops().findLast((hop) => hop.small)?.ttl ?? 0;
  }

  /** By TTL, up to the first at which the target answered. */
  hops(): HopAnswers[] {
    const all = [...this.#hops.values()].toSorted((a, b) => a.ttl - b.ttl);
    const end = all.findIndex((hop) => hop.target);
    return end === -1 ? all : all.slice(0, end + 1);
  }

  /** A hop nearer than one that got a large packet need not be asked: the packet has passed it. */
  #settled(ttl: number, size: 'small' | 'large'): boolean {
    if (size === 'small') return this.#hop(ttl).small;
    return [...this.#hops.values()].some((hop) => hop.large && hop.ttl >= ttl);
  }

  #hop(ttl: number): HopAnswers {
    const known = this.#hops.get(ttl);
    if (known) return known;
    const fresh = { ttl, address: null, target: false, small: false, large: false };
    this.#hops.set(ttl, fresh);
    return fresh;
  }

  #send(ttl: number, size: 'small' | 'large'): void {
    this.#sequence = (this.#sequence + 1) % 0x10000;
    this.#sent.set(this.#sequence, { ttl, size });
    try {
      this.#socket.send({
        sequence: this.#sequence,
        sizeBytes: size === 'small' ? this.#options.smallBytes : this.#options.largeBytes,
        hops: ttl,
      });
    } catch {
      // What cannot be sent is not answered either: the hop stays silent.
      this.#sent.delete(this.#sequence);
    }
  }

  #drain(): void {
    this.#socket.drain({
      arrived: (sequence) => this.#answered(sequence, this.#options.address, true),
      expired: (sequence, by) => this.#answered(sequence, by, false),
      tooBig: () => undefined,
      unreachable: () => undefined,
    });
  }

  #answered(sequence: number | null, by: string, target: boolean): void {
    const probe = sequence === null ? undefined : this.#sent.get(sequence);
    if (!probe) return;
    const hop = this.#hop(probe.ttl);
    hop[probe.size] = true;
    hop.address ??= by;
    hop.target ||= target;
  }

  async #sleep(ms: number): Promise<void> {
    await this.#io.clock.sleep(ms, this.#signal).catch(() => undefined);
  }
}
