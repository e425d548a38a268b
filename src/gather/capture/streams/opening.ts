import type { HeadHabit } from './head-habit.ts';

/** What is known of a connection when the first records of an answer are judged. */
export interface OpeningFacts {
  /** When the Finished of the client passed, if this may be followed by session tickets (RFC 8446 §4.6.1); else null. */
  finishedMs: number | null;
  /** No round trip from tap to server was longer, by what took part in the handshake; its work is in it. 0: unknown. */
  serverRttMs: number;
  requestStartMs: number | null;
  requestEndMs: number | null;
  /** No head of an answer is smaller; one with a chunk in the same record is larger by that chunk. */
  leastHeadBytes: number;
  /** What the answers before on this connection showed of heads. */
  habit: HeadHabit;
}

export interface OpeningVerdict {
  /** Records at the front that are session tickets. */
  tickets: number;
  /** Whether the next one is a head that came without content. */
  hasHead: boolean;
  /** Keep-alives behind it. */
  heartbeats: number;
  /** Size of those; 0 where there are none. */
  heartbeatBytes: number;
  /** Index of the first chunk of content; the number of records where there is none. */
  firstChunk: number;
  /** Where the first chunk is as well, if it is not there; the same where nothing speaks for another. */
  otherwise: number;
  /** False where it could be told otherwise with the same right. */
  isSure: boolean;
}

/** Until when a record can be what a server sends as soon as the handshake is over. */
const ticketsUntilMs = ({ finishedMs, serverRttMs }: OpeningFacts): number =>
  finishedMs === null ? -Infinity : finishedMs + ticketWindow.roundTrips * serverRttMs + ticketWindow.ms;

const capacity = 24;

/** A connection has so many tickets at most: OpenSSL 2 by default, others 1, 2 or 4. */
const maxTickets = 4;
const ticketBytes = { least: 40, most: 4096 } as const;
/** Tickets of one connection differ by a block of their cipher at most. */
const ticketsDifferBytes = 16;
/** Tickets are written together; a busy server may be interrupted. */
export const ticketsWithinMs = 5;
const equalTicketsWithinMs = 50;
/** A ticket alone is known by its time: the Finished has to come and be checked, nothing else. */
const ticketWindow = { roundTrips: 1.5, ms: 5 } as const;
/** What comes earlier than this share of a round trip after the request began cannot answer it. */
const causalShare = 0.8;

/** Keep-alives come far apart and evenly. */
const heartbeatMs = 200;
const heartbeatPaces = 5;
const heartbeatRegularity = 0.25;
/** `: ping - ` with a date, and `event: ping` with its data, in chunk framing. */
const smallBytes = 72;
const lonelyMs = 1000;

/** Written together, with the time that a busy sender takes between two writes. */
const togetherMs = 2;
const earlyHeadMs = 60;
/** A head that does not wait for the model comes this soon after the request. */
const promptMs = 40;

/**
 * The first records of an answer, kept until there are enough of them to tell tickets, head and keep-alives from content by how
 * they relate to what follows. Times and sizes of these few only, and only until then.
 */
export class Opening {
  readonly atMs = new Float64Array(capacity);
  readonly wireMs = new Float64Array(capacity);
  readonly streamOffset = new Float64Array(capacity);
  readonly bytes = new Uint16Array(capacity);
  count = 0;
  /** Keep-alives that were let go to make room. */
  collapsed = 0;

  get isFull(): boolean {
    return this.count === capacity;
  }

  clear(): void {
    this.count = 0;
    this.collapsed = 0;
  }

  push(atMs: number, wireMs: number, streamOffset: number, bytes: number): void {
    const i = this.count++;
    this.atMs[i] = atMs;
    this.wireMs[i] = wireMs;
    this.streamOffset[i] = streamOffset;
    this.bytes[i] = bytes;
  }

  /** Makes room where a wait of minutes brought nothing but keep-alives. @returns whether it did */
  collapse(facts: OpeningFacts): boolean {
    const front = this.#tickets(facts) + 1;
    if (this.#evenRun(front) < capacity - front) return false;
    const keep = 4;
    const from = capacity - keep;
    for (const column of [this.atMs, this.wireMs, this.streamOffset, this.bytes])
      column.copyWithin(front, from, capacity);
    this.collapsed += from - front;
    this.count = front + keep;
    return true;
  }

  /** Whether all of it came before the server had anything to answer: tickets while a long request goes on. */
  isOnlyTickets(facts: OpeningFacts): boolean {
    return this.#tickets(facts) === this.count;
  }

  /** Whether none of its records is longer. */
  isNoLongerThan(bytes: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.bytes[i]! > bytes) return false;
    return true;
  }

  /** What the pace seems to be; NaN of too few. */
  get paceMs(): number {
    return this.count < 4 ? NaN : this.#usualGap(1);
  }

  resolve(facts: OpeningFacts): OpeningVerdict {
    const { count } = this;
    const found = this.#tickets(facts);
    // An answer of one record, and no ticket: a request is answered rather than a ticket is all that ever comes. And one without a head
    // has it in front.
    const isLone = found === 1 && (count === 1 || this.bytes[1]! < facts.leastHeadBytes);
    const tickets = isLone ? this.#earlierThanAnswer(facts) : found;
    const ticketsSure = tickets !== 1 || this.#earlierThanAnswer(facts) === 1;
    const beats = this.#heartbeats(tickets);
    if (beats.count > 0) {
      return {
        tickets,
        hasHead: beats.from > tickets,
        heartbeats: beats.count + this.collapsed,
        heartbeatBytes: this.bytes[beats.from]!,
        firstChunk: beats.from + beats.count,
        otherwise: beats.from + beats.count,
        isSure: ticketsSure && beats.isSure,
      };
    }
    const { hasHead, isSure } = this.#head(tickets, facts);
    // It can only be told otherwise where there is a record behind the head to be told of.
    const isOpen = !isSure && tickets + 1 < count;
    return {
      tickets,
      hasHead,
      heartbeats: 0,
      heartbeatBytes: 0,
      firstChunk: tickets + Number(hasHead),
      otherwise: tickets + Number(hasHead !== isOpen),
      isSure: ticketsSure && isSure,
    };
  }

  #gap(i: number): number {
    return this.atMs[i + 1]! - this.atMs[i]!;
  }

  /** Median gap between the records from `from` on; NaN of fewer than two. */
  #usualGap(from: number): number {
    const gaps: number[] = [];
    for (let i = from; i + 1 < this.count; i++) gaps.push(this.#gap(i));
    return gaps.length === 0 ? NaN : gaps.sort((a, b) => a - b)[gaps.length >> 1]!;
  }

  #tickets(facts: OpeningFacts): number {
    if (facts.finishedMs === null || this.count === 0 || !this.#isTicketLike(0)) return 0;
    const together = this.#equalFront();
    if (together > 1) return together;
    if (this.atMs[0]! <= ticketsUntilMs(facts)) return Math.max(1, this.#earlierThanAnswer(facts));
    // BoringSSL keeps tickets until there is something else to write.
    return this.count > 1 && this.#gap(0) <= togetherMs ? 1 : 0;
  }

  /** An answer begins with a head, which is as long as a chunk only by chance; tickets are all alike. */
  #equalFront(): number {
    let n = 1;
    for (; n < Math.min(this.count, maxTickets); n++) {
      const difference = Math.abs(this.bytes[n]! - this.bytes[0]!);
      if (difference > ticketsDifferBytes) break;
      if (this.#gap(n - 1) > (difference === 0 ? equalTicketsWithinMs : ticketsWithinMs)) break;
    }
    return n;
  }

  #earlierThanAnswer({ finishedMs, serverRttMs, requestStartMs }: OpeningFacts): number {
    if (finishedMs === null || requestStartMs === null || this.count === 0) return 0;
    // Neither a round trip nor what it takes to answer a Finished is longer than this.
    const leastMs = causalShare * Math.min(serverRttMs, this.atMs[0]! - finishedMs);
    let n = 0;
    while (n < Math.min(this.count, maxTickets) && this.atMs[n]! < requestStartMs + leastMs && this.#isTicketLike(n))
      n++;
    return n;
  }

  #isTicketLike(i: number): boolean {
    return this.bytes[i]! >= ticketBytes.least && this.bytes[i]! <= ticketBytes.most;
  }

  /** Records from `from` on that are equal, far apart and even. */
  #evenRun(from: number): number {
    const { count, bytes } = this;
    if (from + 1 >= count) return 0;
    const periodMs = this.#gap(from);
    if (periodMs < heartbeatMs) return 0;
    let n = 1;
    while (
      from + n < count &&
      bytes[from + n] === bytes[from] &&
      Math.abs(this.#gap(from + n - 1) - periodMs) <= heartbeatRegularity * periodMs
    )
      n++;
    return n > 1 ? n : 0;
  }

  #heartbeats(front: number): { from: number; count: number; isSure: boolean } {
    for (const from of [front, front + 1]) {
      const n = this.#evenRun(from);
      // Two are even by themselves, and a pause between equal chunks looks the same.
      if (n === 0 || (n === 2 && this.collapsed === 0 && !this.#isSmallest(from, n))) continue;
      const usualMs = this.#usualGap(from + n);
      const periodMs = this.#gap(from);
      if (periodMs >= heartbeatPaces * usualMs) return { from, count: n, isSure: true };
      if (Number.isNaN(usualMs) && this.bytes[from]! <= smallBytes && periodMs >= lonelyMs)
        return { from, count: n, isSure: this.collapsed > 0 || n > 2 };
    }
    return this.#loneHeartbeat(front) ?? { from: front, count: 0, isSure: true };
  }

  /** One keep-alive is smaller than all that follows, and alone. */
  #loneHeartbeat(front: number): { from: number; count: number; isSure: boolean } | null {
    const from = front + 1;
    if (from + 3 >= this.count || !this.#isSmallest(from, 1)) return null;
    const usualMs = this.#usualGap(from + 1);
    const alone = Math.max(heartbeatMs, heartbeatPaces * usualMs);
    if (this.#gap(from - 1) < alone || this.#gap(from) < alone) return null;
    return { from, count: 1, isSure: false };
  }

  /** Whether the `n` records from `from` on are tiny, and smaller than all that follows. */
  #isSmallest(from: number, n: number): boolean {
    const bytes = this.bytes[from]!;
    if (bytes > smallBytes) return false;
    for (let i = from + n; i < this.count; i++) if (this.bytes[i]! <= bytes) return false;
    return true;
  }

  /**
   * The first record has the head, and of the answer as much as was there with it. It has nothing else where it is too small, where the
   * next one comes at once, or where that is late by the pace of what follows. A server that stands still behind its first chunk looks
   * like the last; then the answers before tell, or how soon the record came.
   */
  #head(front: number, facts: OpeningFacts): { hasHead: boolean; isSure: boolean } {
    const { count, bytes } = this;
    const { habit } = facts;
    if (front + 1 >= count) return { hasHead: false, isSure: true };
    const first = bytes[front]!;
    const chunkBytes = this.#smallestChunk(front + 1);
    const isTooSmall = first < facts.leastHeadBytes + chunkBytes;
    const gapMs = this.#sentGap(front);
    // Where it was lost itself the time behind it is the network's; its size is not.
    if (gapMs < 0) {
      const known = habit.knows(first, chunkBytes);
      const isAtOnce = this.#gap(front) <= togetherMs;
      return { hasHead: isTooSmall || known === 'alone', isSure: isTooSmall || known !== null || isAtOnce };
    }
    if (gapMs <= togetherMs || isTooSmall) {
      // Too small is a matter of what came behind: of one record that says little.
      habit.isAlone(first);
      return { hasHead: true, isSure: gapMs <= togetherMs || count > front + 2 || gapMs >= earlyHeadMs };
    }
    const usualMs = this.#usualGap(front + 1);
    if (Number.isNaN(usualMs)) return { hasHead: gapMs >= earlyHeadMs, isSure: false };
    if (gapMs <= Math.max(3 * usualMs, earlyHeadMs)) {
      if (gapMs <= 2 * usualMs) habit.isWithChunk(first);
      return { hasHead: false, isSure: true };
    }
    const known = habit.knows(first, chunkBytes);
    if (known !== null) return { hasHead: known === 'alone', isSure: true };
    const { requestEndMs, serverRttMs } = facts;
    const isPrompt = requestEndMs === null || this.atMs[front]! - requestEndMs - serverRttMs <= promptMs;
    return { hasHead: isPrompt, isSure: false };
  }

  /** Of the records from `from` on; a short rest behind the last does not count where there are more. */
  #smallestChunk(from: number): number {
    let least = this.bytes[from]!;
    for (let i = from + 1; i + 1 < this.count; i++) least = Math.min(least, this.bytes[i]!);
    return least;
  }

  /**
   * From a record to the next that passed, whatever waited behind holes and in whatever order: the time that the server took, but for what
   * was lost. Negative: others overtook it, so it was lost itself.
   */
  #sentGap(i: number): number {
    let nextMs = Infinity;
    for (let next = i + 1; next < Math.min(this.count, i + 4); next++) nextMs = Math.min(nextMs, this.wireMs[next]!);
    return nextMs - this.wireMs[i]!;
  }
}
