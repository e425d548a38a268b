import { Counter } from '../wire/batch/columns.ts';
import { targetReport, worstTargets, type Measured } from '../measure/sweep/summary.ts';
import { pingTable } from '../report/ping-text.ts';
import type { Io } from '../wire/io.ts';
import { redrawnBlock } from './screen.ts';

const tickMs = 250;
/** Targets that are reckoned anew for every picture; more would cost the processor that sends. */
const liveTargets = 2000;

/** The table while it grows, on a terminal: all targets, or as many of the worst as there are rows. The sweep writes the columns meanwhile. */
export function livePing(measured: Measured, probes: number, io: Io): { end(): void } {
  const { columns } = measured.result;
  const view = redrawnBlock(io, ({ columns: width, rows }) => {
    const { counters } = columns;
    const line = `${counters[Counter.sent]} of ${probes} probes sent, ${counters[Counter.answered]} answered, ${counters[Counter.lost]} lost`;
    if (columns.targets > liveTargets) return [line];
    const room = Math.max(1, rows - 3);
    const shown = columns.targets <= room ? [...Array(columns.targets).keys()] : worstTargets(measured.result, room);
    const table = pingTable(
      shown.map((index) => targetReport(measured, index)),
      { columns: width, colors: io.terminal.colors },
    );
    return [...table, line];
  });
  const timer = setInterval(() => view.changed(), tickMs);
  timer.unref();
  return {
    end: () => {
      clearInterval(timer);
      view.end();
    },
  };
}
