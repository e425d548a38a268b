import { expect, test } from 'vitest';
import { memoryDocuments } from '../../test/fakes/memory-store.ts';
import { fakeIo } from '../../test/fakes/io.ts';
import { Audit, type AuditEntry } from './audit.ts';

const event = (subject: string) => ({
  actor: 'test',
  address: null,
  action: 'test.do',
  subject,
  detail: { b: 1, a: 'x' },
});

async function filled(entries = 5) {
  const documents = memoryDocuments();
  const audit = new Audit(documents, fakeIo().clock);
  for (let i = 1; i <= entries; i++) await audit.commit(event(`thing ${i}`));
  const body = (n: number) => documents.all.get(`audit\0${String(n).padStart(12, '0')}`)?.body as AuditEntry;
  return { documents, audit, body };
}

test('an audit log that nobody touched is intact, and pages from the newest', async () => {
  const { audit, body } = await filled();
  expect(await audit.verify()).toEqual({
    intact: true,
    entries: 5,
    prunedThrough: 0,
    head: body(5).hash,
    broken: null,
  });
  expect((await audit.page(undefined, 2)).map((e) => e.sequence)).toEqual([5, 4]);
  expect((await audit.page(4, 10)).map((e) => e.sequence)).toEqual([3, 2, 1]);
  expect(await audit.page(1, 10)).toEqual([]);
});

test('verify() names the first entry of which any field was changed', async () => {
  const changes: [string, (e: AuditEntry) => void][] = [
    ['actor', (e) => (e.actor = 'somebody else')],
    ['at', (e) => (e.at = '2020-01-01T00:00:00.000Z')],
    ['address', (e) => (e.address = '10.0.0.1')],
    ['action', (e) => (e.action = 'test.nothing')],
    ['subject', (e) => (e.subject = 'another thing')],
    ['detail', (e) => (e.detail['a'] = 'y')],
    ['hash', (e) => (e.hash = '0'.repeat(64))],
    ['previous', (e) => (e.previous = '0'.repeat(64))],
  ];
  for (const [field, change] of changes) {
    const { audit, body } = await filled();
    change(body(3));
    const { intact, broken } = await audit.verify();
    expect([field, intact, broken?.sequence]).toEqual([field, false, 3]);
  }
});

test('verify() sees entries that were taken out, in the middle and at the end', async () => {
  for (const gone of [1, 3, 5]) {
    const { documents, audit } = await filled();
    documents.all.delete(`audit\0${String(gone).padStart(12, '0')}`);
    expect((await audit.verify()).broken?.sequence).toBe(gone);
  }
});

test('two writers make one chain, and an entry is there exactly when its change is', async () => {
  const documents = memoryDocuments();
  const [one, two] = [new Audit(documents, fakeIo().clock), new Audit(documents, fakeIo().clock)];
  const put = (id: string, version: number) => ({ put: { collection: 'x', id, body: {} }, version });
  const done = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 ? one : two).commit(event(`thing ${i}`), [put(String(i % 20), 0)]),
    ),
  );
  // Each of twenty documents was to be made twice, and was made once.
  expect(done.filter(Boolean)).toHaveLength(20);
  expect(await one.verify()).toMatchObject({ intact: true, entries: 20 });
});

test('what is old is removed a hundred at a time, and what is left stays provable from its anchor', async () => {
  const { documents, audit, body } = await filled(250);
  // All of the same moment: older than minus one millisecond, not older than an hour.
  expect(await audit.prune(3_600_000)).toBe(0);
  const hundredth = body(100).hash;
  expect(await audit.prune(-1)).toBe(100);
  expect(body(251)).toMatchObject({ action: 'audit.prune', detail: { through: 100, hash: hundredth } });
  expect(documents.all.has(`audit\0${'100'.padStart(12, '0')}`)).toBe(false);
  expect(await audit.verify()).toMatchObject({ intact: true, entries: 151, prunedThrough: 100 });
  expect(await audit.prune(-1)).toBe(100);
  // 52 are left.
  expect(await audit.prune(-1)).toBe(0);
  expect(await audit.verify()).toMatchObject({ intact: true, entries: 52, prunedThrough: 200 });
  expect((await audit.page(undefined, 100)).map((e) => e.sequence).at(-1)).toBe(201);
  await audit.commit(event('after'));
  expect(await audit.verify()).toMatchObject({ intact: true, entries: 53 });
  body(201).subject = 'another';
  expect((await audit.verify()).broken?.sequence).toBe(201);
});

test('a beginning that was cut off is seen, with its anchor moved as well', async () => {
  for (const pruned of [false, true]) {
    const { documents, audit, body } = await filled(150);
    if (pruned) await audit.prune(-1);
    const first = pruned ? 101 : 1;
    const { hash } = body(first + 4);
    for (let n = first; n < first + 5; n++) documents.all.delete(`audit\0${String(n).padStart(12, '0')}`);
    expect((await audit.verify()).broken?.sequence).toBe(first);
    const id = { collection: 'audit-anchor', id: 'anchor' };
    await documents.commit([{ put: { ...id, body: { sequence: first + 4, hash } }, version: pruned ? 1 : 0 }]);
    expect((await audit.verify()).broken).toMatchObject({
      sequence: first + 5,
      why: expect.stringContaining('no entry tells') as string,
    });
  }
});

test('a broken part of the log is not removed', async () => {
  const { documents, audit, body } = await filled(150);
  body(50).actor = 'somebody else';
  await expect(audit.prune(-1)).rejects.toThrow('entry 50 was changed');
  expect(documents.all.has(`audit\0${'1'.padStart(12, '0')}`)).toBe(true);
});

test('two nodes that remove at once remove once', async () => {
  const { documents, audit } = await filled(250);
  const other = new Audit(documents, fakeIo().clock);
  const removed = await Promise.all([audit.prune(-1), other.prune(-1)]);
  expect(removed.toSorted((a, b) => a - b)).toEqual([0, 100]);
  expect(await other.verify()).toMatchObject({ intact: true, prunedThrough: 100 });
});
