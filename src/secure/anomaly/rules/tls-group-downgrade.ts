import type { SeenTls } from '../look.ts';
import { anomaly, type AnomalyRule } from '../rule.ts';

/** An endpoint that agreed on a post-quantum key exchange and agrees on a classical one now. What could not be seen is no downgrade. */
export const tlsGroupDowngrade: AnomalyRule = {
  id: 'tls-group-downgrade',
  about: 'Did an endpoint fall back from a post-quantum key exchange to a classical one?',
  pillar: 'security',
  of: 'tls',
  needs: 1,
  start: () => {
    const last = new Map<string, SeenTls>();
    return {
      judge: ({ tls, name }) => {
        const known = (tls ?? []).filter((one) => one.isPostQuantum !== null && last.has(one.endpoint));
        const findings = known.flatMap((now) => {
          const before = last.get(now.endpoint)!;
          if (now.isPostQuantum || !before.isPostQuantum) return [];
          return [
            anomaly(
              'tls-group-downgrade',
              now.endpoint,
              {
                severity: 'critical',
                claim: `${now.endpoint} agrees on ${now.group ?? 'a classical group'} where it agreed on ${before.group ?? 'a post-quantum one'} before: what is sent from now on can be recorded and read later`,
                details: [`verdict before ${before.verdict}, now ${now.verdict}`],
                evidence: [{ metric: 'post-quantum key exchange', value: 0, unit: '1', n: 2, how: name }],
              },
              'Look for a changed proxy, library or configuration between the two runs, and for a middlebox that strips groups',
            ),
          ];
        });
        return { asked: known.length, findings };
      },
      learn: ({ tls }) => {
        for (const one of tls ?? []) if (one.isPostQuantum !== null) last.set(one.endpoint, one);
      },
    };
  },
};
