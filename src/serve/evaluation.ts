import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { type Alert, alert, type AlertTransition } from '../model/alert.ts';
import { type Budget, budgetOf } from '../judge/watch/budget.ts';
import { closerNeeds, evaluate, isCloser, watchNeeds } from '../judge/watch/evaluate.ts';
import type { AgentSeen, KnownPath, WatchInput, WatchMemory } from '../judge/watch/input.ts';
import { lookedCloser, type Moment, momentOf } from '../judge/watch/moment.ts';
import type { Document, Documents, Write } from '../store/documents.ts';
import { ChangeBook } from './change-book.ts';
import type { ServeContext } from './context.ts';
import { CountsBook } from './counts-book.ts';
import type { Arrival } from './ingest.ts';
import { LevelBook } from './level-book.ts';

/** Where pages go: what is to be written together with the states of the alerts, and what is to happen after. */
export interface Outbox {
  writes(transitions: readonly AlertTransition[]): Promise<Write[]>;
  wake(): void;
}

const memoryBody = z.object({
  evaluatedAtMs: z.number(),
  horizonMs: z.number(),
  resumedAtMs: z.number(),
  gap: z.object({ fromMs: z.number(), toMs: z.number() }).nullable(),
});
const slosBody = z.object({
  slos: z.array(
    z.object({
      slo: z.string(),
      endpoint: z.string(),
      indicator: z.string(),
      objective: z.number(),
      periodMs: z.number(),
      events: z.number(),
      bad: z.number(),
      allowed: z.number(),
      left: z.number().nullable(),
    }),
  ),
});
const pathsBody = z.object({
  paths: z.array(
    z.object({
      agent: z.string(),
      endpoint: z.string(),
      atMs: z.number(),
      state: z.string().nullable(),
      hops: z.array(z.string()),
    }),
  ),
});
const everyMs = 5000;
/** Clocks of nodes that are kept by NTP are not further apart. */
const aheadMs = 10_000;

/** Turns by what became of them, and the last one that went well. */
export interface EvaluationFigures {
  done: number;
  /** Another node was faster. */
  another: number;
  failed: number;
  atMs: number | null;
  durationMs: number | null;
}

/** What is left of one objective of one endpoint. */
export interface SloState extends Budget {
  slo: string;
  endpoint: string;
  indicator: string;
  objective: number;
  periodMs: number;
}

type Parts = Pick<
  ServeContext,
  'store' | 'documents' | 'configuration' | 'arrivals' | 'events' | 'agents' | 'io' | 'cluster'
>;

/**
 * Asks the store what the judge over time wants to know, lets it judge, and commits states, memory and pages at once. In a cluster
 * one node does so, and its commit names the lease that it holds; the others follow. The memory is a second fence: of several that
 * evaluate the same moment, one commits, so that exactly one pages.
 */
export class Evaluation {
  readonly #parts: Parts;
  readonly #outbox: Outbox | null;
  readonly #counts: CountsBook;
  readonly #levels: LevelBook;
  readonly #changes: ChangeBook;
  #paths: readonly KnownPath[] | null = null;
  #followed: ReadonlyMap<string, Alert> | null = null;
  #slos: SloState[] = [];
  readonly #figures: EvaluationFigures = { done: 0, another: 0, failed: 0, atMs: null, durationMs: null };

  constructor(parts: Parts, outbox: Outbox | null) {
    this.#parts = parts;
    this.#outbox = outbox;
    this.#counts = new CountsBook(parts.store);
    this.#levels = new LevelBook(parts.store);
    this.#changes = new ChangeBook(parts.store);
  }

  /** As of the last evaluation. */
  slos(): readonly SloState[] {
    return this.#slos;
  }

  figures(): Readonly<EvaluationFigures> {
    return this.#figures;
  }

  /** Evaluates every few seconds until the signal aborts; what fails is told, and tried again at the next turn. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts.io;
    while (!signal.aborted) {
      await this.#countedTurn().catch((error: unknown) => {
        if (signal.aborted) return;
        this.#figures.failed++;
        log.warn(`the evaluation failed: ${error instanceof Error ? error.message : String(error)}`);
      });
      await clock.sleep(everyMs, signal).catch(() => undefined);
    }
  }

  async #countedTurn(): Promise<void> {
    const { clock } = this.#parts.io;
    const beganMs = clock.monoMs();
    const result = await this.turn();
    this.#figures[result === null ? 'another' : 'done']++;
    this.#figures.atMs = clock.wallMs();
    this.#figures.durationMs = clock.monoMs() - beganMs;
  }

  /** One evaluation. @returns what has changed; null when another node was faster */
  async turn(): Promise<AlertTransition[] | null> {
    const { documents, configuration, events, io, cluster } = this.#parts;
    const fence = (await cluster?.fence('watch')) ?? null;
    if (cluster && !fence) return this.#follow();
    const { network } = configuration;
    const [kept, known] = await Promise.all([documents.get('watch', 'memory'), documents.list('alert')]);
    const before = known.flatMap((document) => {
      const read = alert.safeParse(document.body).data;
      return read ? [{ document, alert: read }] : [];
    });
    const memory: WatchMemory | null = memoryBody.safeParse(kept?.body).data ?? null;
    // Before the clock is read: what arrives meanwhile would seem to come from the future.
    const arrived = await this.#parts.arrivals.all();
    const now = io.clock.wallMs();
    const silence = await this.#silence(arrived, now);
    const moment = await this.#moment({ network, now, memory, alerts: before.map((b) => b.alert), silence });
    const result = evaluate(moment);
    const slos = slosOf(moment);
    const writes: Write[] = [
      { put: { collection: 'watch', id: 'memory', body: result.memory }, version: kept?.version ?? 0 },
      ...alertWrites(before, result.alerts),
      ...((await this.#outbox?.writes(result.transitions)) ?? []),
      ...(await pathWrites(documents, moment.input.paths, result.paths)),
      ...(fence ? [fence, await sloWrite(documents, slos)] : []),
    ];
    // Another node has moved on meanwhile: what is known of the paths may be old, too.
    this.#paths = null;
    if (!(await documents.commit(writes))) return null;
    this.#paths = result.paths;
    this.#followed = new Map(result.alerts.map((one) => [one.id, one]));
    this.#slos = slos;
    for (const { alert, before, atMs } of result.transitions)
      events.publish('alert', {
        id: alert.id,
        rule: alert.rule,
        subject: alert.subject,
        before,
        state: alert.state,
        atMs,
      });
    this.#outbox?.wake();
    return result.transitions;
  }

  /** Another node judges: what it has decided is told here, too. */
  async #follow(): Promise<null> {
    const { documents, events, io } = this.#parts;
    this.#paths = null;
    this.#slos = slosBody.safeParse((await documents.get('watch', 'slos'))?.body).data?.slos ?? [];
    const alerts = (await documents.list('alert')).flatMap(({ body }) => alert.safeParse(body).data ?? []);
    const before = this.#followed;
    this.#followed = new Map(alerts.map((one) => [one.id, one]));
    for (const { id, rule, subject, state } of before ? alerts : []) {
      const old = before?.get(id)?.state ?? null;
      if (old !== state) events.publish('alert', { id, rule, subject, before: old, state, atMs: io.clock.wallMs() });
    }
    return null;
  }

  async #moment(known: Pick<WatchInput, 'network' | 'now' | 'memory' | 'alerts' | 'silence'>): Promise<Moment> {
    const { store, documents, io } = this.#parts;
    const paths = (this.#paths ??= await readPaths(documents));
    const needs = watchNeeds(known);
    const monoMs = io.clock.monoMs();
    const latest = await store.latest(needs.latestSinceMs);
    const [counts, levels, changes, runs] = await Promise.all([
      this.#counts.answers(needs.counts, monoMs, known.silence, isCloser),
      this.#levels.lines(needs.series, known.silence),
      this.#changes.changes(needs.changes, latest, known.now),
      store.runs(needs.runsSinceMs),
    ]);
    const moment = momentOf({ ...known, paths, counts, levels, changes, runs, latest });
    const closer = await this.#counts.answers(closerNeeds(moment), monoMs, known.silence, (key) => !isCloser(key));
    return lookedCloser(moment, closer);
  }

  async #silence(arrivals: readonly Arrival[], now: number): Promise<AgentSeen[]> {
    const { agents, configuration } = this.#parts;
    const arrived = new Map(arrivals.map((a) => [a.agent, a]));
    const enrolled = (await agents?.list()) ?? [];
    const live = enrolled.filter((a) => a.state !== 'revoked').map((a) => a.name);
    const expected = (configuration.network.watch?.agents ?? []).map((a) => a.name);
    return [...new Set([...expected, ...live, ...arrived.keys()])].map((agent) => ({
      agent,
      lastArrivalMs: seenAt(arrived.get(agent)?.lastArrivalMs ?? null, now),
      newestSampleMs: arrived.get(agent)?.newestSampleMs ?? null,
    }));
  }
}

/** Another node has heard of it by a clock that is a little ahead of ours: just now. From further ahead ours was set back. */
function seenAt(atMs: number | null, now: number): number | null {
  return atMs !== null && atMs > now && atMs - now <= aheadMs ? now : atMs;
}

/** Only what differs is written: a server with many quiet alerts commits little. */
function alertWrites(before: readonly { document: Document; alert: Alert }[], after: readonly Alert[]): Write[] {
  const old = new Map(before.map((b) => [b.alert.id, b]));
  const kept = new Set(after.map((a) => a.id));
  const puts = after.flatMap((body): Write[] => {
    const known = old.get(body.id);
    if (known && isDeepStrictEqual(known.alert, body)) return [];
    return [{ put: { collection: 'alert', id: body.id, body }, version: known?.document.version ?? 0 }];
  });
  const removals = before.flatMap(({ document: { collection, id, version }, alert }): Write[] =>
    kept.has(alert.id) ? [] : [{ remove: { collection, id }, version }],
  );
  return [...puts, ...removals];
}

function slosOf(moment: Moment): SloState[] {
  return moment.plan.promises.map((pledge) => ({
    slo: pledge.slo.name,
    endpoint: pledge.endpoint.name,
    indicator: pledge.slo.indicator,
    objective: pledge.slo.objective,
    periodMs: pledge.periodMs,
    ...budgetOf(pledge, moment.burn),
  }));
}

/** For the nodes that do not judge. */
async function sloWrite(documents: Documents, slos: readonly SloState[]): Promise<Write> {
  const found = await documents.get('watch', 'slos');
  return { put: { collection: 'watch', id: 'slos', body: { slos } }, version: found?.version ?? 0 };
}

async function readPaths(documents: Documents): Promise<KnownPath[]> {
  const all = await documents.list('path');
  return all.flatMap(({ body }) => pathsBody.safeParse(body).data?.paths ?? []);
}

/** One document for each agent, written when a way of it has changed: so that the next node, or the next start, knows them. */
async function pathWrites(
  documents: Documents,
  before: readonly KnownPath[],
  after: readonly KnownPath[],
): Promise<Write[]> {
  if (before === after) return [];
  const byAgent = (paths: readonly KnownPath[]) => {
    const groups = new Map<string, KnownPath[]>();
    for (const path of paths) {
      const group = groups.get(path.agent);
      if (group) group.push(path);
      else groups.set(path.agent, [path]);
    }
    return groups;
  };
  const [old, next] = [byAgent(before), byAgent(after)];
  const changed = [...next].filter(([agent, paths]) => !isDeepStrictEqual(old.get(agent), paths));
  return Promise.all(
    changed.map(async ([agent, paths]) => {
      const found = await documents.get('path', agent);
      return { put: { collection: 'path', id: agent, body: { paths } }, version: found?.version ?? 0 };
    }),
  );
}
