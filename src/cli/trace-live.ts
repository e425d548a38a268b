import { type TraceMoment, traceScreen, type TraceViewState } from '../report/trace-screen.ts';
import type { Io } from '../wire/io.ts';
import { fullScreen } from './screen.ts';
import { progressLine, type TraceRun } from './trace-run.ts';

/** A report of all hops costs milliseconds, a key must not wait for it: so it is made this often at most. */
const momentMs = 250;

/** The live view of a trace, until it ends or the user quits. Resolves when the terminal is as it was. */
export async function watchTrace(run: TraceRun, show: { names: boolean; asn: boolean }, io: Io): Promise<void> {
  const quit = new AbortController();
  const state: TraceViewState = {
    path: 0,
    ttl: 1,
    showNames: show.names,
    showAsn: show.asn,
    isPaused: false,
    pane: 'verdict',
  };
  let moment = momentOf(run);
  let takenMs = io.clock.monoMs();
  const look = () => {
    if (state.isPaused || io.clock.monoMs() - takenMs < momentMs) return;
    moment = momentOf(run);
    takenMs = io.clock.monoMs();
  };
  const draw = (size: { columns: number; rows: number }) => {
    look();
    keepInside(state, moment);
    return traceScreen(moment, state, size, io.terminal.colors);
  };
  const view = fullScreen(io, draw, (key) => {
    if (key === 'q') quit.abort(new DOMException('quit', 'AbortError'));
    else if (key === 'r') {
      run.reset();
      takenMs = -Infinity;
    } else press(key, state, moment);
    run.asksNames ||= state.showNames;
    view.changed();
  });
  view.changed();
  try {
    await run.run(AbortSignal.any([io.signals.interrupted, quit.signal]), () => view.changed());
  } finally {
    view.end();
  }
}

function momentOf(run: TraceRun): TraceMoment {
  return { report: run.report(), booked: run.book.paths, activity: progressLine(run) };
}

/** What a key does to the view. */
export function press(key: string, state: TraceViewState, { report }: TraceMoment): void {
  const hops = report.paths[state.path]?.hops.map((h) => h.ttl) ?? [];
  const select = (by: number) => {
    const at = Math.max(0, hops.indexOf(state.ttl));
    state.ttl = hops[Math.min(hops.length - 1, Math.max(0, at + by))] ?? state.ttl;
    state.pane = 'hop';
  };
  const turn = (by: number) => {
    const paths = Math.max(1, report.paths.length);
    state.path = (state.path + by + paths) % paths;
  };
  const open = (pane: TraceViewState['pane']) => {
    state.pane = state.pane === pane ? 'hop' : pane;
  };
  const keys: Record<string, () => void> = {
    up: () => select(-1),
    k: () => select(-1),
    down: () => select(1),
    j: () => select(1),
    pageup: () => select(-10),
    pagedown: () => select(10),
    home: () => select(-64),
    end: () => select(64),
    tab: () => turn(1),
    right: () => turn(1),
    'shift-tab': () => turn(-1),
    left: () => turn(-1),
    enter: () => open('hop'),
    v: () => open('verdict'),
    g: () => open('graph'),
    h: () => open('help'),
    '?': () => open('help'),
    escape: () => {
      state.pane = 'hop';
    },
    n: () => {
      state.showNames = !state.showNames;
    },
    a: () => {
      state.showAsn = !state.showAsn;
    },
    p: () => {
      state.isPaused = !state.isPaused;
    },
    space: () => {
      state.isPaused = !state.isPaused;
    },
  };
  if (Object.hasOwn(keys, key)) keys[key]!();
}

/** Paths and hops come and go while they are looked at. */
function keepInside(state: TraceViewState, { report }: TraceMoment): void {
  state.path = Math.max(0, Math.min(state.path, report.paths.length - 1));
  const hops = report.paths[state.path]?.hops ?? [];
  if (hops.length > 0 && !hops.some((h) => h.ttl === state.ttl))
    state.ttl = hops.findLast((h) => h.ttl <= state.ttl)?.ttl ?? hops[0]!.ttl;
}
