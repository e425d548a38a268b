import type { InferenceRequest } from '../../model/inference.ts';
import { briefMs } from '../format.ts';
import { msTick, niceMax, svg, tip, xAxis, yAxis } from './frame.ts';
import { linear, px, rank, thin } from './scale.ts';

/** More marks than this only cover each other. */
export const mostMarks = 240;

type Bounds = readonly [number, number];
interface Column {
  label: string;
  network: Bounds;
  server: Bounds;
  /** Whether all of it ran on fresh connections, whose set-up counts as network. */
  fresh: boolean;
}

/**
 * Bounds of network and server time to first token of the requests, in the order of the run: the truth lies inside each mark.
 * Not joined by lines, since neighbours need not be alike. A long run shows evenly picked requests rather than merged ones:
 * a merged mark would look like missing evidence.
 */
export function splitBands(requests: readonly InferenceRequest[], width: number): string {
  const points = requests.flatMap((r): Column[] => {
    const split = r.split.ttft;
    return split ? [{ label: r.id, network: split.networkMs, server: split.serverMs, fresh: !r.reused }] : [];
  });
  const box = { width, height: 216, left: 60, right: 12, top: 14, bottom: 26 };
  const columns = thin(points, mostMarks);
  const highs = points.flatMap((p) => [p.network[1], p.server[1]]).toSorted((a, b) => a - b);
  const { end, values } = niceMax(rank(highs, 0.995) * 1.02, 4);
  const x = linear([0, Math.max(1, columns.length)], [box.left, width - box.right]);
  const y = linear([0, end], [box.height - box.bottom, box.top]);
  const step = x(1) - x(0);
  const size = Math.min(7, Math.max(2.4, step * 0.6));
  const mark = ([low, high]: Bounds, style: string, i: number) => {
    const top = y(Math.min(high, end));
    const height = Math.max(3, y(Math.min(low, end)) - top);
    return `<rect class="${style}" x="${px(x(i) + (step - size) / 2)}" y="${px(top)}" width="${px(size)}" height="${px(height)}" rx="1"/>`;
  };
  const marks = columns.map((c, i) => {
    const what = `${c.label}${c.fresh ? ', fresh connection' : ''}: network ${range(c.network)}, server ${range(c.server)}`;
    const hit = `<rect class="hit" x="${px(x(i))}" y="${box.top}" width="${px(step)}" height="${box.height - box.top - box.bottom}" ${tip(what)}/>`;
    return mark(c.server, 'p-server', i) + mark(c.network, c.fresh ? 'p-tcp' : 'p-network', i) + hit;
  });
  const ticks = linear([1, Math.max(2, points.length)], [x(0.5), x(Math.max(1, columns.length) - 0.5)]);
  const axes = yAxis(box, y, values, msTick(values)) + xAxis(box, ticks, requestTicks(points.length), 'requests');
  const label = `Bounds of network and server time to first token of ${points.length} requests, in ms`;
  return svg(width, box.height, label, axes + marks.join(''));
}

function range([low, high]: Bounds): string {
  return `[${briefMs(low)}, ${briefMs(high)}] ms`;
}

function requestTicks(n: number): number[] {
  return n < 3 ? [1, Math.max(2, n)] : [1, Math.round(n / 2), n];
}
