import { printable } from '../../model/outcome.ts';
import type { PolicyDriftReport } from '../../model/secure/policy-drift.ts';
import type { Flow } from '../../model/secure/snapshot.ts';
import { flowText, serviceWord } from '../../secure/flows/words.ts';
import { cells as cellsOf, clip, hang, type Palette, palette, pad, type TextOptions, wrap } from '../ansi.ts';
import { plural } from '../format.ts';

/** Rows of one list that are printed; --json has them all. */
const maxRows = 20;

/** Policy against what was seen, for a terminal: what would break first, then what nobody uses, who listens, who is new. */
export function renderDrift(report: PolicyDriftReport, { columns: cells, colors }: TextOptions): string {
  const paint = palette(colors);
  const columns = Math.max(60, Math.min(cells, 120));
  const { denials, alreadyDenied, deniedThoughPermitted, permissions, listeners, firstTimeTalkers } = report;
  const { snapshot, seenBy, notes, against } = report;
  const section = (title: string, rows: readonly string[]): string[] =>
    rows.length === 0 ? [] : ['', paint.bold(title), ...rows.slice(0, maxRows), ...moreOf(rows.length, paint)];
  const flowRow = (flow: Flow, more: string) => clip(`  ${pad(flowText(flow), width)} ${times(flow)}${more}`, columns);
  const width = Math.min(
    columns - 30,
    Math.max(20, ...snapshot.flows.slice(0, 2000).map((flow) => cellsOf(flowText(flow)))),
  );
  const reachable = listeners.filter(({ isNew, permittedBy }) => isNew === true || permittedBy.length === 0);
  return [
    paint.bold(`${printable(report.file, 200)}: policy against ${seenBy}`),
    ...wrap(
      `${plural(snapshot.flows.length, 'flow')}, ${plural(snapshot.listeners.length, 'listening socket')}` +
        (report.self.length > 0 ? `, on ${report.self.slice(0, 6).join(', ')}` : ''),
      columns,
    ).map(paint.dim),
    ...section(
      `would be denied: ${denials.length}`,
      denials.map((flow) => flowRow(flow, `, ${flow.hook}${flow.enforcedHere ? '' : ' (not enforced here)'}`)),
    ),
    ...(denials.length === 0 ? ['', ...wrap(`would be denied: 0 in ${seenBy}`, columns)] : []),
    ...section(
      `kept out though permitted: ${deniedThoughPermitted.length}`,
      deniedThoughPermitted.map((flow) => flowRow(flow, `, permitted by ${flow.lines.join(', ')}`)),
    ),
    ...section(
      `kept out already: ${alreadyDenied.length}`,
      alreadyDenied.map((flow) => flowRow(flow, '')),
    ),
    ...section(
      'permissions',
      permissions.flatMap((one) => permissionRows(one, columns, paint)),
    ),
    ...section(
      against ? 'listening sockets that are new or that no line permits' : 'listening sockets that no line permits',
      reachable.map(({ address, protocol, port, process, isNew, certain, permittedBy }) =>
        clip(
          `  ${pad(`${address} ${serviceWord(protocol, port)}`, 30)} ${isNew ? 'new, ' : ''}` +
            `${permittedBy.length > 0 ? permittedBy.join(', ') : 'no line'}${certain ? '' : ', perhaps a client'}` +
            (process === undefined ? '' : `  ${printable(process, 40)}`),
          columns,
        ),
      ),
    ),
    ...section(
      `first-time talkers against ${printable(against?.file ?? '', 60)} (${against?.seenBy ?? ''}): ${firstTimeTalkers?.length ?? 0}`,
      (firstTimeTalkers ?? []).map((flow) => flowRow(flow, '')),
    ),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap((note) => hang(`${paint.verdict.unknown('NOTE')} `, note, columns)),
    '',
  ].join('\n');
}

function permissionRows(
  { line, state, claim, unseenServices }: PolicyDriftReport['permissions'][number],
  columns: number,
  paint: Palette,
): string[] {
  const words = { used: 'used', unused: 'unused', notObservable: 'not seen from here' }[state];
  const row = `  ${pad(line, 24)} ${pad(words, 18)} ${claim}`;
  const shown = state === 'used' ? clip(row, columns) : paint.dim(clip(row, columns));
  return unseenServices.length === 0
    ? [shown]
    : [shown, ...hang('    of it unseen: ', unseenServices.join(', '), columns).map(paint.dim)];
}

const moreOf = (rows: number, paint: Palette): string[] =>
  rows > maxRows ? [paint.dim(`  and ${rows - maxRows} more (--json has all)`)] : [];

const times = ({ seen, process }: Flow): string =>
  `seen ${seen === 1 ? 'once' : `${seen} times`}${process === undefined ? '' : `, ${printable(process, 30)}`}`;
