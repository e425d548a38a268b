import { type Look, looksInWords, serviceOf } from '../look.ts';
import { anomaly, type AnomalyContext, type AnomalyRule } from '../rule.ts';

/** A host that serves inference and never opened a connection beyond one's own addresses does so now. */
export const inferenceEgressFirstSeen: AnomalyRule = {
  id: 'inference-egress-first-seen',
  about: 'Does an inference host open connections to the outside that never did?',
  pillar: 'security',
  of: 'connections',
  needs: 1,
  start: (context) => {
    /** Inference hosts → looks that showed them, and whether they ever went out. */
    const known = new Map<string, { looks: number; out: boolean }>();
    return {
      judge: (look) => {
        const hosts = outsideCalls(look, context);
        const findings = [...hosts].flatMap(([host, calls]) => {
          const before = known.get(host);
          if (!before || before.out || calls.size === 0) return [];
          const named = [...calls].slice(0, 8).join(', ');
          return [
            anomaly(
              'inference-egress-first-seen',
              host,
              {
                severity: 'critical',
                claim: `${host} serves inference and opened connections to ${calls.size} outside, which it never did in ${looksInWords(before.looks)}: ${named}`,
                details: ['weights, prompts and answers leave a host this way'],
                evidence: [
                  { metric: 'services outside', value: calls.size, unit: 'services', n: before.looks, how: look.name },
                ],
              },
              'Find the process behind it; give inference hosts no way out but to what they need, by name',
            ),
          ];
        });
        return { asked: hosts.size, findings };
      },
      learn: (look) => {
        for (const [host, calls] of outsideCalls(look, context)) {
          const before = known.get(host) ?? { looks: 0, out: false };
          known.set(host, { looks: before.looks + 1, out: before.out || calls.size > 0 });
        }
      },
    };
  },
};

/** Each inference host of a look with what it called outside. */
function outsideCalls({ connections }: Look, { isInference, isOutside }: AnomalyContext): Map<string, Set<string>> {
  const hosts = new Map<string, Set<string>>();
  const host = (address: string) => {
    const known = hosts.get(address) ?? new Set<string>();
    hosts.set(address, known);
    return known;
  };
  for (const flow of connections?.flows ?? []) {
    const { from, to } = flow;
    if (isInference(to)) host(to);
    if (!isInference(from)) continue;
    if (isOutside(to)) host(from).add(serviceOf(flow));
    else host(from);
  }
  return hosts;
}
