import type { Document, Documents } from '../../src/store/documents.ts';
import { samplesOf } from '../../src/store/columns.ts';
import { type Batch, mostFailures, type Run, type Store } from '../../src/store/store.ts';
import type { Sample } from '../../src/model/sample.ts';

/** Documents in memory, values copied as a real engine would. */
export function memoryDocuments(): Documents & { all: Map<string, Document> } {
  const all = new Map<string, Document>();
  const keyOf = (collection: string, id: string) => `${collection}\0${id}`;
  return {
    all,
    about: 'memory',
    get: (collection, id) => Promise.resolve(structuredClone(all.get(keyOf(collection, id)))),
    list: (collection) =>
      Promise.resolve([...all.values()].filter((d) => d.collection === collection).map((d) => structuredClone(d))),
    commit: (writes) => {
      const targets = writes.map((w) => ({ w, at: 'put' in w ? w.put : 'remove' in w ? w.remove : w.check }));
      if (targets.some(({ w, at }) => (all.get(keyOf(at.collection, at.id))?.version ?? 0) !== w.version))
        return Promise.resolve(false);
      for (const { w } of targets)
        if ('put' in w) {
          const { collection, id, body } = w.put;
          all.set(keyOf(collection, id), structuredClone({ collection, id, body, version: w.version + 1 }));
        } else if ('remove' in w) all.delete(keyOf(w.remove.collection, w.remove.id));
      return Promise.resolve(true);
    },
    close: () => Promise.resolve(),
  };
}

/** Samples in memory. Answers to `series` and `counts` are what a test has put there. */
export function memoryStore(): Store & {
  held: Sample[];
  keys: Set<string>;
  answers: Partial<Pick<Store, 'series' | 'counts' | 'changes' | 'runs'>>;
  beforeAppend: () => Promise<void>;
} {
  const held: Sample[] = [];
  const keys = new Set<string>();
  const store: ReturnType<typeof memoryStore> = {
    about: 'memory',
    held,
    keys,
    answers: {},
    beforeAppend: () => Promise.resolve(),
    append: async (batches: readonly Batch[]) => {
      await store.beforeAppend();
      return batches.map((batch) => {
        if (keys.has(batch.key)) return 'duplicate';
        keys.add(batch.key);
        held.push(...samplesOf(batch));
        return 'stored';
      });
    },
    samples: ({ fromMs, toMs, endpoint, agent, kind, limit, after, order = 'oldest', columnsOnly }) => {
      const found = held
        .filter((s) => s.atMs >= fromMs && s.atMs < toMs)
        .filter(
          (s) => (endpoint === undefined || s.endpoint === endpoint) && (agent === undefined || s.agent === agent),
        )
        .filter((s) => kind === undefined || s.kind === kind)
        .toSorted((a, b) => (order === 'oldest' ? a.atMs - b.atMs : b.atMs - a.atMs));
      const from = after === undefined ? 0 : Number(after);
      const page = found.slice(from, from + limit);
      const next = from + limit < found.length ? String(from + limit) : null;
      return Promise.resolve({ samples: page.map((s) => (columnsOnly ? { ...s, detail: null } : s)), next });
    },
    series: (query) => store.answers.series?.(query) ?? Promise.resolve([]),
    counts: (query) => store.answers.counts?.(query) ?? Promise.resolve([]),
    changes: (query) => store.answers.changes?.(query) ?? Promise.resolve([]),
    latest: (sinceMs) => {
      const newest = new Map<string, Sample>();
      for (const s of held.filter((s) => s.atMs >= sinceMs).toSorted((a, b) => a.atMs - b.atMs))
        newest.set(`${s.endpoint} ${s.agent} ${s.kind}`, s);
      return Promise.resolve([...newest.values()]);
    },
    runs: (sinceMs) => store.answers.runs?.(sinceMs) ?? Promise.resolve(runsOf(held, sinceMs)),
    newest: ({ fromMs, toMs, kinds, limit }) => {
      const counts = new Map<string, number>();
      const wanted = held.filter((s) => s.atMs >= fromMs && s.atMs < toMs && kinds.includes(s.kind));
      const newestFirst = wanted.toSorted((a, b) => b.atMs - a.atMs);
      const found = newestFirst.filter(({ endpoint, kind }) => {
        const n = (counts.get(`${kind} ${endpoint}`) ?? 0) + 1;
        counts.set(`${kind} ${endpoint}`, n);
        return n <= limit;
      });
      return Promise.resolve(found.reverse());
    },
    maintain: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return store;
}

function runsOf(held: readonly Sample[], sinceMs: number): Run[] {
  const lines = new Map<string, Sample[]>();
  for (const s of held
    .filter(({ atMs, verdict }) => atMs >= sinceMs && verdict !== 'unknown')
    .toSorted((a, b) => a.atMs - b.atMs)) {
    const key = JSON.stringify([s.endpoint, s.agent, s.kind]);
    lines.set(key, [...(lines.get(key) ?? []), s]);
  }
  return [...lines.values()].map((line) => {
    const { endpoint, agent, kind, atMs: lastMs } = line.at(-1)!;
    const failures = line.slice(1 + line.findLastIndex(({ verdict }) => verdict === 'ok'));
    return { endpoint, agent, kind, lastMs, badMs: failures.map(({ atMs }) => atMs).slice(-mostFailures) };
  });
}
