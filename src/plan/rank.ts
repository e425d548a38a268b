import type { Change } from '../model/change.ts';
import type { Finding } from '../model/finding.ts';

const verdictOrder = { fail: 0, unknown: 1, pass: 2 } as const;
const severityOrder = { critical: 0, warning: 1, info: 2 } as const;

/** Failures first, then what is unknown, then what passed; within that the graver first, else in the order given. */
export function rankFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (a, b) =>
      verdictOrder[a.verdict] - verdictOrder[b.verdict] || severityOrder[a.severity] - severityOrder[b.severity],
  );
}

/** What one part found and proposes. */
export interface Proposals {
  findings: readonly Finding[];
  changes: readonly Change[];
}

/**
 * Changes of all parts: first the best one of each part, the parts with the gravest findings first, then the second ones, and so
 * on, so that the top of the list mends different things. Each part gives its own in the order of what they buy. The same change
 * of two parts stands once, with what it buys in both.
 */
export function rankChanges(parts: readonly Proposals[]): Change[] {
  const byGravity = parts
    .filter(({ changes }) => changes.length > 0)
    .toSorted((a, b) => gravity(a.findings) - gravity(b.findings));
  const rounds = Math.max(0, ...byGravity.map(({ changes }) => changes.length));
  const ranked = Array.from({ length: rounds }, (_, round) => byGravity.flatMap(({ changes }) => changes[round] ?? []));
  const merged = new Map<string, Change>();
  for (const change of ranked.flat()) {
    const key = `${change.id}\n${change.target}\n${change.after}`;
    const known = merged.get(key);
    merged.set(key, known ? { ...known, buys: [...known.buys, ...change.buys] } : change);
  }
  return [...merged.values()];
}

function gravity(findings: readonly Finding[]): number {
  const failed = findings.filter(({ verdict }) => verdict === 'fail');
  return Math.min(3, ...failed.map(({ severity }) => severityOrder[severity]));
}
