/** Sessions of a stateful STAMP reflector: how many packets of each it has reflected. Bounded in number and rate. */

/** A session without a packet for so long is over: the next packet of the same sender begins at 0 again. */
const IDLE_MS = 60_000;

export interface SessionLimits {
  sessions: number;
  perSecond: number;
  perSessionPerSecond: number;
}

interface Session {
  next: number;
  lastMs: number;
  bucket: TokenBucket;
}

/** So many per second, and as many at once as come in a quarter of a second. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #lastMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = Math.max(1, perSecond / 4);
    this.#tokens = this.#burst;
    this.#lastMs = nowMs;
  }

  take(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, nowMs - this.#lastMs) * this.#perMs);
    this.#lastMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

export class Sessions {
  readonly #limits: SessionLimits;
  /** In the order in which they were last heard of, the longest silent one first. */
  readonly #byKey = new Map<string, Session>();
  readonly #all: TokenBucket;

  constructor(limits: SessionLimits, nowMs: number) {
    this.#limits = limits;
    this.#all = new TokenBucket(limits.perSecond, nowMs);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** The sequence number of the next reply in session `key`, or why there is none. */
  next(key: string, nowMs: number): number | 'busy' | 'full' {
    if (!this.#all.take(nowMs)) return 'busy';
    const session = this.#find(key, nowMs);
    if (session === null) return 'full';
    if (!session.bucket.take(nowMs)) return 'busy';
    const sequence = session.next;
    session.next = (session.next + 1) >>> 0;
    return sequence;
  }

  /** Running sessions keep their place: when all are taken a new one is refused, or a flood could spoil every measurement. */
  #find(key: string, nowMs: number): Session | null {
    const found = this.#byKey.get(key);
    if (found && nowMs - found.lastMs <= IDLE_MS) {
      this.#byKey.delete(key);
      this.#byKey.set(key, found);
      found.lastMs = nowMs;
      return found;
    }
    this.#byKey.delete(key);
    if (this.#byKey.size >= this.#limits.sessions && !this.#forgetIdle(nowMs)) return null;
    const bucket = new TokenBucket(this.#limits.perSessionPerSecond, nowMs);
    const session = { next: 0, lastMs: nowMs, bucket };
    this.#byKey.set(key, session);
    return session;
  }

  #forgetIdle(nowMs: number): boolean {
    for (const [key, { lastMs }] of this.#byKey) {
      if (nowMs - lastMs <= IDLE_MS) return false;
      this.#byKey.delete(key);
      return true;
    }
    return false;
  }
}
