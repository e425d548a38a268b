import type { Sample } from '../model/sample.ts';
import type { StateChange, Store } from '../store/store.ts';

/** So long an answer about an endpoint holds while nothing new is seen of it: what comes late is in the next one. */
const goodForMs = 300_000;

interface Known {
  /** Newest change that is known, or when it was noticed. */
  changedMs: number;
  askedMs: number;
  changes: readonly StateChange[];
}

/**
 * Changes of states without looking through three days of them at every turn: the newest samples tell which endpoints have changed
 * since the last one, and only of those everything is asked. What was missed while nobody looked is asked once, at the start.
 */
export class ChangeBook {
  readonly #store: Pick<Store, 'changes'>;
  #states: Map<string, string> | null = null;
  #latest: readonly Sample[] = [];
  readonly #endpoints = new Map<string, Known>();

  constructor(store: Pick<Store, 'changes'>) {
    this.#store = store;
  }

  async changes(
    { fromMs, recentFromMs }: { fromMs: number; recentFromMs: number },
    latest: readonly Sample[],
    now: number,
  ): Promise<StateChange[]> {
    if (!this.#states)
      for (const { endpoint, atMs } of await this.#store.changes({ fromMs: recentFromMs, toMs: now }))
        this.#notice(endpoint, atMs);
    this.#compare(latest, now);
    for (const [endpoint, { changedMs }] of this.#endpoints)
      if (changedMs < recentFromMs) this.#endpoints.delete(endpoint);
    const due = [...this.#endpoints].filter(([, { askedMs }]) => Math.abs(now - askedMs) >= goodForMs);
    if (due.length > 0) await this.#ask(new Map(due), { fromMs, toMs: now });
    return [...this.#endpoints.values()].flatMap(({ changes }) => changes);
  }

  /** Now, for the sake of samples that come late: a change that began long ago is news when it is heard of. */
  #compare(latest: readonly Sample[], now: number): void {
    const states = (this.#states ??= new Map<string, string>());
    const before = this.#latest;
    this.#latest = latest;
    for (const [i, sample] of latest.entries()) {
      const { kind, endpoint, agent, state } = sample;
      // Most are the very ones of the last turn.
      if (sample === before[i] || state === null) continue;
      const key = `${kind} ${endpoint} ${agent}`;
      const old = states.get(key);
      if (old === state) continue;
      states.set(key, state);
      if (old !== undefined) this.#notice(endpoint, now);
    }
  }

  #notice(endpoint: string, atMs: number): void {
    const changedMs = Math.max(atMs, this.#endpoints.get(endpoint)?.changedMs ?? -Infinity);
    this.#endpoints.set(endpoint, { changedMs, askedMs: -Infinity, changes: [] });
  }

  async #ask(due: ReadonlyMap<string, Known>, range: { fromMs: number; toMs: number }): Promise<void> {
    const found = new Map<string, StateChange[]>();
    for (const change of await this.#store.changes({ ...range, endpoints: [...due.keys()] })) {
      const list = found.get(change.endpoint);
      if (list) list.push(change);
      else found.set(change.endpoint, [change]);
    }
    for (const [endpoint, known] of due)
      this.#endpoints.set(endpoint, { ...known, askedMs: range.toMs, changes: found.get(endpoint) ?? [] });
  }
}
