import type { InferenceRequest } from '../../model/inference.ts';
import { briefMs } from '../format.ts';
import { niceMax, svg, text, tip, xAxis, yAxis } from './frame.ts';
import { linear, px, rank } from './scale.ts';

interface Point {
  label: string;
  networkMs: readonly [number, number];
  serverMs: readonly [number, number];
}

/**
 * Bounds of network and server time to first token over the requests of a run, as one band each: the truth lies inside.
 * Long runs are put together so that a column holds the widest bounds of its requests.
 */
export function splitBands(requests: readonly InferenceRequest[], width: number): string {
  const points = requests.flatMap((r): Point[] =>
    r.split.ttft ? [{ label: r.id, networkMs: r.split.ttft.networkMs, serverMs: r.split.ttft.serverMs }] : [],
  );
  const box = { width, height: 210, left: 46, right: 10, top: 14, bottom: 26 };
  const columns = together(points, Math.floor(width / 4));
  const highs = points.flatMap((p) => [p.networkMs[1], p.serverMs[1]]).toSorted((a, b) => a - b);
  const { end, values } = niceMax(rank(highs, 0.99) * 1.05, 4);
  const x = linear([1, Math.max(2, points.length)], [box.left, width - box.right]);
  const y = linear([0, end], [box.height - box.bottom, box.top]);
  const at = (i: number) => x(columns.length < 2 ? 1 : 1 + (i * (points.length - 1)) / (columns.length - 1));
  const ends = { x: at, y: (v: number) => y(Math.min(v, end)) };
  const bands =
    band(
      columns.map((c) => c.serverMs),
      'server',
      ends,
    ) +
    band(
      columns.map((c) => c.networkMs),
      'network',
      ends,
    );
  const step = columns.length > 1 ? at(1) - at(0) : width;
  const hits = columns.map((c, i) => {
    const what = `${c.label}: network ${range(c.networkMs)}, server ${range(c.serverMs)} of the time to first token`;
    return `<rect class="hit" x="${px(at(i) - step / 2)}" y="${box.top}" width="${px(step)}" height="${box.height - box.top - box.bottom}" ${tip(what)}/>`;
  });
  const axes =
    yAxis(box, y, values, (v) => briefMs(v)) +
    xAxis(box, x, xTicks(points.length), 'request') +
    text(4, box.top - 3, 'ms', 'class="tick"');
  return svg(
    width,
    box.height,
    `Bounds of network and server time to first token over ${points.length} requests, in ms`,
    axes + bands + hits.join(''),
  );
}

function range([low, high]: readonly [number, number]): string {
  return `[${briefMs(low)}, ${briefMs(high)}] ms`;
}

function band(
  bounds: readonly (readonly [number, number])[],
  part: string,
  to: { x: (i: number) => number; y: (v: number) => number },
): string {
  const upper = bounds.map((b, i) => `${px(to.x(i))},${px(to.y(b[1]))}`);
  const lower = bounds.map((b, i) => `${px(to.x(i))},${px(to.y(b[0]))}`);
  const middle = bounds.map((b, i) => `${px(to.x(i))},${px(to.y((b[0] + b[1]) / 2))}`);
  return `<path class="band p-${part}" d="M${[...upper, ...lower.reverse()].join('L')}Z"/><path class="line l-${part}" d="M${middle.join('L')}"/>`;
}

function together(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, i) => {
    const group = points.slice(Math.floor((i * points.length) / most), Math.floor(((i + 1) * points.length) / most));
    const widest = (of: (p: Point) => readonly [number, number]): [number, number] => [
      Math.min(...group.map((p) => of(p)[0])),
      Math.max(...group.map((p) => of(p)[1])),
    ];
    return {
      label: `${group[0]?.label} and ${group.length - 1} more`,
      networkMs: widest((p) => p.networkMs),
      serverMs: widest((p) => p.serverMs),
    };
  });
}

function xTicks(n: number): number[] {
  if (n < 3) return [1, Math.max(2, n)];
  return [1, Math.round(n / 2), n];
}
