/**
 * Does the reflector stay on schedule? Starts one in this process, opens STREAMS raw TCP connections from a child process
 * that only counts bytes, and compares the truth rows with their own schedule.
 *
 *   npx tsx bench/reflect/streams.ts [--streams 500] [--rate 50] [--seconds 20] [--tls]
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseArgs } from 'node:util';
import { startReflector } from '../../src/lab/reflect/reflector.ts';
import { plainIo } from '../../src/lab/reflect/test-io.case.ts';
import type { TruthRow } from '../../src/lab/reflect/truth.ts';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '500' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '20' },
    tls: { type: 'boolean', default: false },
    drain: { type: 'string' },
  },
});
const streams = Math.min(2000, Number(values.streams));
const rate = Math.min(1000, Number(values.rate));
const seconds = Math.min(120, Number(values.seconds));

const windowMs = 100;
/** A window counts as calm when the thread waited for less than this in it and in the five before. */
const calmWaitMs = 5;

if (values.drain === undefined) await measure();
else drain(Number(values.drain));

async function measure(): Promise<void> {
  const rows: TruthRow[] = [];
  const tokens = rate * seconds;
  const reflector = await startReflector(
    {
      listen: '127.0.0.1:0',
      queueMs: 'uniform:0,1000',
      tokenMs: 1000 / rate,
      tokens,
      ...(values.tls ? { tls: {} } : {}),
    },
    plainIo(),
    { onTruth: (row) => rows.push(row) },
  );
  const waits = watchRunQueue();
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  const child = fork(import.meta.filename, [
    '--drain',
    String(reflector.port),
    '--streams',
    String(streams),
    ...(values.tls ? ['--tls'] : []),
  ]);
  await new Promise((done) => child.once('exit', done));
  const cpu = process.cpuUsage(cpuBefore);
  const elapsedMs = performance.now() - startedMs;
  waits.stop();
  await reflector.stop();
  report(rows, (cpu.user + cpu.system) / 1000, elapsedMs, waits);
}

/** Child: opens the streams, reads and throws away until all have ended. */
function drain(port: number): void {
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x'.repeat(400) }] });
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`;
  for (let i = 0; i < streams; i++) {
    const to = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket = values.tls ? connectTls(to) : connect(to);
    socket.on('error', (error) => process.stderr.write(`${error.message}\n`));
    socket.resume();
    socket.write(head + body);
  }
}

function report(rows: readonly TruthRow[], cpuMs: number, elapsedMs: number, waits: RunQueueWatch): void {
  const lags: number[] = [];
  const drifts: number[] = [];
  for (const row of rows) {
    const own = row.tokenMs.map((ms, i) => ms - row.scheduledMs[i]!);
    for (const lag of own) lags.push(lag);
    const quarter = Math.max(1, own.length >> 2);
    drifts.push(quantile(own.slice(-quarter), 0.5) - quantile(own.slice(0, quarter), 0.5));
  }
  const line = (name: string, value: string) => process.stdout.write(`${name.padEnd(34)}${value}\n`);
  const ms = (value: number) => `${value.toFixed(3)} ms`;
  line('streams × tokens/s', `${streams} × ${rate}${values.tls ? ' over TLS' : ''}, ${seconds} s`);
  line('answers complete', `${rows.filter((row) => !row.aborted).length} of ${streams}`);
  line('events', `${lags.length} (${Math.round((1000 * lags.length) / elapsedMs)} per second)`);
  line('lag p50 / p99 / max', [quantile(lags, 0.5), quantile(lags, 0.99), quantile(lags, 1)].map(ms).join(' / '));
  line(
    'drift first → last quarter, worst',
    ms(drifts.reduce((worst, d) => (Math.abs(d) > Math.abs(worst) ? d : worst), 0)),
  );
  line('lag p50 / p99 by second', bySecond(rows).join('  '));
  line('backpressured events', String(rows.reduce((sum, row) => sum + row.backpressuredEvents.length, 0)));
  const calm = rows.flatMap((row) =>
    row.tokenMs.flatMap((ms, i) => (waits.calmAt(row.scheduledMs[i]!) ? [ms - row.scheduledMs[i]!] : [])),
  );
  line(
    'ready but not running',
    `${((100 * waits.totalMs()) / elapsedMs).toFixed(0)} % of the time: others had the CPU`,
  );
  line('lag p50 / p99 / max, calm windows', [0.5, 0.99, 1].map((share) => ms(quantile(calm, share))).join(' / '));
  line('events in calm windows', `${calm.length}`);
  line(
    'server CPU',
    `${((100 * cpuMs) / elapsedMs).toFixed(0)} % of a core, ${((1000 * cpuMs) / lags.length).toFixed(1)} µs per event`,
  );
}

interface RunQueueWatch {
  stop(): void;
  totalMs(): number;
  /** True when this thread hardly waited for a CPU around that time and shortly before. */
  calmAt(ms: number): boolean;
}

/** Tells lateness that other processes caused from lateness of our own making: a shared machine is the usual one. */
function watchRunQueue(): RunQueueWatch {
  const { clock } = plainIo();
  const window = (ms: number) => Math.floor(ms / windowMs);
  const waitedInMs = new Map<number, number>();
  const beganMs = runQueueWaitMs();
  let before = { waitedMs: beganMs, window: window(clock.monoMs()) };
  const sample = (): void => {
    const now = { waitedMs: runQueueWaitMs(), window: window(clock.monoMs()) };
    if (now.window === before.window) return;
    for (let w = before.window; w < now.window; w++) waitedInMs.set(w, now.waitedMs - before.waitedMs);
    before = now;
  };
  const timer = setInterval(sample, windowMs / 4);
  const calm = (w: number) => (waitedInMs.get(w) ?? Number.POSITIVE_INFINITY) < calmWaitMs;
  return {
    stop: () => {
      clearInterval(timer);
      sample();
    },
    totalMs: () => before.waitedMs - beganMs,
    calmAt: (ms) => [0, 1, 2, 3, 4, 5].every((back) => calm(window(ms) - back)),
  };
}

/** How long this thread was ready to run while others had the CPU (Linux, /proc/PID/schedstat); NaN elsewhere. */
function runQueueWaitMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Start-up (connections, compilation) told apart from steady state. */
function bySecond(rows: readonly TruthRow[]): string[] {
  const firstMs = rows.reduce((min, row) => Math.min(min, row.requestReadMs), Number.POSITIVE_INFINITY);
  const buckets: number[][] = [];
  for (const row of rows)
    row.tokenMs.forEach((ms, i) => (buckets[Math.floor((ms - firstMs) / 1000)] ??= []).push(ms - row.scheduledMs[i]!));
  return Array.from(buckets, (lags: number[] | undefined) =>
    lags === undefined ? '-' : `${quantile(lags, 0.5).toFixed(1)}/${quantile(lags, 0.99).toFixed(1)}`,
  );
}

function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
