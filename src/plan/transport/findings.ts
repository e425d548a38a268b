import type { Change } from '../../model/change.ts';
import type { Finding } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { TransportChoice, TransportOption } from '../../model/plan/transport.ts';

/** Whether anything that was offered keeps what the pair of sites needs. */
export function transportFindings(choice: TransportChoice): Finding[] {
  const { from, to, options, needGbps } = choice;
  const quoted = options.filter((o) => o.quote !== null);
  const best = options.find((o) => o.status === 'chosen');
  const open = options.filter((o) => o.status === 'undecided' || o.status === 'notPriced');
  const shared = {
    id: 'transport-choice',
    pillar: 'scale' as const,
    subject: `${from} – ${to}`,
    evidence: [{ metric: 'need', value: needGbps.value, unit: 'Gbit/s', n: 0, how: needGbps.how }],
    confidence: 'medium' as const,
  };
  if (best)
    return [
      {
        ...shared,
        verdict: 'pass',
        severity: 'info',
        claim: `${best.quote} (${best.name}) keeps what ${from} – ${to} needs, ${best.why}`,
        details: options.filter((o) => o !== best && o.quote !== null).map(lost),
        coverage: 1,
      },
    ];
  if (open.length > 0)
    return [
      {
        ...shared,
        verdict: 'unknown',
        severity: 'warning',
        claim: `nothing can be chosen for ${from} – ${to} yet: of ${quoted.length} quotes none keeps everything for certain, and ${open.length} kinds or quotes could`,
        details: quoted.map(lost),
        coverage: 0.5,
        remedy: { text: questionOf(open) },
      },
    ];
  return [
    {
      ...shared,
      verdict: 'fail',
      severity: 'critical',
      claim: `nothing that is known keeps what ${from} – ${to} needs for ${Number(needGbps.value.toPrecision(3))} Gbit/s`,
      details: options.map(lost),
      coverage: 1,
      remedy: { text: 'Loosen what most of them fail at, or place inference nearer (inferpath plan placement)' },
    },
  ];
}

const lost = (o: TransportOption): string => `${o.quote ?? o.name}: ${o.why}`;

function questionOf(open: readonly TransportOption[]): string {
  const quoted = open.find((o) => o.quote !== null);
  if (quoted) return `Settle for ${quoted.quote}: ${quoted.why}`;
  return `Ask for quotes: ${open.map((o) => o.name).join(', ')}`;
}

/** The chosen quote as a change, where the connection is required: what it adds, what it costs, how to see that it is there. */
export function transportChanges({ links, planning }: Network, choice: TransportChoice): Change[] {
  const { from, to } = choice;
  const best = choice.options.find((o) => o.status === 'chosen');
  if (!best?.cost || !choice.required) return [];
  const direct = links.filter((l) => (l.from === from && l.to === to) || (l.from === to && l.to === from));
  const had = direct.reduce((sum, { capacityGbps = 0 }) => sum + capacityGbps, 0);
  const gained = best.cost.units * (best.unitGbps ?? 0);
  const { setup, monthly, units } = best.cost;
  const carrier = best.carrier ? ` of ${best.carrier}` : '';
  return [
    {
      id: 'buy-transport',
      target: `${from} – ${to}`,
      before: had > 0 ? `${had} Gbit/s on ${direct.length} direct links` : 'no direct link of known capacity',
      after: `${units} × ${best.name}${carrier} (${best.quote}) beside them`,
      buys: [{ metric: 'direct capacity', before: had, after: had + gained, unit: 'Gbit/s' }],
      cost: { setup, monthly, currency: planning.currency },
      verify: `inferpath ping and inferpath throughput from ${from} to ${to} over the new link`,
      rollback: 'Keep the old links until it has carried a busy day; the term of the quote binds once it is signed',
    },
  ];
}
