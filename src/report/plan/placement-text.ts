import type { PlacementCase } from '../../model/plan/placement.ts';
import { hang, palette, type TextOptions, wrap } from '../ansi.ts';
import { plural } from '../format.ts';

const words = { median: 'sum of distances', centre: 'greatest distance', capacitated: 'cost' } as const;

/** A published case for a terminal: what was found, how good it is proven to be, and the sites. */
export function renderPlacementCase(report: PlacementCase, { columns, colors }: TextOptions): string {
  const paint = palette(colors);
  const { problem, clients, sites, maxOpen, open, seconds, nodesSearched } = report;
  const limit = maxOpen === null ? '' : `, at most ${maxOpen} to open`;
  return [
    paint.bold(`${report.file}: ${problem} of ${plural(clients, 'client')} and ${plural(sites, 'site')}${limit}`),
    ...hang('', resultWords(report), columns),
    ...(open.length > 0 ? hang('open  ', open.join(' '), columns) : []),
    ...wrap(`${plural(nodesSearched, 'part')} of the search in ${seconds.toFixed(2)} s`, columns).map(paint.dim),
    ...report.notes.flatMap((note) => hang(`${paint.verdict.unknown('NOTE')} `, note, columns)),
    '',
  ].join('\n');
}

function resultWords({ problem, objective, lowerBound, gap, proven, stopped }: PlacementCase): string {
  if (objective === null)
    return `nobody can be served by so few sites as far as was looked; ${words[problem]} is at least ${amount(lowerBound)}`;
  const found = `${words[problem]} ${amount(objective)}`;
  if (proven) return `${found}, proven to be the least`;
  const why = stopped === 'time' ? 'the time was over' : 'interrupted';
  return `${found}, at least ${amount(lowerBound)}: at most ${percentGap(gap ?? 1)} above the least (${why})`;
}

const amount = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 3 });
const percentGap = (gap: number): string => `${Number((gap * 100).toPrecision(2))} %`;
