import type { Outcome } from '../../model/outcome.ts';
import type { Io } from '../../wire/io.ts';
import { lookupHost } from '../dns.ts';
import { setAddress, type TargetTable } from './targets.ts';

/** Names asked for at the same time; the resolver of the system has few threads anyway. */
const AT_ONCE = 32;

/**
 * Looks up every name in the table, each once, and writes the first address that the resolver gives.
 * @returns what became of those that have none, by target
 */
export async function resolveNames(
  table: TargetTable,
  family: 4 | 6 | undefined,
  io: Io,
  signal: AbortSignal,
): Promise<Map<number, Outcome>> {
  const unresolved = new Map<number, Outcome>();
  const waiting = table.hosts.entries();
  const work = async () => {
    for (const [index, host] of waiting) {
      const { addresses, outcome } = await lookupHost(host, family, io, signal);
      const first = addresses[0]?.address;
      if (first === undefined) unresolved.set(index, outcome);
      else setAddress(table, index, first);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, table.hosts.size) }, work));
  return unresolved;
}
