import type { ClientEvents, Tick } from '../measure/throughput/client.ts';
import type { ClientOptions } from '../measure/throughput/options.ts';
import type { ThroughputInterval } from '../model/throughput.ts';
import { num } from '../report/format.ts';
import { rateOf } from '../report/throughput-text.ts';
import type { Io } from '../wire/io.ts';
import { redrawnBlock } from './screen.ts';

/** One line on stderr while a test runs: how fast, how long a round trip takes now and idle, what was sent again. */
export function liveThroughput(options: ClientOptions, io: Io): { events: ClientEvents; end(): void } {
  let line = 'connecting';
  const view = redrawnBlock(io, () => [line]);
  view.changed();
  return {
    events: {
      phase: (what) => {
        line = what;
        view.changed();
      },
      interval: (tick) => {
        line = describe(tick, options);
        view.changed();
      },
    },
    end: () => view.end(),
  };
}

function describe({ up, down, idleMs, loadedMs }: Tick, { durationS, omitS, bytes, blocks }: ClientOptions): string {
  const last = up ?? down;
  const total = bytes === undefined && blocks === undefined ? `/${num(durationS + omitS)}` : '';
  const parts = [
    `${num(last?.endS ?? 0)}${total} s${last?.omitted ? ' (omitted)' : ''}`,
    up ? `↑ ${rateOf(up.mbitPerS)}` : null,
    down ? `↓ ${rateOf(down.mbitPerS)}` : null,
    loadedMs === null ? null : `rtt ${idleMs === null ? '' : `${num(idleMs)} → `}${num(loadedMs)} ms`,
    ...side(last),
  ];
  return parts.filter((p) => p !== null && p !== '').join(' · ');
}

function side(interval: ThroughputInterval | null): string[] {
  if (interval === null) return [];
  const { retransmits, cwndBytes, lost } = interval;
  return [
    retransmits === null ? '' : `${retransmits} sent again`,
    cwndBytes === null ? '' : `window ${num(cwndBytes / 1e3)} kB`,
    lost === null ? '' : `${lost} lost`,
  ];
}
