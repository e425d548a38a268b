/** What connects two ports, by the distance and the speed of an electrical lane. */
export interface Medium {
  kind: 'DAC' | 'AOC' | 'optic';
  name: string;
  /** Longest that it reaches, m. */
  reachM: number;
  source: string;
}

/** Copper reaches less the faster a lane is. */
function copperReach(portGbps: number): Medium {
  const dac = (reachM: number, source: string): Medium => ({ kind: 'DAC', name: 'copper cable (DAC)', reachM, source });
  if (portGbps >= 1600) return dac(1, 'assumed: 200 Gbit/s lanes, IEEE P802.3dj aims at 1 m');
  if (portGbps >= 400) return dac(2, 'IEEE 802.3ck, 100 Gbit/s lanes, at least 2 m');
  if (portGbps >= 200) return dac(3, 'IEEE 802.3cd, 50 Gbit/s lanes, at least 3 m');
  return dac(5, 'IEEE 802.3bj and 802.3by, 25 Gbit/s lanes, at least 5 m');
}

const fibre: readonly Medium[] = [
  { kind: 'AOC', name: 'active optical cable', reachM: 30, source: 'assumed: the longest that vendors commonly list' },
  { kind: 'optic', name: 'multimode optics (SR)', reachM: 100, source: 'IEEE 802.3db, SR over OM4' },
  { kind: 'optic', name: 'single-mode optics (DR)', reachM: 500, source: 'IEEE 802.3bs and 802.3df, DR' },
  { kind: 'optic', name: 'single-mode optics (FR)', reachM: 2000, source: 'IEEE 802.3cu, FR' },
  { kind: 'optic', name: 'single-mode optics (LR)', reachM: 10_000, source: 'IEEE 802.3cu, LR' },
];

/** The shortest-reaching medium that spans the distance; null when none does and it is a matter of `plan optical`. */
export function mediumFor(lengthM: number, portGbps: number): Medium | null {
  return [copperReach(portGbps), ...fibre].find(({ reachM }) => lengthM <= reachM) ?? null;
}
