import type { SamplePage, Store } from '../../src/store/store.ts';

/** How often each sample is in a store, by its id. */
export async function idsOf(store: Store): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  let after: string | null = null;
  do {
    const page: SamplePage = await store.samples({
      fromMs: 0,
      toMs: 3e12,
      limit: 20_000,
      columnsOnly: true,
      ...(after !== null && { after }),
    });
    for (const { id } of page.samples) ids.set(id, (ids.get(id) ?? 0) + 1);
    after = page.next;
  } while (after !== null);
  return ids;
}
