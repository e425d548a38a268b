import type { PolicySuggestion } from '../../model/secure/policy-suggestion.ts';
import { flowText } from '../../secure/flows/words.ts';
import { hang, palette, type TextOptions } from '../ansi.ts';
import { plural } from '../format.ts';

const maxNamed = 10;

/** What to know about a suggested policy, beside the policy itself. */
export function renderSuggestionNotes(report: PolicySuggestion, { columns: cells, colors }: TextOptions): string {
  const paint = palette(colors);
  const columns = Math.max(60, Math.min(cells, 120));
  const { proofs, lines, oneOff, leftOut, spanDays, minDays, longEnough, notes } = report;
  const slack = lines.reduce((sum, one) => sum + one.slack.length, 0);
  const verdict = (what: string, shown: NonNullable<PolicySuggestion['proofs']['withinCurrent']>): string[] =>
    shown.verdict === 'proved'
      ? hang(`${paint.verdict.pass('PROVED')} `, what, columns)
      : hang(
          `${paint.verdict.fail(shown.verdict === 'refuted' ? 'REFUTED' : 'NOT PROVED')} `,
          `${what}: ${shown.example}`,
          columns,
        );
  const note = (text: string) => hang(`${paint.verdict.unknown('NOTE')} `, text, columns);
  const reasons = new Map<string, string[]>();
  for (const { flow, why } of leftOut) reasons.set(why, [...(reasons.get(why) ?? []), flowText(flow)]);
  return [
    '',
    paint.bold(
      `${plural(lines.length, 'line')} for ${plural(
        lines.reduce((sum, l) => sum + l.flows, 0),
        'flow',
      )}, seen in ${report.seenBy}`,
    ),
    ...verdict('every flow that was taken is permitted', proofs.observedWithin),
    ...(proofs.withinCurrent
      ? verdict('nothing is permitted that the policy in force does not permit', proofs.withinCurrent)
      : []),
    ...(longEnough
      ? []
      : note(
          `the flows span ${Number(spanDays.toPrecision(2))} days, less than the ${minDays} of --min-days: what happens rarely may be missing`,
        )),
    ...(slack > 0
      ? note(`${plural(slack, 'CIDR')} of addresses that were never seen are in it, named in the comments`)
      : []),
    ...(report.leastCidrs
      ? []
      : note('a line has more than 2,000 blocks of sources: its list may not be the shortest')),
    ...(oneOff.length > 0 ? note(`seen once, to be looked at: ${namedOf(oneOff.map(flowText))}`) : []),
    ...[...reasons].flatMap(([why, flows]) => note(`left out, because ${why}: ${namedOf(flows)}`)),
    ...notes.flatMap(note),
    '',
  ].join('\n');
}

function namedOf(all: readonly string[]): string {
  const more = all.length - maxNamed;
  return `${all.slice(0, maxNamed).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
