import { type Look, looksInWords, type SeenFlow, serviceOf } from '../look.ts';
import { anomaly, type AnomalyRule } from '../rule.ts';

/** Callers that are named; more would hide the first. */
const named = 8;

interface Known {
  callers: Set<string>;
  /** Looks at it, and those of them, from the second on, that brought a caller who was new then. */
  looks: number;
  withNew: number;
}

/** A triple of caller, service and port that no earlier look has shown. One finding for each service. */
export const flowFirstSeen: AnomalyRule = {
  id: 'flow-first-seen',
  about: 'Does somebody call a service who never did before?',
  pillar: 'security',
  of: 'connections',
  needs: 1,
  start: () => {
    const services = new Map<string, Known>();
    let learnt = 0;
    const newcomers = (service: string, flows: readonly SeenFlow[]) => {
      const known = services.get(service)?.callers;
      return [...new Set(flows.map(({ from }) => from))].filter((from) => known?.has(from) !== true);
    };
    return {
      judge: (look) => {
        const now = byService(look);
        const findings = [...now].flatMap(([service, flows]) => {
          const callers = newcomers(service, flows);
          if (callers.length === 0) return [];
          const known = services.get(service);
          // Where strangers are the rule, one more is no news.
          const isPublicFacing = known !== undefined && known.looks > 2 && 2 * known.withNew >= known.looks - 1;
          const who = `${callers.slice(0, named).join(', ')}${callers.length > named ? ` and ${callers.length - named} more` : ''}`;
          const claim = known
            ? `${service} is called by ${addresses(callers.length)} that never called it in ${looksInWords(learnt)}: ${who}`
            : `${service} is called by ${addresses(callers.length)}, and by nobody in ${looksInWords(learnt)}: ${who}`;
          const usual = known
            ? `in ${known.withNew} of ${Math.max(0, known.looks - 1)} earlier looks somebody new came, too`
            : 'the service itself is new here';
          return [
            anomaly(
              'flow-first-seen',
              service,
              {
                severity: isPublicFacing ? 'info' : 'warning',
                claim,
                details: [usual],
                evidence: [
                  {
                    metric: 'callers not seen before',
                    value: callers.length,
                    unit: 'callers',
                    n: learnt,
                    how: look.name,
                  },
                ],
                confidence: learnt < 5 ? 'low' : isPublicFacing ? 'low' : 'medium',
              },
              `Find out what ${callers[0]} wants of ${service}; permit it in the policy by name, or close it`,
            ),
          ];
        });
        return { asked: now.size, findings };
      },
      learn: (look) => {
        learnt++;
        for (const [service, flows] of byService(look)) {
          const isNew = newcomers(service, flows).length > 0;
          const known = services.get(service) ?? { callers: new Set<string>(), looks: 0, withNew: 0 };
          if (known.looks > 0 && isNew) known.withNew++;
          known.looks++;
          for (const { from } of flows) known.callers.add(from);
          services.set(service, known);
        }
      },
    };
  },
};

function byService({ connections }: Look): Map<string, SeenFlow[]> {
  const services = new Map<string, SeenFlow[]>();
  for (const flow of connections?.flows ?? []) {
    const service = serviceOf(flow);
    const known = services.get(service);
    if (known) known.push(flow);
    else services.set(service, [flow]);
  }
  return services;
}

const addresses = (count: number): string => (count === 1 ? 'an address' : `${count} addresses`);
