import type { StallCause } from '../model/capture/judged.ts';
import type { SequenceMark, SequenceTrail } from '../model/capture/sequence.ts';
import { causeWords } from './capture-words.ts';
import { num, plural } from './format.ts';
import { esc } from './html/escape.ts';
import { niceMax, svg, tip, xAxis, yAxis } from './svg/frame.ts';
import { linear, px, thin, ticks } from './svg/scale.ts';

const box = { width: 1000, height: 300, left: 70, right: 14, top: 10, bottom: 28 };
/** Marks with words of their own; more than these nobody would point at. */
const mostTold = 300;

const words: Record<Exclude<SequenceMark['kind'], 'first'>, string> = {
  again: 'sent again; the first copy had passed the tap',
  'again-unseen': 'sent again; the first copy never reached the tap',
  needless: 'sent again, needlessly',
  overtaken: 'overtaken on its way',
};

/** Sequence numbers of the server against time, as tcptrace draws them: data, acknowledgements, holes, what was sent again, stalls. */
export function sequenceChart(trail: SequenceTrail, fills: Record<StallCause, string>): string {
  if (trail.marks.length === 0) return '';
  const lowest = trail.marks.reduce((low, { offset }) => Math.min(low, offset), Infinity);
  const highest = trail.marks.reduce((high, { offset, octets }) => Math.max(high, offset + octets), 0);
  const longMs = Math.max(1, trail.toMs - trail.fromMs);
  const top = niceMax((highest - lowest) / 1000, 5);
  const x = linear([0, longMs], [box.left, box.width - box.right]);
  const y = linear([0, top.end * 1000], [box.height - box.bottom, box.top]);
  const at = (ms: number) => px(Math.min(box.width - box.right, Math.max(box.left, x(ms - trail.fromMs))));
  const up = (offset: number) => px(y(Math.min(top.end * 1000, Math.max(0, offset - lowest))));
  const marks = ticks(longMs, 8).filter((ms) => ms <= longMs);
  const parts = [
    yAxis(
      box,
      (value) => y(value * 1000),
      top.values,
      (value) => (value === top.end ? `${num(value)} kB` : num(value)),
    ),
    ...stalls(trail, fills, at),
    ...holes(trail.marks).map((hole) => rectangle(hole, at, up)),
    `<path class="acks" d="${stairs(trail, at, up)}"/>`,
    `<path class="data" d="${strokes(trail.marks, at, up)}"/>`,
    ...told(trail, at, up),
    xAxis(box, x, marks, 'ms'),
  ];
  return svg(box.width, box.height, 'Sequence numbers against time', parts.join(''));
}

/** What the colours and shapes are. */
export const sequenceKey = [
  '<i style="background:var(--ink)"></i>data',
  '<i style="background:var(--tcp)"></i>acknowledged',
  '<i class="hole"></i>missing so far',
  '<i class="dot" style="background:var(--fail)"></i>sent again',
  '<i class="dot" style="border:2px solid var(--fail);background:none;box-sizing:border-box"></i>sent again, lost before the tap',
  '<i class="dot" style="background:var(--unknown)"></i>overtaken, or sent needlessly',
].map((entry) => `<span>${entry}</span>`);

export const sequenceStyle = `
.data{stroke:var(--ink);stroke-width:2;fill:none}.acks{stroke:var(--tcp);stroke-width:1;fill:none}
rect.hole{fill:var(--network);fill-opacity:.25}i.hole{background:var(--network);opacity:.35}.band{fill-opacity:.16}
.key i.dot{border-radius:50%}`;

/** A name above the picture, for there may be many answers in a conversation. */
export function sequenceTitle({ fromMs, toMs, leftOut }: SequenceTrail): string {
  const more = leftOut > 0 ? `; ${plural(leftOut, 'packet')} more are not drawn` : '';
  return esc(`The answer that stood still longest, from ${num(fromMs / 1000)} s on, ${num(toMs - fromMs)} ms${more}`);
}

type Place = (value: number) => string;

function stalls({ stalls: all, fromMs, toMs }: SequenceTrail, fills: Record<StallCause, string>, at: Place): string[] {
  return all.map(({ startMs, endMs, cause, evidence }) => {
    const [left, right] = [at(Math.max(fromMs, startMs)), at(Math.min(toMs, endMs))];
    const width = px(Math.max(1, Number(right) - Number(left)));
    return `<rect class="band" x="${left}" y="${box.top}" width="${width}" height="${box.height - box.bottom - box.top}" style="fill:var(${fills[cause]})" ${tip(`${causeWords[cause]}: ${evidence}`)}/>`;
  });
}

interface Hole {
  fromMs: number;
  toMs: number;
  offset: number;
  octets: number;
}

/** Octets that were missing when later ones had come, until they came. */
function holes(marks: readonly SequenceMark[]): Hole[] {
  const open: { sinceMs: number; from: number; to: number }[] = [];
  const found: Hole[] = [];
  let next = marks[0]!.offset;
  for (const { ms, offset, octets } of marks) {
    const end = offset + octets;
    if (offset > next) open.push({ sinceMs: ms, from: next, to: offset });
    for (const hole of open.filter(({ from, to }) => offset < to && end > from)) {
      if (offset < next) found.push({ fromMs: hole.sinceMs, toMs: ms, offset: hole.from, octets: hole.to - hole.from });
      else continue;
      hole.from = Math.min(hole.to, Math.max(hole.from, end));
    }
    for (let i = open.length - 1; i >= 0; i--) if (open[i]!.from >= open[i]!.to) open.splice(i, 1);
    next = Math.max(next, end);
  }
  return found.slice(0, mostTold);
}

function rectangle({ fromMs, toMs, offset, octets }: Hole, at: Place, up: Place): string {
  const [left, right, top, bottom] = [at(fromMs), at(toMs), up(offset + octets), up(offset)].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const size = `width="${px(Math.max(2, right - left))}" height="${px(Math.max(3, bottom - top))}"`;
  return `<rect class="hole" x="${px(left)}" y="${px(top)}" ${size} ${tip(`${plural(octets, 'octet')} missing for ${num(toMs - fromMs)} ms`)}/>`;
}

/** One stroke a packet; those that would be the same stroke are drawn once. */
function strokes(marks: readonly SequenceMark[], at: Place, up: Place): string {
  const drawn = new Set<string>();
  for (const { ms, offset, octets, kind } of marks) {
    const [low, high] = [Number(up(offset)), Number(up(offset + octets))];
    // A packet is never invisible.
    if (kind === 'first') drawn.add(`M${at(ms)} ${low}V${px(Math.min(low - 2.5, high))}`);
  }
  return [...drawn].join('');
}

function stairs({ acknowledged, marks }: SequenceTrail, at: Place, up: Place): string {
  const lowest = marks.reduce((low, { offset }) => Math.min(low, offset), Infinity);
  let highest = -1;
  const steps: string[] = [];
  for (const { ms, offset } of acknowledged) {
    if (offset <= highest || offset < lowest) continue;
    highest = offset;
    steps.push(`${steps.length === 0 ? 'M' : 'H'}${at(ms)}${steps.length === 0 ? ` ${up(offset)}` : `V${up(offset)}`}`);
  }
  return steps.join('');
}

function told({ marks, fromMs }: SequenceTrail, at: Place, up: Place): string[] {
  const special = marks.filter(({ kind }) => kind !== 'first');
  return thin(special, mostTold).map(({ ms, offset, octets, kind }) => {
    const style =
      kind === 'again'
        ? 'fill:var(--fail)'
        : kind === 'again-unseen'
          ? 'fill:var(--card);stroke:var(--fail);stroke-width:2'
          : 'fill:var(--unknown)';
    const what = `${plural(octets, 'octet')} after ${num(ms - fromMs)} ms: ${words[kind as keyof typeof words]}`;
    return `<circle cx="${at(ms)}" cy="${up(offset + octets / 2)}" r="4" style="${style}" ${tip(what)}/>`;
  });
}
