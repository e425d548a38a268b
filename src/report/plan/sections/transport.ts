import type { PlanTransport } from '../../../model/plan/transport.ts';
import { num } from '../../format.ts';
import { section, table } from './section.ts';

/** What to buy between sites, and why each other offer lost. */
export function transportSection({ choices, currency, years }: PlanTransport): string {
  const money = (value: number) => Math.round(value).toLocaleString('en');
  const rows = choices.flatMap(({ from, to, needGbps, options }) =>
    options
      .filter(({ quote }) => quote !== null)
      .map(({ name, quote, carrier, status, why, cost }) => [
        `${from} – ${to} (${num(needGbps.value)} Gbit/s)`,
        `${quote ?? name}: ${name}${carrier === null ? '' : ` of ${carrier}`}`,
        status,
        cost === null ? '–' : money(cost.total),
        why,
      ]),
  );
  const chosen = choices.filter(({ chosen }) => chosen !== null).length;
  return section(
    'transport',
    'Transport',
    `${chosen} of ${choices.length} connections have an offer that keeps everything; costs are those of the quotes over ${years} years, growth included.`,
    rows.length > 0 ? table(['Connection', 'Offer', 'Verdict', `All costs (${currency})`, 'Why'], rows) : '',
  );
}
