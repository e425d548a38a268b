import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../wire/io.ts';
import type { Documents } from '../documents.ts';
import { GroupQueue } from '../group-queue.ts';
import type { Retention } from '../retention.ts';
import type { Batch, Store } from '../store.ts';
import { appendGroup } from './append.ts';
import { changes } from './changes.ts';
import { type Ledger, LedgerKeeper, LostLedgerError, unknownRoll } from './ledger.ts';
import { dropExpired } from './retain.ts';
import { rollUp } from './roll.ts';
import { runs } from './runs.ts';
import { latest, newest, samples } from './samples.ts';
import { migrate } from './schema.ts';
import { counts, series } from './series.ts';
import type { Server } from './server.ts';

export interface ClickStoreOptions {
  retention: Retention;
  clock: Pick<Clock, 'wallMs'>;
  /** Where servers of this database agree on what has been rolled up. */
  documents: Documents;
  /** Look at a database whose roll-ups the documents do not know; default refuse it. */
  allowLostLedger?: boolean;
}

/** What another node has just written may take so long to be seen here. */
const settleMs = 500;

/** Samples in ClickHouse: one server, or a cluster of shards and replicas. Holds nothing itself: any number of these may share a database. */
export class ClickStore implements Store {
  readonly about: string;
  readonly #server: Server;
  readonly #options: ClickStoreOptions;
  readonly #queue: GroupQueue;
  readonly #keeper: LedgerKeeper;
  #maintaining: Promise<void> = Promise.resolve();

  private constructor(server: Server, options: ClickStoreOptions) {
    const { urls, database, cluster } = server.address;
    this.#server = server;
    this.#options = options;
    this.#keeper = new LedgerKeeper(options.documents, database);
    this.#queue = new GroupQueue((batches) => appendGroup(server, batches, options.clock.wallMs()));
    this.about = `ClickHouse ${server.version.join('.')} at ${urls.join(', ')}, database ${database}${cluster === null ? '' : `, cluster ${cluster}`}`;
  }

  static async open(server: Server, options: ClickStoreOptions): Promise<ClickStore> {
    await migrate(server, options.clock.wallMs());
    const store = new ClickStore(server, options);
    if (options.allowLostLedger !== true) await store.#refuseLostLedger();
    return store;
  }

  append: Store['append'] = (batches: readonly Batch[]) => this.#queue.add(batches);
  samples: Store['samples'] = async (query) => samples(this.#server, query);
  series: Store['series'] = async (query) => series(this.#server, await this.#ledger(), query);
  counts: Store['counts'] = async (query) => counts(this.#server, await this.#ledger(), query);
  changes: Store['changes'] = async (query) => changes(this.#server, await this.#ledger(), query);
  latest: Store['latest'] = async (sinceMs) => latest(this.#server, sinceMs);
  runs: Store['runs'] = async (sinceMs) => runs(this.#server, sinceMs);
  newest: Store['newest'] = async (query) => newest(this.#server, query);

  async maintain(nowMs: number, dropNowMs = nowMs): Promise<void> {
    const turn = this.#maintaining.then(async () => {
      await rollUp(this.#server, this.#keeper, nowMs);
      await dropExpired(this.#server, this.#keeper, this.#options.retention, dropNowMs);
    });
    this.#maintaining = turn.catch(() => {});
    await turn;
  }

  async close(): Promise<void> {
    await this.#queue.idle();
    await this.#maintaining;
  }

  async #refuseLostLedger(): Promise<void> {
    let highest = await unknownRoll(this.#server, this.#keeper);
    for (let i = 0; i < 3 && highest !== null; i++) {
      await sleep(settleMs);
      highest = await unknownRoll(this.#server, this.#keeper);
    }
    if (highest !== null) throw new LostLedgerError(this.#server.address.database, highest);
  }

  /** Read anew for every question: another server may have rolled up since. */
  async #ledger(): Promise<Ledger> {
    return (await this.#keeper.read()).ledger;
  }
}
