/**
 * Does the reflector stay on schedule? Starts one in this process, opens STREAMS raw TCP connections from a child process
 * that only counts bytes, and compares the truth rows with their own schedule.
 *
 *   npx tsx bench/reflect/streams.ts [--streams 500] [--rate 50] [--seconds 20] [--tls]
 */
import { fork } from 'node:child_process';
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
  await reflector.stop();
  report(rows, (cpu.user + cpu.system) / 1000, elapsedMs);
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

function report(rows: readonly TruthRow[], cpuMs: number, elapsedMs: number): void {
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
  line(
    'server CPU',
    `${((100 * cpuMs) / elapsedMs).toFixed(0)} % of a core, ${((1000 * cpuMs) / lags.length).toFixed(1)} µs per event`,
  );
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
