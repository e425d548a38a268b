import { describeOutcome, type Outcome } from '../../model/outcome.ts';
import { type Draft, perEndpoint, type Subject } from '../per-endpoint.ts';
import { count, percent } from '../say.ts';

export const reachable = perEndpoint(
  { id: 'reachable', about: 'Is there a way to the endpoint at all?', pillar: 'reach' },
  (subject): Draft => {
    const outcomes = attempts(subject);
    const came = outcomes.filter(arrived).length;
    const barred = outcomes.filter((o) => !arrived(o));
    if (outcomes.length === 0)
      return { verdict: 'unknown', claim: 'nothing tried to reach it: 0 attempts', coverage: 0 };
    const value = `${came} of ${count(outcomes.length, 'attempt')} to connect arrived, ${percent(came / outcomes.length)}`;
    const evidence = [
      {
        metric: 'connections that arrived',
        value: came / outcomes.length,
        unit: 'share',
        n: outcomes.length,
        how: 'DNS, TCP, TLS and inference outcomes',
      },
    ];
    const details = [...new Set(barred.map(describeOutcome))].slice(0, 3);
    if (came === 0 && outcomes.length < 3)
      return {
        verdict: 'unknown',
        claim: `${value}: needs ${3 - outcomes.length} more attempts before that means something`,
        details,
        evidence,
        coverage: outcomes.length / 3,
      };
    if (came === 0)
      return {
        verdict: 'fail',
        severity: 'critical',
        claim: value,
        details,
        evidence,
        confidence: 'high',
        remedy: { text: advice(barred) },
      };
    return { verdict: 'pass', claim: value, details, evidence };
  },
);

/** How every attempt to connect ended; ICMP may be filtered on purpose and does not count. */
function attempts({ view, name }: Subject): Outcome[] {
  const all = [view.of('tcp', name), view.of('tls', name)].flatMap((list) => list.map((o) => o.outcome));
  // A name that resolves is no connection yet; one that does not resolve bars every one.
  const names = view.of('dns', name).filter((o) => o.outcome.kind !== 'answered');
  const pings = view.of('ping', name).filter((o) => o.method === 'tcp-connect');
  const requests = view.of('inference', name).map((o) => o.request.outcome);
  return [...names.map((o) => o.outcome), ...all, ...pings.map((o) => o.outcome), ...requests].filter(
    (o) => o.kind !== 'interrupted',
  );
}

/** The peer itself answered, whatever it said: a rejection or a broken stream came over a working path. */
function arrived(o: Outcome): boolean {
  if (o.kind === 'answered' || o.kind === 'rejected' || o.kind === 'brokenStream') return true;
  // From the TLS phase on, TCP has connected.
  if (o.kind === 'timedOut' || o.kind === 'failed') return !['dns', 'tcp', 'proxy'].includes(o.phase);
  return false;
}

function advice(barred: readonly Outcome[]): string {
  const first = barred[0];
  if (barred.some((o) => o.kind === 'failed' && o.phase === 'dns'))
    return 'the name does not resolve from here: check its spelling, the resolver and split-horizon DNS';
  if (first?.kind === 'refused')
    return 'the host answers but nothing listens on the port: start the service or correct port and firewall';
  if (first?.kind === 'unreachable') return `${describeOutcome(first)}: check routes and firewalls there`;
  return 'packets vanish without an answer: a firewall or security group drops them, or there is no route back';
}
