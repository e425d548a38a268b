import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hostileText } from './arbitrary.case.ts';
import type { Document, Documents, Write } from './documents.ts';

/** How the suite gets documents; `reopen` closes them and opens the same ones again. */
export interface DocumentsEngine {
  open(): Promise<{ documents: Documents; close(): Promise<void>; reopen(): Promise<Documents> }>;
  runs: number;
}

/** What every engine of documents must do. */
export function documentsCases(name: string, engine: DocumentsEngine): void {
  describe(`documents: ${name}`, () => {
    let documents: Documents;
    let opened: Awaited<ReturnType<DocumentsEngine['open']>>;
    let n = 0;
    // A collection per test: the engine may be a server that others use, too.
    let collection = '';
    beforeEach(() => void (collection = `suite-${n++}-${process.pid}`));
    const put = (id: string, body: unknown, version: number): Write => ({ put: { collection, id, body }, version });
    const remove = (id: string, version: number): Write => ({ remove: { collection, id }, version });
    const ids = async () => (await documents.list(collection)).map(({ id }) => id).sort();

    beforeAll(async () => {
      opened = await engine.open();
      documents = opened.documents;
    }, 60_000);
    afterAll(() => opened.close());

    test('get() gives what was put, with its version', async () => {
      expect(await documents.get(collection, 'a')).toBeUndefined();
      expect(await documents.commit([put('a', { x: [1, null, 'é\0'] }, 0)])).toBe(true);
      expect(await documents.get(collection, 'a')).toEqual({
        collection,
        id: 'a',
        version: 1,
        body: { x: [1, null, 'é\0'] },
      });
      expect(await documents.commit([put('a', 'two', 1)])).toBe(true);
      expect(await documents.get(collection, 'a')).toMatchObject({ version: 2, body: 'two' });
    });

    test('commit() does nothing at all when one version is not what was expected', async () => {
      await documents.commit([put('a', 1, 0), put('b', 1, 0)]);
      const attempts: Write[][] = [
        [put('a', 2, 0)],
        [put('a', 2, 2)],
        [put('c', 1, 1)],
        [remove('c', 1)],
        [put('a', 2, 1), put('b', 2, 0)],
        [put('c', 1, 0), remove('b', 9)],
        [remove('a', 1), put('c', 2, 1)],
      ];
      for (const writes of attempts) expect(await documents.commit(writes)).toBe(false);
      expect(await ids()).toEqual(['a', 'b']);
      for (const id of ['a', 'b']) expect(await documents.get(collection, id)).toMatchObject({ version: 1, body: 1 });
    });

    test('what was removed is gone, and may come again', async () => {
      await documents.commit([put('a', 1, 0)]);
      expect(await documents.commit([remove('a', 1), put('b', 1, 0)])).toBe(true);
      expect(await ids()).toEqual(['b']);
      expect(await documents.commit([put('a', 2, 1)])).toBe(false);
      expect(await documents.commit([put('a', 2, 0)])).toBe(true);
      expect(await documents.get(collection, 'a')).toMatchObject({ version: 1, body: 2 });
    });

    test('a check changes nothing, and lets nothing be changed when the version is another', async () => {
      await documents.commit([put('lease', 'mine', 0), put('a', 1, 0)]);
      const check = (id: string, version: number): Write => ({ check: { collection, id }, version });
      expect(await documents.commit([check('lease', 1), put('a', 2, 1)])).toBe(true);
      expect(await documents.get(collection, 'lease')).toMatchObject({ version: 1, body: 'mine' });
      expect(await documents.commit([put('lease', 'theirs', 1)])).toBe(true);
      for (const wrong of [check('lease', 1), check('lease', 3), check('lease', 0), check('nothing', 1)])
        expect(await documents.commit([wrong, put('a', 3, 2)])).toBe(false);
      expect(await documents.commit([check('nothing', 0), put('a', 3, 2)])).toBe(true);
      await expect(documents.commit([check('a', 3), put('a', 4, 3)])).rejects.toThrow(RangeError);
      expect(await documents.get(collection, 'a')).toMatchObject({ version: 3, body: 3 });
      expect(await ids()).toEqual(['a', 'lease']);
    });

    test('of many that want the same version, one gets it', async () => {
      await documents.commit([put('lease', 'nobody', 0)]);
      const results = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          documents.commit([put('lease', `node ${i}`, 1), put(`node ${i}`, 'held', 0)]),
        ),
      );
      expect(results.filter(Boolean)).toHaveLength(1);
      const winner = `node ${results.indexOf(true)}`;
      expect(await documents.get(collection, 'lease')).toMatchObject({ version: 2, body: winner });
      expect(await ids()).toEqual(['lease', winner].sort());
    });

    test('nobody can change a document without a commit', async () => {
      const body = { list: [1] };
      await documents.commit([put('a', body, 0)]);
      body.list.push(2);
      const got = await documents.get(collection, 'a');
      (got!.body as typeof body).list.push(3);
      expect(await documents.get(collection, 'a')).toMatchObject({ body: { list: [1] } });
    });

    test('commit() of nothing succeeds, of the same document twice or of no JSON is refused', async () => {
      expect(await documents.commit([])).toBe(true);
      await expect(documents.commit([put('a', 1, 0), put('a', 2, 0)])).rejects.toThrow(RangeError);
      await expect(documents.commit([put('a', undefined, 0)])).rejects.toThrow(TypeError);
      expect(await ids()).toEqual([]);
    });

    test('after any commits, refused ones included, and after opening again, all is as plain maps have it', async () => {
      const name = fc.oneof(fc.constantFrom('a', 'b', 'c'), hostileText);
      const step = fc.record({
        ids: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
        body: fc.jsonValue(),
        remove: fc.boolean(),
        wrong: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          collection = `suite-${n++}-${process.pid}`;
          const twin = new Map<string, Omit<Document, 'collection' | 'id'>>();
          for (const { ids, body, remove: removes, wrong } of steps) {
            const versions = ids.map((id) => (twin.get(id)?.version ?? 0) + (wrong ? 1 : 0));
            const done = await documents.commit(
              ids.map((id, i) =>
                removes && versions[i]! > 0 ? remove(id, versions[i]!) : put(id, body, versions[i]!),
              ),
            );
            expect(done).toBe(!wrong);
            if (wrong) continue;
            ids.forEach((id, i) => {
              if (removes && versions[i]! > 0) twin.delete(id);
              else twin.set(id, { version: versions[i]! + 1, body: JSON.parse(JSON.stringify(body)) });
            });
          }
          const expected = [...twin].map(([id, rest]) => ({ collection, id, ...rest }));
          const sorted = (list: Document[]) => list.sort((a, b) => (a.id < b.id ? -1 : 1));
          expect(sorted(await documents.list(collection))).toEqual(sorted(expected));
          documents = await opened.reopen();
          expect(sorted(await documents.list(collection))).toEqual(sorted(expected));
          for (const document of expected) expect(await documents.get(collection, document.id)).toEqual(document);
        }),
        { numRuns: engine.runs },
      );
    });
  });
}
