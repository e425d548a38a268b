import { spawn, spawnSync } from 'node:child_process';
import { freePort } from '../fixtures/free-port.ts';

/** Stock iperf3 as the other side of a test. */
const found = spawnSync('iperf3', ['--version'], { encoding: 'utf8' });

/** Skipped where iperf3 is not installed, but never in CI, where that is the failure. */
export const skipIperf3: boolean = found.status !== 0 && process.env['CI'] !== 'true';
if (skipIperf3) process.stderr.write('interop tests are skipped: iperf3 is not installed\n');

export interface IperfRun {
  code: number | null;
  /** What -J printed; its `error` is what iperf3 complains about. */
  json: IperfJson;
}

interface Sum {
  bytes: number;
  bits_per_second: number;
  lost_packets?: number;
  packets?: number;
  retransmits?: number;
}

export interface IperfJson {
  error?: string;
  start: {
    connected: unknown[];
    cookie: string;
    test_start: Record<string, unknown>;
    connecting_to: object;
    timestamp: object;
  };
  intervals: { streams: unknown[]; sum: Sum }[];
  end: {
    streams: Record<string, unknown>[];
    sum?: Sum;
    sum_sent?: Sum;
    sum_received?: Sum;
    sum_bidir_reverse?: Sum;
    sum_sent_bidir_reverse?: Sum;
    sum_received_bidir_reverse?: Sum;
    cpu_utilization_percent?: Record<string, number>;
  };
  server_output_text?: string;
}

/** Runs the client to its end; killed after `limitMs`, which a test then sees as code null. */
export function iperfClient(port: number, args: readonly string[], limitMs = 25_000): Promise<IperfRun> {
  const child = spawn('iperf3', ['-c', '127.0.0.1', '-p', String(port), '-J', ...args]);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const late = setTimeout(() => child.kill('SIGKILL'), limitMs);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(late);
      const text = Buffer.concat(chunks).toString();
      resolve({ code, json: text === '' ? ({ error: 'no output' } as IperfJson) : (JSON.parse(text) as IperfJson) });
    });
  });
}

/** A stock server on a port that was free a moment ago; `stop` ends it and gives what it wrote. */
export async function iperfServer(): Promise<{ port: number; stop(): Promise<string> }> {
  const port = await freePort();
  const child = spawn('iperf3', ['-s', '-p', String(port), '--forceflush']);
  let output = '';
  const keep = (chunk: Buffer) => (output += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const gone = new Promise<void>((resolve) => child.on('close', () => resolve()));
  while (!output.includes('listening')) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    port,
    stop: async () => {
      child.kill();
      await gone;
      return output;
    },
  };
}
