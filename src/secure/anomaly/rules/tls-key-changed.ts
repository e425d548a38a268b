import type { SeenTls } from '../look.ts';
import { anomaly, type AnomalyRule } from '../rule.ts';

/** A certificate that would have ended so soon is renewed, and many renew the key with it. */
const renewalDays = 35;
const dayMs = 86_400_000;

/** An endpoint shows another public key than before. Near the end of the certificate that is a renewal; far from it somebody changed it. */
export const tlsKeyChanged: AnomalyRule = {
  id: 'tls-key-changed',
  about: 'Does an endpoint show another public key than before?',
  pillar: 'security',
  of: 'tls',
  needs: 1,
  start: () => {
    const last = new Map<string, SeenTls>();
    return {
      judge: ({ tls, name, atMs }) => {
        const known = (tls ?? []).filter((one) => one.keySha256 !== null && last.has(one.endpoint));
        const findings = known.flatMap((now) => {
          const before = last.get(now.endpoint)!;
          if (now.keySha256 === before.keySha256) return [];
          const leftDays = before.notAfter === null ? null : (Date.parse(before.notAfter) - atMs) / dayMs;
          const isDue = leftDays !== null && leftDays <= renewalDays;
          const when =
            leftDays === null || Number.isNaN(leftDays)
              ? 'when the certificate of before would have ended is not known'
              : `the certificate of before was good for another ${Math.round(leftDays)} days`;
          return [
            anomaly(
              'tls-key-changed',
              now.endpoint,
              {
                severity: isDue ? 'info' : 'warning',
                claim: `${now.endpoint} shows another public key than before (${short(before.keySha256)} then, ${short(now.keySha256)} now); ${when}`,
                details: isDue ? ['so near its end a renewal is to be expected'] : [],
                evidence: [
                  {
                    metric: 'days left of the certificate before',
                    value: leftDays ?? 0,
                    unit: 'days',
                    n: 2,
                    how: name,
                  },
                ],
                confidence: isDue ? 'low' : 'medium',
              },
              'Ask who renewed it; if nobody did, somebody stands between you and the server',
            ),
          ];
        });
        return { asked: known.length, findings };
      },
      learn: ({ tls }) => {
        for (const one of tls ?? []) if (one.keySha256 !== null) last.set(one.endpoint, one);
      },
    };
  },
};

const short = (sha256: string | null): string => (sha256 ?? '').slice(0, 12);
