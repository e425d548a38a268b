/** What a STAMP reflector counts; one number each in memory that its thread shares with the one that started it. */
export const stampCounters = [
  'received',
  'reflected',
  'malformed',
  'unauthenticated',
  'rateLimited',
  'sessionsFull',
  'unsent',
  'dropped',
  'unstamped',
  'sessions',
] as const;
export type StampCounter = (typeof stampCounters)[number];
export type StampStats = Record<StampCounter, number>;

export function readStampStats(counters: Float64Array): StampStats {
  return Object.fromEntries(stampCounters.map((name, i) => [name, counters[i] ?? 0])) as StampStats;
}
