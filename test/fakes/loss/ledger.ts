import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { parseBatchName } from '../../../src/serve/agent/batch-file.ts';
import { openStore } from '../../../src/store/open.ts';

/** What was promised to the probes: every batch whose file was ever seen under its final name in the spool. */
export class Promised {
  readonly batches = new Map<string, number>();
  readonly #spool: string;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;

  constructor(spool: string) {
    this.#spool = spool;
    // The kernel tells of every rename, and a look now and then of those that were there before it was asked.
    this.#timer = setInterval(() => this.look(), 50);
  }

  look(): void {
    if (!existsSync(this.#spool)) return;
    this.#watcher ??= watch(this.#spool, (_, name) => this.#note(name ?? ''));
    for (const name of readdirSync(this.#spool)) this.#note(name);
  }

  waiting(): number {
    return readdirSync(this.#spool).filter((name) => parseBatchName(name)).length;
  }

  quarantined(): string[] {
    return readdirSync(`${this.#spool}/quarantine`);
  }

  stop(): void {
    this.look();
    clearInterval(this.#timer);
    this.#watcher?.close();
  }

  #note(name: string): void {
    const batch = parseBatchName(name);
    if (batch) this.batches.set(batch.key, batch.samples);
  }
}

export interface Account {
  promisedBatches: number;
  promised: number;
  stored: number;
  /** Ids that were promised and are not there. */
  lost: string[];
  /** Ids that are there more than once. */
  doubled: string[];
  /** Stored results of the probe, and what the roll-ups of minutes and hours make of them. */
  counted: { samples: number; minutes: number; hours: number };
  /** Alerts that are remembered, by rule and state. */
  alerts: Record<string, number>;
}

/** Opens the store of a server that has ended and holds it against what was promised. */
export async function account(folder: string, agent: string, promised: ReadonlyMap<string, number>): Promise<Account> {
  const { store, documents, close } = await openStore(folder, { clock: { wallMs: () => Date.now() } });
  const times = new Map<string, number>();
  const all = { fromMs: 0, toMs: Date.now() + 30 * 86_400_000 };
  let probes = 0;
  for (let after: string | undefined; ;) {
    const page = await store.samples({
      ...all,
      limit: 20_000,
      columnsOnly: true,
      ...(after !== undefined && { after }),
    });
    for (const { id, kind } of page.samples) {
      times.set(id, (times.get(id) ?? 0) + 1);
      if (kind === 'tcp') probes++;
    }
    if (page.next === null) break;
    after = page.next;
  }
  const rolled = async (stepMs: number) => {
    const query = { ...all, stepMs, kind: 'tcp', metric: 'rttMs', quantiles: [], by: 'endpoint' } as const;
    return (await store.series(query)).reduce((sum, { ok, bad, unknown }) => sum + ok + bad + unknown, 0);
  };
  const counted = { samples: probes, minutes: await rolled(60_000), hours: await rolled(3_600_000) };
  const alerts: Record<string, number> = {};
  for (const { body } of await documents.list('alert')) {
    const { rule, state } = body as { rule: string; state: string };
    alerts[`${rule} ${state}`] = (alerts[`${rule} ${state}`] ?? 0) + 1;
  }
  await close();
  const lost: string[] = [];
  let sum = 0;
  for (const [key, samples] of promised) {
    sum += samples;
    for (let row = 0; row < samples; row++)
      if (!times.has(`${agent}/${key}/${row}`)) lost.push(`${agent}/${key}/${row}`);
  }
  const doubled = [...times].flatMap(([id, n]) => (n > 1 ? [id] : []));
  return { promisedBatches: promised.size, promised: sum, stored: times.size, lost, doubled, counted, alerts };
}
