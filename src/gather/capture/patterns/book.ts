import type { Classification, PatternReport } from '../../../model/capture/pattern.ts';
import type { FlowWithExchanges } from '../../../model/capture/report.ts';
import { formatCidr } from '../../../model/cidr.ts';
import { classify } from './classify.ts';
import { contextsOf, type Placed } from './context.ts';
import { type Directions, directions, type SitePrefix } from './direction.ts';
import type { FlowEnds } from './ends.ts';
import { Matrix } from './matrix.ts';
import type { FlowSummary } from './summary.ts';
import { putAddress, WordIndex } from '../word-index.ts';

/** Flows that are over and wait for what others tell about them: who else was asked, who forms a ring. */
const mostWaiting = 32_768;

export interface PatternOptions<Tag> {
  prefixes: readonly SitePrefix[];
  /** Wall time of the first packet; null where packets have no times. */
  startEpochMs: number | null;
  /** Called once per flow, when its class is known: late, and not in the order of the flows' ends. */
  onFlow?: (tag: Tag, pattern: FlowPattern, found: Classification) => void;
  /** A random number of 32 bits, so that nobody can make the tables slow. */
  seed?: number;
  mostWaiting?: number;
}

/** What is told of it with its conversation; `from` and `to` are its site, else its prefix, else "outside". */
export type FlowPattern = FlowWithExchanges['pattern'];

interface Waiting<Tag> extends Placed {
  tag: Tag;
  clientPrefix: number;
  serverPrefix: number;
}

/**
 * Patterns of a capture: packets go into the features of their flow (PacketTap), flows that are over into the book, and the report comes at
 * the end. Memory is bounded by live flows and by `mostWaiting`.
 */
export class PatternBook<Tag> {
  readonly #directions: Directions;
  readonly #matrix: Matrix;
  readonly #options: PatternOptions<Tag>;
  readonly #ends = { client: -1, server: -1, direction: 'transit' as Placed['direction'] };
  #hosts: WordIndex;
  #waiting: Waiting<Tag>[] = [];
  #rounds = 0;
  #byTotals = 0;

  constructor(options: PatternOptions<Tag>) {
    this.#options = options;
    this.#directions = directions(options.prefixes);
    this.#matrix = new Matrix(options.startEpochMs);
    this.#hosts = this.#newHosts();
  }

  /** A flow is over: by its packets, or a record of an exporter that has only totals. */
  end(summary: FlowSummary, { bytes, clientAt, serverAt, version }: FlowEnds, tag: Tag): void {
    const { client, server, direction } = this.#directions.place(bytes, clientAt, serverAt, version, this.#ends);
    if (summary.detail === null) this.#byTotals++;
    this.#waiting.push({
      tag,
      summary,
      direction,
      client: this.#host(bytes, clientAt, version),
      server: this.#host(bytes, serverAt, version),
      clientPrefix: client,
      serverPrefix: server,
    });
    if (this.#waiting.length >= (this.#options.mostWaiting ?? mostWaiting)) this.#settle();
  }

  #newHosts(): WordIndex {
    return new WordIndex(4, 2 * (this.#options.mostWaiting ?? mostWaiting), this.#options.seed ?? 0);
  }

  #host(bytes: Uint8Array, at: number, version: 0 | 4 | 6): number {
    putAddress(this.#hosts.key, 0, bytes, at, version);
    return this.#hosts.add();
  }

  #settle(): void {
    if (this.#waiting.length === 0) return;
    this.#rounds++;
    const contexts = contextsOf(this.#waiting);
    for (const [i, one] of this.#waiting.entries()) this.#decide(one, classify(one.summary, contexts[i]!));
    this.#waiting = [];
    this.#hosts = this.#newHosts();
  }

  #decide({ tag, summary, direction, clientPrefix, serverPrefix }: Waiting<Tag>, found: Classification): void {
    const [from, to] = [this.#directions.label(clientPrefix), this.#directions.label(serverPrefix)];
    const { octets, firstMs, lastMs } = summary;
    this.#matrix.add({ from, to, class: found.class, direction, octets, firstMs, lastMs });
    const { confidence, rule, why } = found;
    this.#options.onFlow?.(tag, { class: found.class, confidence, rule, why, direction, from, to }, found);
  }

  /** To be asked once, when all flows are over. `refusedSeries`: of TapSums. */
  finish(refusedSeries = 0): PatternReport {
    this.#settle();
    return {
      inside: this.#directions.prefixes.map(({ cidr, site, from }) => ({ prefix: formatCidr(cidr), site, from })),
      classes: this.#matrix.classes(),
      matrix: this.#matrix.report(),
      how: this.#how(refusedSeries),
    };
  }

  #how(refusedSeries: number): string[] {
    const how = ['classes are what traffic looks like by sizes and times; no content is read or kept'];
    if (this.#rounds > 1)
      how.push(`fan-outs and rings were looked for in ${this.#rounds} parts of the capture, each by itself`);
    if (this.#byTotals > 0)
      how.push(
        `${this.#byTotals} flows are records with totals only: of those, only replication, checkpoint and web are told apart`,
      );
    if (refusedSeries > 0) how.push(`no period was looked for in ${refusedSeries} large flows: too many at once`);
    if (this.#options.prefixes.every(({ from }) => from === 'default'))
      how.push('inside is what has private addresses: name your prefixes where your hosts have public ones');
    return how;
  }
}
