import * as z from 'zod';
import type { Network } from '../model/network.ts';

export const networkChange = z
  .object({
    path: z.string().meta({ description: 'Where, with the names of what has one: endpoints.eu-chat.url.' }),
    change: z.enum(['added', 'removed', 'changed']),
  })
  .meta({ description: 'One difference between two versions of the network file. Values are not told.' });
export type NetworkChange = z.infer<typeof networkChange>;

/** What differs between two network files. Entries of lists are matched by name, so that moving one is no change. */
export function diffNetworks(before: Network, after: Network): NetworkChange[] {
  return [...differences(before, after, '')];
}

function* differences(before: unknown, after: unknown, path: string): Iterable<NetworkChange> {
  if (before === undefined && after === undefined) return;
  if (before === undefined) yield { path, change: 'added' };
  else if (after === undefined) yield { path, change: 'removed' };
  else {
    const [left, right] = [partsOf(before), partsOf(after)];
    if (left && right)
      for (const key of new Set([...left.keys(), ...right.keys()]))
        yield* differences(left.get(key), right.get(key), path === '' ? key : `${path}.${key}`);
    else if (JSON.stringify(before) !== JSON.stringify(after)) yield { path, change: 'changed' };
  }
}

/** The named parts of an object or of a list of things with names; null for all that is compared as a whole. */
function partsOf(value: unknown): Map<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const named = value.map((v: unknown) => (typeof v === 'object' && v !== null && 'name' in v ? String(v.name) : null));
  const isNamed = named.every((name) => name !== null) && new Set(named).size === named.length;
  return isNamed ? new Map(named.map((name, i) => [name, value[i] as unknown])) : null;
}
