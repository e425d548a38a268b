import { printable } from '../../model/outcome.ts';
import type { PlanTransport, TransportChoice, TransportOption, TransportToday } from '../../model/plan/transport.ts';
import { hang, pad, type Palette, palette, type TextOptions } from '../ansi.ts';
import { duration, percent } from '../format.ts';
import { rate } from './quantities.ts';

const STATUS = { chosen: 'best', dearer: 'dearer', notPriced: 'no price', undecided: 'open', excluded: 'no' } as const;
const STATUS_CELLS = 10;

/** `inferpath plan transport` for a terminal: for each pair what it needs, what to buy, and why not the rest. */
export function renderTransportText(plan: PlanTransport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  const blocks = [
    ...plan.choices.map((choice) => choiceLines(choice, plan.currency, columns, paint)),
    plan.notes.flatMap((note) => hang('· ', note, columns)).map(paint.dim),
  ];
  return `${blocks.map((block) => block.map((line) => line.trimEnd()).join('\n')).join('\n\n')}\n`;
}

function choiceLines(choice: TransportChoice, currency: string, columns: number, paint: Palette): string[] {
  const { from, to, options, breakEvens } = choice;
  const quoted = options.filter((o) => o.quote !== null);
  const others = options.filter((o) => o.quote === null);
  return [
    paint.bold(`${from} – ${to}`),
    ...hang('  needs ', needs(choice), columns),
    ...(choice.today ? hang('  today ', today(choice.today), columns) : []),
    ...quoted.flatMap((o) => optionLines(o, currency, columns, paint)),
    ...breakEvens.flatMap((b) =>
      hang(
        '  ',
        `${b.cheaperThen} has cost no more than ${b.cheaperFirst} from month ${b.month} on, when ${rate(b.needGbps)} are needed`,
        columns,
      ),
    ),
    ...unquoted(others, columns).map(paint.dim),
  ];
}

function needs({ needGbps, needAtEndGbps, maxRttMs, availability, encryption, diverse }: TransportChoice): string {
  return [
    `${rate(needGbps.value)} today, ${rate(needAtEndGbps)} at the end (${needGbps.origin}: ${needGbps.how})`,
    ...(maxRttMs ? [`round trip ≤ ${duration(maxRttMs.value)} (${maxRttMs.origin})`] : []),
    ...(availability === null ? [] : [`availability ${percentExact(availability)}`]),
    ...(encryption === 'none' ? [] : [`encryption ${encryption}`]),
    ...(diverse ? ['two independent ways'] : []),
  ].join('; ');
}

function today({ links, rttMs, capacityGbps, measured }: TransportToday): string {
  const rates = measured.filter(({ unit }) => unit === 'Gbit/s');
  return [
    links.length > 0 ? links.map((link) => printable(link)).join(', ') : 'no direct link',
    ...(capacityGbps ? [`${rate(capacityGbps.value)} (${capacityGbps.origin})`] : []),
    ...rates.map((one) => `${one.name} ${rate(one.value)} (measured, ${printable(one.how, 200)})`),
    ...(rttMs ? [`round trip ${duration(rttMs.value)} (${rttMs.origin}: ${printable(rttMs.how, 200)})`] : []),
  ].join('; ');
}

function optionLines(option: TransportOption, currency: string, columns: number, paint: Palette): string[] {
  const { status, quote, name, carrier, why, cost } = option;
  const color = status === 'chosen' ? paint.verdict.pass : status === 'undecided' ? paint.verdict.unknown : paint.dim;
  const who = `${printable(quote ?? '')}: ${name}${carrier ? ` of ${printable(carrier)}` : ''}`;
  const head = `  ${color(pad(STATUS[status], STATUS_CELLS))}`;
  const below = ' '.repeat(STATUS_CELLS + 2);
  return [
    ...hang(head, who, columns),
    ...hang(below, printable(why, 1000), columns),
    ...(cost ? hang(below, costText(cost, currency), columns) : []),
  ];
}

function costText(cost: NonNullable<TransportOption['cost']>, currency: string): string {
  const { units, unitsAtEnd, setup, monthly, total, months, missing } = cost;
  const money = (value: number) => `${Math.round(value).toLocaleString('en')} ${currency}`;
  const grows = unitsAtEnd > units ? `${units} to ${unitsAtEnd} units` : `${units} ${units === 1 ? 'unit' : 'units'}`;
  const without = missing.length > 0 ? `; not quoted and not in it: ${missing.join(', ')}` : '';
  return `${grows}: ${money(setup)} once, ${money(monthly)} a month, ${money(total)} over ${months} months${without}`;
}

/** Kinds without a quote: those that could be asked for, and those that would not keep what is needed, by reason. */
function unquoted(others: readonly TransportOption[], columns: number): string[] {
  const could = others.filter((o) => o.status !== 'excluded').map((o) => o.name);
  const byReason = new Map<string, string[]>();
  for (const { status, name, why } of others)
    if (status === 'excluded') byReason.set(why, [...(byReason.get(why) ?? []), name]);
  return [
    ...(could.length > 0 ? hang('  not quoted, could be asked for: ', could.join(', '), columns, 4) : []),
    ...[...byReason].flatMap(([why, names]) =>
      hang('  not quoted, would not do: ', `${names.join(', ')}: ${why}`, columns, 4),
    ),
  ];
}

const percentExact = (share: number): string =>
  share > 0.99 ? `${Number((share * 100).toFixed(5))} %` : percent(share);
