import { wilson } from '../../src/stats/interval.ts';
import type { Counts, Score, TapScore } from './score.ts';

const columns = [
  'condition',
  'tap',
  'sent again (kernel)',
  'ours: recall, precision (95 %), worst seed',
  'tshark: recall, precision',
  'tcptrace, at best: recall, precision',
  'stalls right / wrong / unknown',
  'TTFT error p50, p99; stated p50; inside (against the log alone)',
  'chunks right',
  'at once: said, were',
];
export const tableHead = `| ${columns.join(' | ')} |\n|${columns.map(() => '---|').join('')}`;

/** A condition at a tap, over all seeds; what is wrong follows as comments, a few of each. */
export function tableLine(name: string, tap: 'client' | 'server', scores: readonly Score[]): string {
  const taps: TapScore[] = scores.map((score) => score[tap]);
  const sum = (of: (one: TapScore) => number) => taps.reduce((total, one) => total + of(one), 0);
  const errors = taps.flatMap((one) => one.ttftErrorsMs).sort((a, b) => a - b);
  const at = (p: number) => errors[Math.min(errors.length - 1, Math.floor(p * errors.length))]?.toFixed(1) ?? '–';
  const stated = taps.flatMap((one) => one.statedMs).sort((a, b) => a - b);
  const ours = taps.map((one) => one.ours);
  const tcptrace = taps.flatMap((one) => one.tcptrace ?? []);
  const cells = [
    name,
    tap,
    `${scores.reduce((n, s) => n + s.retransmissions, 0)} (${scores.reduce((n, s) => n + s.kernelRetransmissions, 0)})`,
    withSpread(ours),
    `${recall(added(taps.map((one) => one.tshark)))}, ${precision(added(taps.map((one) => one.tshark)))}`,
    tcptrace.length === taps.length ? `${recall(added(tcptrace))}, ${precision(added(tcptrace))}` : 'not installed',
    `${sum((one) => one.stalls.right)} / ${sum((one) => one.stalls.wrong)} / ${sum((one) => one.stalls.unknown)}`,
    `${at(0.5)}, ${at(0.99)} ms; ± ${stated[stated.length >> 1]?.toFixed(1) ?? '–'} ms; ${share(
      sum((one) => one.ttftInside),
      errors.length,
    )} (${share(
      sum((one) => one.ttftInsideLog),
      errors.length,
    )})`,
    share(
      sum((one) => one.chunksRight),
      sum((one) => one.exchanges),
    ),
    `${sum((one) => one.overlapping.said)}, ${sum((one) => one.overlapping.were)}`,
  ];
  const wrong = taps.flatMap((one) => one.wrongStalls).slice(0, 5);
  return [`| ${cells.join(' | ')} |`, ...wrong.map((text) => `<!-- ${text} -->`)].join('\n');
}

function withSpread(seeds: readonly Counts[]): string {
  const { hits, missed, wrong } = added(seeds);
  const worst = (of: (one: Counts) => number) => {
    const shares = seeds.map(of).filter((value) => !Number.isNaN(value));
    return shares.length === 0 ? '–' : percent(Math.min(...shares));
  };
  return `${recall({ hits, missed, wrong })} (${interval(hits, hits + missed)}), ${precision({ hits, missed, wrong })} (${interval(hits, hits + wrong)}), ${worst((one) => one.hits / (one.hits + one.missed))}, ${worst((one) => one.hits / (one.hits + one.wrong))}`;
}

function interval(hits: number, of: number): string {
  const found = wilson(hits, of);
  return found ? `${(100 * found[0]).toFixed(1)}–${(100 * found[1]).toFixed(1)}` : '–';
}

const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
const share = (part: number, whole: number) => (whole === 0 ? '–' : percent(part / whole));
const recall = ({ hits, missed }: Counts) => share(hits, hits + missed);
const precision = ({ hits, wrong }: Counts) => share(hits, hits + wrong);

function added(all: readonly Counts[]): Counts {
  const sum = { hits: 0, wrong: 0, missed: 0 };
  for (const { hits, wrong, missed } of all) {
    sum.hits += hits;
    sum.wrong += wrong;
    sum.missed += missed;
  }
  return sum;
}
