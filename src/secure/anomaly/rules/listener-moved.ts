import { isLoopback } from '../../../stats/address.ts';
import { type Look, looksInWords } from '../look.ts';
import { anomaly, type AnomalyRule } from '../rule.ts';

/** A service that waited on the loopback interface alone and now waits for everybody. */
export const listenerMoved: AnomalyRule = {
  id: 'listener-moved',
  about: 'Does a service wait for others now that waited for its own host alone?',
  pillar: 'security',
  of: 'connections',
  needs: 1,
  start: () => {
    /** Port → looks at which it was open, and whether ever beyond the host. */
    const known = new Map<string, { looks: number; beyond: boolean }>();
    return {
      judge: (look) => {
        const ports = openBeyond(look);
        const findings = [...ports].flatMap(([port, beyond]) => {
          const before = known.get(port);
          if (!before || before.beyond || beyond.length === 0) return [];
          return [
            anomaly(
              'listener-moved',
              port,
              {
                severity: 'critical',
                claim: `${port} waits on ${beyond.join(', ')} now; in ${looksInWords(before.looks)} it waited on loopback alone`,
                details: ['an inference server bound to all addresses is open to whoever reaches the host'],
                evidence: [
                  {
                    metric: 'addresses beyond loopback',
                    value: beyond.length,
                    unit: 'addresses',
                    n: before.looks,
                    how: look.name,
                  },
                ],
              },
              `Bind it to 127.0.0.1 again, or permit those who may reach it in the policy and deny the rest`,
            ),
          ];
        });
        return { asked: ports.size, findings };
      },
      learn: (look) => {
        for (const [port, beyond] of openBeyond(look)) {
          const before = known.get(port) ?? { looks: 0, beyond: false };
          known.set(port, { looks: before.looks + 1, beyond: before.beyond || beyond.length > 0 });
        }
      },
    };
  },
};

/** Every port that is certainly a server's, with its addresses beyond the host. */
function openBeyond({ connections }: Look): Map<string, string[]> {
  const ports = new Map<string, string[]>();
  for (const { protocol, address, port, certain } of connections?.listeners ?? []) {
    if (!certain) continue;
    const key = `${protocol}/${port}`;
    const beyond = ports.get(key) ?? [];
    if (!isLoopback(address)) beyond.push(address);
    ports.set(key, beyond);
  }
  return ports;
}
