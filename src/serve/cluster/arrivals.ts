import * as z from 'zod';
import type { Document, Documents, Write } from '../../store/documents.ts';
import type { EventHub } from '../events.ts';
import type { Arrival, Ingest } from '../ingest.ts';
import type { Cluster } from './cluster.ts';

/** How old the word of another node about its agents may be: far below the 90 s after which an agent counts as silent. */
export const shareMs = 15_000;

const arrivalsBody = z.object({
  agents: z.array(z.tuple([z.string(), z.number(), z.number().nullable(), z.number(), z.number()])),
});

/**
 * When agents were last heard of, by any node of the cluster. One document for each node, written when something has changed and
 * every 15 s at most: ten thousand agents are one write. What a dead node knew goes over to one that lives.
 */
export class Arrivals {
  readonly #ingest: Ingest;
  readonly #shared: { documents: Documents; cluster: Cluster; events: EventHub } | null;
  /** What nodes that are gone have left to this one. */
  #inherited: Arrival[] = [];
  #version = 0;
  #written = '';
  readonly #seen = new Map<string, number>();

  /** @param shared null where this process is the only one */
  constructor(ingest: Ingest, shared: { documents: Documents; cluster: Cluster; events: EventHub } | null) {
    this.#ingest = ingest;
    this.#shared = shared;
  }

  async all(): Promise<Arrival[]> {
    if (!this.#shared) return this.#ingest.arrivals();
    const { documents, cluster } = this.#shared;
    const others = (await documents.list('arrivals')).filter(({ id }) => id !== cluster.id);
    return merged([...this.#own(), ...others.flatMap(readArrivals)]);
  }

  /** Tells the other nodes, and takes over what dead ones knew. */
  async share(): Promise<void> {
    if (!this.#shared) return;
    const { documents, cluster } = this.#shared;
    const [all, live] = await Promise.all([documents.list('arrivals'), cluster.live()]);
    this.#tell(all);
    const dead = all.filter(({ id }) => !live.includes(id));
    const next = merged([...this.#own(), ...dead.flatMap(readArrivals)]);
    const body = { agents: next.map((a) => [a.agent, a.lastArrivalMs, a.newestSampleMs, a.batches, a.rows]) };
    const text = JSON.stringify(body);
    if (text === this.#written && dead.length === 0) return;
    const put: Write = { put: { collection: 'arrivals', id: cluster.id, body }, version: this.#version };
    const removals = dead.map(({ collection, id, version }): Write => ({ remove: { collection, id }, version }));
    if (await documents.commit([put, ...removals])) {
      this.#version++;
      this.#written = text;
      this.#inherited = merged([...this.#inherited, ...dead.flatMap(readArrivals)]);
    } else {
      // Taken over by another node meanwhile; this one may have counted as dead itself.
      this.#version = (await documents.get('arrivals', cluster.id))?.version ?? 0;
    }
  }

  #own(): Arrival[] {
    return merged([...this.#ingest.arrivals(), ...this.#inherited]);
  }

  /** Readers of the live view at this node hear of samples that came to others. */
  #tell(all: readonly Document[]): void {
    for (const document of all) {
      const { id, version } = document;
      if (id === this.#shared?.cluster.id || this.#seen.get(id) === version) continue;
      this.#seen.set(id, version);
      const [newest] = readArrivals(document).sort((a, b) => b.lastArrivalMs - a.lastArrivalMs);
      if (newest)
        this.#shared?.events.publish('samples', { agent: newest.agent, rows: 0, newestMs: newest.newestSampleMs });
    }
    const there = new Set(all.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!there.has(id)) this.#seen.delete(id);
  }
}

function readArrivals({ body }: Document): Arrival[] {
  const { agents = [] } = arrivalsBody.safeParse(body).data ?? {};
  return agents.map(([agent, lastArrivalMs, newestSampleMs, batches, rows]) => ({
    agent,
    lastArrivalMs,
    newestSampleMs,
    batches,
    rows,
  }));
}

/** One for each agent: the latest of the times, the sum of the counts. */
function merged(arrivals: readonly Arrival[]): Arrival[] {
  const byAgent = new Map<string, Arrival>();
  for (const one of arrivals) {
    const before = byAgent.get(one.agent);
    byAgent.set(
      one.agent,
      before
        ? {
            agent: one.agent,
            lastArrivalMs: Math.max(before.lastArrivalMs, one.lastArrivalMs),
            newestSampleMs: latest(before.newestSampleMs, one.newestSampleMs),
            batches: before.batches + one.batches,
            rows: before.rows + one.rows,
          }
        : one,
    );
  }
  return [...byAgent.values()];
}

const latest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b);
