import type { SeenAccess } from '../look.ts';
import { anomaly, type AnomalyRule } from '../rule.ts';

const openness = { enforced: 0, partial: 1, none: 2 } as const;

/** An inference server asks less of its callers than before. */
export const authBecameOpen: AnomalyRule = {
  id: 'auth-became-open',
  about: 'Does an inference server let callers in without a key who needed one before?',
  pillar: 'security',
  of: 'access',
  needs: 1,
  start: () => {
    const last = new Map<string, SeenAccess>();
    return {
      judge: ({ access, name }) => {
        const known = (access ?? []).filter((one) => one.authentication !== 'unknown' && last.has(one.server));
        const findings = known.flatMap((now) => {
          const before = last.get(now.server)!;
          const opened = now.openPaths.filter((path) => !before.openPaths.includes(path));
          const isWider = now.authentication === 'partial' && before.authentication === 'partial' && opened.length > 0;
          if (rank(now) <= rank(before) && !isWider) return [];
          const what = opened.length > 0 ? `; open now: ${opened.slice(0, 8).join(', ')}` : '';
          return [
            anomaly(
              'auth-became-open',
              now.server,
              {
                severity: 'critical',
                claim: `${now.server} (${now.engine}): authentication was ${before.authentication} and is ${now.authentication}${what}`,
                details: [],
                evidence: [
                  { metric: 'paths open without a key', value: now.openPaths.length, unit: 'paths', n: 2, how: name },
                ],
              },
              'Set the key again, or let only a proxy that asks for one reach the server',
            ),
          ];
        });
        return { asked: known.length, findings };
      },
      learn: ({ access }) => {
        for (const one of access ?? []) if (one.authentication !== 'unknown') last.set(one.server, one);
      },
    };
  },
};

const rank = ({ authentication }: SeenAccess): number => (authentication === 'unknown' ? 0 : openness[authentication]);
