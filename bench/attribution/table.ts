import type { PartScore, Score } from './score.ts';
import type { Scenario } from './scenarios.ts';

export interface Row {
  scenario: Scenario;
  score: Score;
}

const ms = (value: number) => (Math.abs(value) < 10 ? value.toFixed(1) : value.toFixed(0));
const percent = (share: number, digits = 0) => (Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–');

const head = [
  'scenario',
  'ttft inside',
  'total inside',
  'ttft width',
  'total width',
  'stalls right / wrong / undetermined',
  'evidence',
  'middle of ours: near, median error',
  'mean handshake: near, median error',
];

/** The table of the README: what each column means stands there. */
export function markdownTable(rows: readonly Row[]): string {
  const lines = rows.map(({ scenario, score }) => [
    `\`${scenario.name}\``,
    inside(score.ttft),
    inside(score.total),
    width(score.ttft),
    width(score.total),
    `${score.stalls.right} / ${score.stalls.wrong} / ${score.stalls.undetermined}`,
    Object.entries(score.evidence)
      .map(([grade, count]) => (count === score.answered ? grade : `${grade} ${count}`))
      .join(', '),
    `${percent(score.ours.within)}, ${ms(score.ours.medianErrorMs)} ms`,
    `${percent(score.peer.within)}, ${ms(score.peer.medianErrorMs)} ms`,
  ]);
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function inside({ n, inside: count, worstMissMs }: PartScore): string {
  const missed = count === n ? '' : `, worst ${worstMissMs > 0 ? '+' : '−'}${ms(Math.abs(worstMissMs))} ms`;
  return `${percent(count / n, 1)} (${count}/${n}${missed})`;
}

function width({ widthMs, widthShare }: PartScore): string {
  return `${percent(widthShare, 1)}, ${ms(widthMs)} ms`;
}

/** Goals of the bench: 99 % inside, 5 % width or 2 ms where the server reports, 1 % of the stalls blamed wrongly. */
export function missedGoals({ scenario, score }: Row): string[] {
  const missed: string[] = [];
  const reported = (score.evidence['server-reported'] ?? 0) > score.answered / 2;
  for (const part of ['ttft', 'total'] as const) {
    const { n, inside: count, widthShare, widthMs } = score[part];
    if (count < 0.99 * n) missed.push(`${part} inside ${percent(count / n, 1)}`);
    if (reported ? widthMs > 2 : widthShare > 0.05)
      missed.push(`${part} width ${reported ? `${ms(widthMs)} ms` : percent(widthShare, 1)}`);
  }
  const { right, wrong, undetermined } = score.stalls;
  if (wrong > 0.01 * (right + wrong + undetermined))
    missed.push(`${wrong} of ${right + wrong + undetermined} stalls wrong`);
  if (score.answered < score.requests) missed.push(`${score.requests - score.answered} requests without an answer`);
  return missed.map((what) => `${scenario.name}: ${what}`);
}
