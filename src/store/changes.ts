import type { Write } from './documents.ts';

/** A write with its body as text, so that nobody can change it in passing. */
export interface Change {
  collection: string;
  id: string;
  kind: 'put' | 'remove' | 'check';
  /** The version that the document must have had. */
  expected: number;
  /** JSON; null but for a put. */
  text: string | null;
}

/** What a commit asks for. @throws RangeError for two writes of one document, TypeError for a body that is no JSON value */
export function changesOf(writes: readonly Write[]): Change[] {
  const changes = writes.map(changeOf);
  const names = new Set(changes.map(({ collection, id }) => JSON.stringify([collection, id])));
  if (names.size < changes.length) throw new RangeError('Cannot commit: two changes of one document');
  return changes;
}

function changeOf(write: Write): Change {
  const expected = write.version;
  if ('check' in write) return { ...write.check, kind: 'check', expected, text: null };
  if ('remove' in write) return { ...write.remove, kind: 'remove', expected, text: null };
  const { collection, id, body } = write.put;
  const text = JSON.stringify(body) as string | undefined;
  if (text === undefined) throw new TypeError(`Cannot commit "${collection}/${id}": its body is no JSON value`);
  return { collection, id, kind: 'put', expected, text };
}
