import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { AgentJobs } from '../model/agent-protocol.ts';
import type { Network } from '../model/network.ts';
import type { Documents } from '../store/documents.ts';
import { jobsFor } from './jobs.ts';
import { diffNetworks, type NetworkChange } from './network-diff.ts';

const knownBody = z.object({ names: z.array(z.string()) });

/** The network file as it is in force, and how to read it again. */
export class Configuration {
  readonly #documents: Documents;
  readonly #load: () => Promise<Network>;
  readonly #listeners = new Set<(changes: NetworkChange[]) => void>();
  readonly #jobs = new Map<string, AgentJobs>();
  #network: Network;
  #known: Set<string>;
  #revision: string;

  private constructor(documents: Documents, load: () => Promise<Network>, network: Network, known: Set<string>) {
    this.#documents = documents;
    this.#load = load;
    this.#network = network;
    this.#known = known;
    this.#revision = revisionOf(network);
  }

  /** @param load reads and checks the file; throws with every mistake in it */
  static async open(documents: Documents, load: () => Promise<Network>): Promise<Configuration> {
    const network = await load();
    return new Configuration(documents, load, network, await learn(documents, network));
  }

  get network(): Network {
    return this.#network;
  }

  /** Changes with the content of the file, not with its text. */
  get revision(): string {
    return this.#revision;
  }

  /** Also of endpoints that the file had once: what was measured before a change may arrive after it. */
  knowsEndpoint(name: string): boolean {
    return this.#known.has(name);
  }

  jobsFor(agent: string): AgentJobs {
    const known = this.#jobs.get(agent) ?? jobsFor(this.#network, agent);
    this.#jobs.set(agent, known);
    return known;
  }

  /** Called after each change. */
  onChange(listener: (changes: NetworkChange[]) => void): void {
    this.#listeners.add(listener);
  }

  /** What reading it again would change. @throws what `load` throws; nothing has changed then */
  async preview(): Promise<NetworkChange[]> {
    return diffNetworks(this.#network, await this.#load());
  }

  /** Reads the file again and puts it in force; alerts, tokens and everything else stays. */
  async reload(): Promise<NetworkChange[]> {
    const next = await this.#load();
    const changes = diffNetworks(this.#network, next);
    this.#known = await learn(this.#documents, next);
    this.#network = next;
    this.#revision = revisionOf(next);
    this.#jobs.clear();
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
    return changes;
  }
}

const revisionOf = (network: Network): string =>
  createHash('sha256').update(JSON.stringify(network)).digest('hex').slice(0, 16);

/** Adds the names of the file to those that were ever in it. */
async function learn(documents: Documents, network: Network): Promise<Set<string>> {
  for (;;) {
    const found = await documents.get('known', 'endpoints');
    const before = found ? knownBody.parse(found.body).names : [];
    const all = new Set([...before, ...network.endpoints.map((e) => e.name)]);
    if (all.size === before.length) return all;
    const put = { collection: 'known', id: 'endpoints', body: { names: [...all] } };
    if (await documents.commit([{ put, version: found?.version ?? 0 }])) return all;
  }
}
