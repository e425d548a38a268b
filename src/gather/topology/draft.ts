/** A network file in the making, of what another tool's file says; `note` becomes a comment behind the entry. */
export interface Draft {
  sites: DraftSite[];
  links: DraftLink[];
  demands: DraftDemand[];
  carriers: string[];
  riskGroups: string[];
  /** What was guessed, left out or read one of several ways. */
  notes: string[];
}

export interface DraftSite {
  name: string;
  role: string;
  lat?: number | undefined;
  lon?: number | undefined;
  users?: number | undefined;
  note?: string | undefined;
}

export interface DraftLink {
  name: string;
  from: string;
  to: string;
  kind?: string | undefined;
  lengthKm?: number | undefined;
  capacityGbps?: number | undefined;
  carrier?: string | undefined;
  riskGroups?: string[] | undefined;
  rttMs?: number | undefined;
  weight?: number | undefined;
  spansKm?: number[] | undefined;
  note?: string | undefined;
}

export interface DraftDemand {
  name: string;
  from: string;
  to: string;
  gbps: number;
  backGbps: number;
}

/** Demands that a draft keeps, the largest first: a network file is written and read by people. */
const maxDemands = 3000;

/** Makes names that a network file allows, each once. */
export function nameMaker(): (wanted: string) => string {
  const taken = new Set<string>();
  return (wanted) => {
    const plain = slug(wanted);
    let name = plain;
    for (let n = 2; taken.has(name); n++) name = `${plain.slice(0, 56)}-${n}`;
    taken.add(name);
    return name;
  };
}

/** `São Paulo (DC 1)` → `sao-paulo-dc-1`. */
function slug(text: string): string {
  const plain = text
    .slice(0, 200)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 60)
    .replace(/[._-]+$/, '');
  return plain === '' ? 'unnamed' : plain;
}

/** What the other file calls it, where the name had to change. */
export function formerName(text: string, name: string): string | undefined {
  return text === name ? undefined : text;
}

/** Demands of both directions of a pair as one entry, the largest first; what is too much or nothing is left out and told. */
export function draftDemands(
  rows: readonly { from: string; to: string; gbps: number }[],
  notes: string[],
): DraftDemand[] {
  const pairs = new Map<string, { from: string; to: string; gbps: number; backGbps: number }>();
  for (const { from, to, gbps } of rows) {
    if (from === to || gbps <= 0) continue;
    const back = pairs.get(`${to} ${from}`);
    const same = pairs.get(`${from} ${to}`);
    if (same) same.gbps += gbps;
    else if (back) back.backGbps += gbps;
    else pairs.set(`${from} ${to}`, { from, to, gbps, backGbps: 0 });
  }
  const all = [...pairs.values()].sort((a, b) => b.gbps + b.backGbps - a.gbps - a.backGbps);
  const kept = all.slice(0, maxDemands);
  if (kept.length < all.length) {
    const sum = (some: typeof all) => some.reduce((total, { gbps, backGbps }) => total + gbps + backGbps, 0);
    const share = ((sum(kept) / sum(all)) * 100).toFixed(1);
    notes.push(`of ${all.length} pairs with demand only the ${maxDemands} largest are here, ${share} % of the traffic`);
  }
  const make = nameMaker();
  return kept.map((pair) => ({ name: make(`${pair.from}-${pair.to}`), ...pair }));
}
