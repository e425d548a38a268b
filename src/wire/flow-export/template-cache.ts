import type { Template } from './template.ts';

/** Fields of all templates together: some 8 MiB. */
const maxFields = 1 << 20;
/** Templates of all exporters together. */
const maxTemplates = 1 << 16;
/** Sets of records whose template has not come yet. */
const maxWaitingBytes = 1 << 20;
const maxWaitingSets = 4096;

export interface WaitingSet {
  key: string;
  bytes: Buffer;
  /** What is to be done with it once the template is there. */
  read(template: Template, bytes: Buffer): void;
}

/**
 * Templates of all exporters, and the sets that wait for one. Both are bounded: the longest unused template goes first, and the
 * oldest set. `forgotten` is told of sets that go unread.
 */
export function templateCache(forgotten: (set: WaitingSet) => void): {
  get(key: string): Template | undefined;
  put(key: string, template: Template): void;
  remove(key: string): void;
  wait(set: WaitingSet): void;
  readonly evicted: number;
  readonly waitingBytes: number;
  readonly size: number;
} {
  // A Map keeps the order of insertion: what is used is put in anew, so the first is the longest unused.
  const templates = new Map<string, Template>();
  const waiting = new Map<string, WaitingSet[]>();
  let [fields, waitingBytes, waitingSets, evicted] = [0, 0, 0, 0];

  const areTooMany = () => fields > maxFields || templates.size > maxTemplates;
  const waitTooMany = () => waitingBytes > maxWaitingBytes || waitingSets > maxWaitingSets;
  const drop = (key: string) => {
    const template = templates.get(key);
    if (!template) return;
    templates.delete(key);
    fields -= template.elements.length;
  };
  const dropOldestWaiting = () => {
    const [key, sets] = waiting.entries().next().value!;
    waiting.delete(key);
    for (const set of sets) {
      waitingBytes -= set.bytes.length;
      waitingSets -= 1;
      forgotten(set);
    }
  };

  return {
    get: (key) => {
      const template = templates.get(key);
      if (!template) return undefined;
      templates.delete(key);
      templates.set(key, template);
      return template;
    },
    put: (key, template) => {
      drop(key);
      templates.set(key, template);
      fields += template.elements.length;
      while (areTooMany()) {
        drop(templates.keys().next().value!);
        evicted += 1;
      }
      const sets = waiting.get(key);
      if (!sets) return;
      waiting.delete(key);
      for (const set of sets) {
        waitingBytes -= set.bytes.length;
        waitingSets -= 1;
        set.read(template, set.bytes);
      }
    },
    remove: drop,
    wait: (set) => {
      const sets = waiting.get(set.key);
      if (sets) sets.push(set);
      else waiting.set(set.key, [set]);
      waitingBytes += set.bytes.length;
      waitingSets += 1;
      while (waitTooMany()) dropOldestWaiting();
    },
    get evicted() {
      return evicted;
    },
    get waitingBytes() {
      return waitingBytes;
    },
    get size() {
      return templates.size;
    },
  };
}
