import { minimumMtu } from '../../model/mtu-hints.ts';
import { chooseSize } from './choose.ts';

/**
 * The search of DPLPMTUD (RFC 8899 §5) as a machine without sockets or time: next() says which size to send, take() hears what
 * became of it. Only an acknowledgement raises the result, so it is never above what the path really carries. ICMP helps when
 * it is there and can neither be missed nor lie: "packet too big" is a hint where to look, and what it says is probed, too.
 *
 * Silence may be loss. Every silent probe is followed by one of a size that is known to fit; a size counts as too big when the
 * chance that mere loss took all its probes, by the loss of the sizes that fit, is at most ALPHA, and not before
 * `probesPerSize` (MAX_PROBES) of them.
 */
export interface SearchOptions {
  family: 4 | 6;
  /** Largest size to try, octets of the whole IP packet: the MTU of the own interface, or what was asked for. */
  maxBytes: number;
  /** Smallest packet that the transport can make. */
  leastBytes?: number;
  /** MAX_PROBES of RFC 8899 §5.1.2. */
  probesPerSize: number;
}

export type Reply =
  | { kind: 'acked' }
  /** ICMP 3/4 (RFC 1191) or ICMPv6 2 (RFC 8201); `mtuBytes` is null where the router named none. */
  | { kind: 'tooBig'; by: string; mtuBytes: number | null }
  | { kind: 'silent' };

export interface Step {
  sizeBytes: number;
  /** control: of a size that fits, sent to tell loss from a limit. */
  purpose: 'base' | 'search' | 'control';
  /** Wait so long first: answers that are rationed come back with time. */
  pauseMs: number;
}

/** What became of all probes of one size. */
export interface SizeTally {
  sizeBytes: number;
  sent: number;
  acked: number;
  tooBig: number;
  silent: number;
  /** Who said "too big" last, and which MTU. */
  by: string | null;
  saidMtuBytes: number | null;
}

export interface PacketTooBig {
  by: string;
  mtuBytes: number | null;
  probedBytes: number;
}

export interface SearchResult {
  state: 'base' | 'searching' | 'complete' | 'error';
  /** Largest size that was acknowledged; null when none was. */
  confirmedBytes: number | null;
  /** Smallest size above it that does not fit; null when the largest size that may be sent fits. */
  refutedBytes: number | null;
  /** The "packet too big" that explains the limit; null when none does. */
  saidBy: PacketTooBig | null;
  /** Chance that loss alone explains the silence at `refutedBytes`; 0 where ICMP said so, null where nothing is refuted. */
  chanceOfLoss: number | null;
  /** Share lost of the packets whose size fits. */
  loss: { sent: number; lost: number };
  /** Messages that no honest router on the path sends: not below the size probed, or below what is known to fit. */
  ignoredTooBig: number;
  tallies: SizeTally[];
  probes: number;
}

/** BASE_PLPMTU (RFC 8899 §5.1.2): every path of today carries it. */
const BASE_BYTES = 1200;
/** Chance up to which silence is taken for a limit. */
const ALPHA = 0.01;
/** Beyond so many silent probes of one size the loss is too high to tell; the result then says so. */
const MOST_PER_SIZE = 16;
const MOST_PROBES = 400;
/** Guesses by weight before plain halving, which bounds the number of sizes by this and 16 more. */
const WEIGHTED_CHOICES = 14;
/** Hints that are followed: a liar cannot lead the search up octet by octet. */
const MOST_HINTS = 8;
/** Linux sends one "port unreachable" a second and destination once the first six are spent (net.ipv4.icmp_ratelimit). */
const RATION_PAUSE_MS = 1000;
/** Smallest IPv6 probe: well below 1280, to see whether anything answers at all. */
const SMALLEST_V6 = 128;

export class MtuSearch {
  readonly #options: SearchOptions;
  readonly #tallies = new Map<number, SizeTally>();
  readonly #refuted = new Map<number, PacketTooBig | 'silence'>();
  readonly #smallest: number;
  readonly #base: number;
  #low: number | null = null;
  #target: number;
  #hint: number | null = null;
  #controlOwed = false;
  #controlsSilent = 0;
  #choices = 0;
  #hints = 0;
  #probes = 0;
  #ignored = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
    const smallest = options.family === 4 ? minimumMtu(4) : SMALLEST_V6;
    this.#smallest = Math.min(options.maxBytes, Math.max(smallest, options.leastBytes ?? 0));
    this.#base = Math.min(options.maxBytes, options.family === 4 ? BASE_BYTES : minimumMtu(6));
    this.#target = this.#base;
  }

  /** The probe to send now; null when the search is over. */
  next(): Step | null {
    if (this.#probes >= MOST_PROBES || this.#state() === 'complete' || this.#state() === 'error') return null;
    this.#probes++;
    if (this.#controlOwed) {
      const pauseMs = this.#controlsSilent > 0 && this.#low !== null ? RATION_PAUSE_MS : 0;
      return { sizeBytes: this.#low ?? this.#smallest, purpose: 'control', pauseMs };
    }
    this.#aim();
    const purpose = this.#low === null ? 'base' : 'search';
    const pauseMs = this.#controlsSilent > 0 && this.#low !== null ? RATION_PAUSE_MS : 0;
    return { sizeBytes: this.#target, purpose, pauseMs };
  }

  /** What became of a probe. A late acknowledgement, after the probe was given up, is welcome: it raises the result. */
  take(sizeBytes: number, reply: Reply): void {
    const tally = this.#tally(sizeBytes);
    switch (reply.kind) {
      case 'acked':
        tally.acked++;
        return this.#acked(sizeBytes);
      case 'tooBig':
        return this.#tooBig(tally, reply);
      case 'silent':
        return this.#silent(tally);
    }
  }

  /** A probe was sent: counted here, so that what is still on the way when the user stops is not taken for lost. */
  sent(sizeBytes: number): void {
    this.#tally(sizeBytes).sent++;
  }

  result(): SearchResult {
    const refutedBytes = this.#high() > this.#options.maxBytes ? null : this.#high();
    return {
      state: this.#state(),
      confirmedBytes: this.#low,
      refutedBytes,
      saidBy: this.#saidBy(refutedBytes),
      chanceOfLoss: this.#chanceOfLoss(refutedBytes),
      loss: this.#loss(),
      ignoredTooBig: this.#ignored,
      tallies: [...this.#tallies.values()].toSorted((a, b) => b.sizeBytes - a.sizeBytes),
      probes: this.#probes,
    };
  }

  #acked(sizeBytes: number): void {
    if (sizeBytes === this.#target || sizeBytes === this.#low) this.#controlOwed = false;
    this.#controlsSilent = 0;
    this.#low = Math.max(this.#low ?? 0, sizeBytes);
    for (const size of this.#refuted.keys()) if (size <= this.#low) this.#refuted.delete(size);
  }

  #tooBig(tally: SizeTally, { by, mtuBytes }: Extract<Reply, { kind: 'tooBig' }>): void {
    const { sizeBytes } = tally;
    // RFC 8899 §4.6.1: valid only when PLPMTU < PTB_SIZE < size probed. RFC 8201 §4 adds: never below 1280.
    const known = Math.max(this.#low ?? 0, minimumMtu(this.#options.family) - 1);
    const valid = mtuBytes === null || (mtuBytes < sizeBytes && mtuBytes >= known);
    if (!valid || sizeBytes <= (this.#low ?? 0)) {
      this.#ignored++;
      return this.#silent(tally);
    }
    tally.tooBig++;
    tally.by = by;
    tally.saidMtuBytes = mtuBytes;
    this.#refuted.set(sizeBytes, { by, mtuBytes, probedBytes: sizeBytes });
    if (mtuBytes !== null && mtuBytes > (this.#low ?? 0) && this.#hints++ < MOST_HINTS) this.#hint = mtuBytes;
    this.#controlOwed = false;
  }

  #silent(tally: SizeTally): void {
    tally.silent++;
    const fits = tally.sizeBytes <= (this.#low ?? this.#smallest);
    if (fits && this.#controlOwed) {
      this.#controlsSilent++;
      this.#controlOwed = false;
    } else if (!fits) this.#controlOwed = true;
    this.#settle(this.#target);
  }

  /** Takes the silence of a size for a limit once loss cannot explain it. */
  #settle(sizeBytes: number): void {
    const silent = this.#tallies.get(sizeBytes)?.silent ?? 0;
    if (this.#refuted.has(sizeBytes) || sizeBytes <= (this.#low ?? 0) || silent < this.#options.probesPerSize) return;
    // While nothing at all was answered there is no loss to compare with: #state() gives up.
    if (this.#low === null) return;
    if (silent >= MOST_PER_SIZE || this.#lossEstimate() ** silent <= ALPHA) this.#refuted.set(sizeBytes, 'silence');
  }

  /** Keeps the size until its fate is known, then chooses another. */
  #aim(): void {
    this.#settle(this.#target);
    if (!this.#refuted.has(this.#target) && this.#target > (this.#low ?? 0)) return;
    const [low, high] = [this.#low ?? 0, this.#high()];
    if (this.#low === null) this.#target = this.#smallest;
    // Most paths carry what the own interface carries; and where not, a router that speaks is best asked by the largest size.
    else if (this.#refuted.size === 0) this.#target = this.#options.maxBytes;
    else if (this.#hint !== null && this.#hint > low && this.#hint < high) this.#target = this.#hint;
    // What a router named fits: if it told the truth, one octet more does not.
    else if (this.#hint === low && low + 1 < high) this.#target = low + 1;
    else if (this.#choices++ < WEIGHTED_CHOICES) this.#target = chooseSize(low, high);
    else this.#target = Math.floor((low + high) / 2);
    if (this.#hint !== null && this.#target > this.#hint) this.#hint = null;
  }

  #state(): SearchResult['state'] {
    if (this.#low === null) {
      const gaveUp = (size: number) => (this.#tallies.get(size)?.silent ?? 0) >= this.#options.probesPerSize;
      const answered = this.#refuted.size > 0;
      return gaveUp(this.#smallest) && (answered || gaveUp(this.#base)) ? 'error' : 'base';
    }
    return this.#low + 1 >= this.#high() ? 'complete' : 'searching';
  }

  /** Smallest size known not to fit; one above the largest allowed while there is none. */
  #high(): number {
    return Math.min(this.#options.maxBytes + 1, ...this.#refuted.keys());
  }

  #tally(sizeBytes: number): SizeTally {
    const known = this.#tallies.get(sizeBytes);
    if (known) return known;
    const fresh = { sizeBytes, sent: 0, acked: 0, tooBig: 0, silent: 0, by: null, saidMtuBytes: null };
    this.#tallies.set(sizeBytes, fresh);
    return fresh;
  }

  #loss(): { sent: number; lost: number } {
    const fitting = [...this.#tallies.values()].filter(({ sizeBytes }) => sizeBytes <= (this.#low ?? 0));
    const lost = fitting.reduce((n, { silent }) => n + silent, 0);
    return { sent: fitting.reduce((n, { acked }) => n + acked, lost), lost };
  }

  /** Mean of the loss of packets that fit, after Jeffreys: never 0, so that a few answers do not prove a path without loss. */
  #lossEstimate(): number {
    const { sent, lost } = this.#loss();
    return (lost + 0.5) / (sent + 1);
  }

  #chanceOfLoss(refutedBytes: number | null): number | null {
    if (refutedBytes === null) return null;
    if (this.#refuted.get(refutedBytes) !== 'silence') return 0;
    return this.#lossEstimate() ** (this.#tallies.get(refutedBytes)?.silent ?? 0);
  }

  /** A message explains the limit when it came for the smallest size that does not fit, or named just the size that does. */
  #saidBy(refutedBytes: number | null): PacketTooBig | null {
    if (refutedBytes === null) return null;
    const said = [...this.#refuted.values()].filter((one) => one !== 'silence');
    const exact = said.find(({ mtuBytes }) => mtuBytes !== null && mtuBytes === this.#low);
    return exact ?? said.find(({ probedBytes }) => probedBytes === refutedBytes) ?? null;
  }
}
