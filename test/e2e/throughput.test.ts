import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ServedTest,
  throughputReport,
  type ThroughputReport,
  type ThroughputServeLine,
  throughputServeLine,
} from '../../src/model/throughput.ts';
import { type IperfJson, type IperfRun, iperfClient, iperfServer, skipIperf3 } from './iperf3.ts';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const skip = process.platform !== 'linux';

interface ClientRun {
  code: number | null;
  report: ThroughputReport;
}

/** Our client to its end. What it prints must keep the published schema. */
async function ourClient(
  port: number,
  args: readonly string[],
  onStart?: (child: ChildProcess) => void,
): Promise<ClientRun> {
  const child = spawn(process.execPath, [cli, 'throughput', '127.0.0.1', '-p', String(port), '--json', ...args]);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  onStart?.(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, report: throughputReport.parse(JSON.parse(text)) };
}

/** Our server as a user runs it, and what it said so far. */
interface OurServer {
  port: number;
  lines: ThroughputServeLine[];
  served(): ServedTest[];
  /** Resolves when so many tests have come to their end, over the life of the server. */
  finished(count: number): Promise<void>;
  accepted(count: number): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  code: Promise<number | null>;
}

async function ourServer(...args: string[]): Promise<OurServer> {
  const child = spawn(process.execPath, [cli, 'throughput', '--serve', '--listen', '127.0.0.1:0', '--json', ...args]);
  const lines: ThroughputServeLine[] = [];
  const heard = createInterface({ input: child.stdout });
  heard.on('line', (line) => lines.push(throughputServeLine.parse(JSON.parse(line))));
  const code = once(child, 'close').then(([status]) => status as number | null);
  const count = (event: ThroughputServeLine['event']) => lines.filter((line) => line.event === event).length;
  const until = async (event: ThroughputServeLine['event'], n: number) => {
    while (count(event) < n)
      if (!(await Promise.race([once(heard, 'line'), code.then(() => false)])))
        throw new Error(`it ended before "${event}"`);
  };
  await until('listening', 1);
  const [first] = lines;
  return {
    port: first?.event === 'listening' ? first.port : 0,
    lines,
    served: () => lines.flatMap((line) => (line.event === 'finished' ? [line] : [])),
    finished: (n) => until('finished', n),
    accepted: (n) => until('accepted', n),
    stop: async (signal = 'SIGINT') => {
      child.kill(signal);
      return code;
    },
    code,
  };
}

/** What both clients are told, by mode: the flags are the same for both where iperf3 has them. */
const modes: Record<string, string[]> = {
  tcp: ['-b', '50M', '-t', '1'],
  'tcp down': ['-b', '50M', '-R', '-t', '1'],
  'tcp both ways': ['-b', '50M', '--bidir', '-t', '1'],
  'tcp, four streams': ['-b', '20M', '-P', '4', '-t', '1'],
  'tcp, four streams down': ['-b', '20M', '-P', '4', '-R', '-t', '1'],
  'tcp with slow start omitted': ['-b', '50M', '-O', '1', '-t', '1'],
  'tcp, so many bytes': ['-n', '2000000'],
  'tcp, so many bytes down': ['-n', '2000000', '-R'],
  'tcp, so many blocks': ['-k', '20'],
  'tcp with window, MSS, nodelay, congestion control': '-w 65536 -M 1000 -N -C reno -b 20M -t 1'.split(' '),
  udp: '-u -b 10M -l 1000 -t 1'.split(' '),
  'udp down': '-u -b 10M -l 1000 -R -t 1'.split(' '),
  'udp both ways, two streams': '-u -b 5M -l 1000 --bidir -P 2 -t 1'.split(' '),
  'udp with slow start omitted': '-u -b 5M -l 1000 -O 1 -t 1'.split(' '),
};
const allModes = Object.entries(modes);
const fastModes = { up: ['-t', '1'], down: ['-t', '1', '-R'], 'both ways': ['-t', '1', '--bidir', '-P', '2'] };

/** Runs all, `width` at a time. */
async function inParallel<T, R>(items: readonly T[], width: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await run(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

const expectComplete = (name: string, { code, report }: ClientRun, args: readonly string[]) => {
  expect({ name, code, outcome: report.outcome }).toEqual({ name, code: 0, outcome: { kind: 'answered' } });
  const { directions } = report.test!;
  expect(directions).toHaveLength(args.includes('--bidir') ? 2 : 1);
  expect(report.notes.join()).not.toContain('did not tell its counts');
  for (const d of directions) {
    const sent = d.streams.reduce((n, s) => n + s.bytesSent, 0);
    expect(d.bytes).toBeGreaterThan(0);
    // With an omitted begin each side cuts it off by its own clock.
    if (!args.includes('-O')) expect(d.bytes).toBeLessThanOrEqual(sent);
    if (args.includes('-u')) expect(d.udp!.packets).toBeGreaterThan(10);
  }
};

describe.skipIf(skip || skipIperf3)('our client', () => {
  let stock: Awaited<ReturnType<typeof iperfServer>>;
  beforeAll(async () => {
    stock = await iperfServer();
  });
  afterAll(async () => {
    await stock.stop();
  });

  test('runs every mode against stock servers, and both agree', async () => {
    const servers = [stock, await iperfServer(), await iperfServer()];
    // A stock server takes one client at a time, so each has a list of its own.
    await Promise.all(
      servers.map(async ({ port }, i) => {
        for (const [name, args] of allModes.filter((_, n) => n % servers.length === i)) {
          const run = await ourClient(port, [...args, '--no-latency']);
          expectComplete(name, run, args);
          if (args.includes('-n')) expect(run.report.test!.directions[0]!.bytes).toBeGreaterThan(1_900_000);
        }
      }),
    );
    const logs = await Promise.all(servers.slice(1).map((server) => server.stop()));
    for (const log of logs) expect(log).not.toContain('error');
  });

  test.each(Object.entries(fastModes))('as fast as it goes against a stock server: %s', async (name, args) => {
    expectComplete(name, await ourClient(stock.port, [...args, '--no-latency']), args);
  });

  test('measures round trips beside the load of a stock server, which goes on unharmed', async () => {
    const { report } = await ourClient(stock.port, ['-t', '1']);
    const { latency } = report.test!;
    expect(['icmp', 'tcp-connect']).toContain(latency!.method);
    expect(latency!.idle!.received).toBeGreaterThan(0);
    expect(latency!.loaded!.received).toBeGreaterThan(5);
    expect(latency!.grade).not.toBeNull();
  });

  test('is told that a stock server is busy, and the running test goes on', async () => {
    const busy = iperfClient(stock.port, ['-t', '4', '-b', '1M']);
    let refused: ClientRun | undefined;
    // The other client may need a moment before it is there: until then ours would be served.
    for (let i = 0; i < 20 && refused?.code !== 3; i++)
      refused = await ourClient(stock.port, ['-n', '1000', '--no-latency']);
    expect(refused!.report.outcome).toMatchObject({ kind: 'rejected', code: 'ACCESS_DENIED' });
    expect((await busy).json.error).toBeUndefined();
  });

  test('has the shape of iperf3 -J', async () => {
    const args = ['-t', '1', '-b', '20M'];
    const child = spawn(process.execPath, [
      cli,
      'throughput',
      '127.0.0.1',
      '-p',
      String(stock.port),
      '--iperf-json',
      ...args,
    ]);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await once(child, 'close');
    const ours = JSON.parse(text) as IperfJson;
    const theirs = (await iperfClient(stock.port, args)).json;
    // Newer than 3.12.
    const since = new Set(['bidir']);
    for (const part of ['test_start', 'connecting_to', 'timestamp'] as const) {
      const known = keysOf(ours.start[part]).filter((key) => !since.has(key));
      expect(keysOf(theirs.start[part])).toEqual(expect.arrayContaining(known));
    }
    expect(keysOf(theirs.end)).toEqual(expect.arrayContaining(['streams', 'sum_sent', 'sum_received']));
    expect(keysOf(ours.end)).toEqual(expect.arrayContaining(['streams', 'sum_sent', 'sum_received']));
    expect(keysOf(theirs.intervals[0]!.sum)).toEqual(expect.arrayContaining(keysOf(ours.intervals[0]!.sum)));
    expect(keysOf(theirs.end.sum_sent)).toEqual(expect.arrayContaining(keysOf(ours.end.sum_sent)));
  });
});

function keysOf(value: object | undefined): string[] {
  return Object.keys(value ?? {});
}

describe.skipIf(skip || skipIperf3)('our server', () => {
  let server: OurServer;
  beforeAll(async () => {
    server = await ourServer('--max-duration', '20');
  });
  afterAll(async () => {
    await server.stop();
  });

  /** What iperf3 prints as ours is what we said, to the octet. */
  const recordOf = ({ start, end }: IperfJson): ServedTest | undefined => {
    const { protocol, reverse } = start.test_start;
    if (protocol !== 'TCP') return undefined;
    return server
      .served()
      .find((s) => (reverse === 1 ? s.sentBytes === end.sum_sent!.bytes : s.receivedBytes === end.sum_received!.bytes));
  };

  test('serves every mode of stock clients, seven at a time', async () => {
    const runs = await inParallel(allModes, 7, async ([name, args]) => ({
      name,
      ...(await iperfClient(server.port, args)),
    }));
    expect(runs.filter(({ code }) => code !== 0).map(({ name, json }) => ({ name, error: json.error }))).toEqual([]);
    await server.finished(runs.length);
    expect(server.served().map(({ ended, reason }) => ({ ended, reason }))).toEqual(
      runs.map(() => ({ ended: 'done', reason: null })),
    );
    for (const { name, json } of runs.filter((run) => run.name.startsWith('tcp')))
      expect({ name, record: recordOf(json)?.protocol }).toEqual({ name, record: 'tcp' });
    for (const { json } of runs.filter((run) => run.name.startsWith('udp'))) {
      expect(json.end.sum!.packets).toBeGreaterThan(10);
      expect(json.end.sum!.lost_packets).toBeLessThan(json.end.sum!.packets!);
    }
  });

  test.each(Object.entries(fastModes))('as fast as it goes with a stock client: %s', async (_, args) => {
    const { code, json }: IperfRun = await iperfClient(server.port, args);
    expect({ code, error: json.error }).toEqual({ code: 0, error: undefined });
    expect(json.end.sum_received!.bytes).toBeGreaterThan(0);
  });

  test('gives its own words to a client that asks for them', async () => {
    const { json } = await iperfClient(server.port, ['-t', '1', '-b', '5M', '--get-server-output']);
    expect(json.server_output_text).toMatch(/^#\d+ 127\.0\.0\.1:\d+: TCP, 1 stream, [\d.]+ s, received/);
  });

  test('refuses what lasts too long, in words that a stock client prints', async () => {
    expect((await iperfClient(server.port, ['-t', '21'])).json.error).toContain('test duration too long');
  });

  test('runs every mode with our client, which learns what held the sender up', async () => {
    await inParallel(allModes, 7, async ([name, args]) => {
      const run = await ourClient(server.port, [...args, '--no-latency']);
      expectComplete(name, run, args);
      for (const d of run.report.test!.directions)
        if (!args.includes('-u')) expect({ name, shares: d.limitedBy.shares }).not.toEqual({ name, shares: null });
      if (args.includes('-n')) expect(run.report.test!.directions[0]!.bytes).toBe(2_000_000);
    });
  });

  test('answers the echo of our client while the load runs', async () => {
    const { report } = await ourClient(server.port, ['-t', '1', '--bidir', '-b', '50M']);
    expect(report.test).toMatchObject({ server: 'inferpath', latency: { method: 'udp-echo' } });
    expect(report.test!.latency!.idle!.received).toBeGreaterThan(5);
    expect(report.test!.latency!.loaded!.received).toBeGreaterThan(5);
  });
});

describe.skipIf(skip)('limits of our server', () => {
  test('who comes when there is no room is told so', async () => {
    const server = await ourServer('--max-clients', '1');
    let first: ChildProcess | undefined;
    const running = ourClient(server.port, ['-t', '60', '-b', '1M', '--no-latency'], (child) => (first = child));
    await server.accepted(1);
    const { report, code } = await ourClient(server.port, ['-t', '1']);
    expect({ code, outcome: report.outcome }).toMatchObject({ code: 3, outcome: { code: 'ACCESS_DENIED' } });
    first!.kill('SIGINT');
    expect((await running).report.outcome).toEqual({ kind: 'interrupted' });
    await server.stop();
  });

  test('a bound on the rate is kept by what the server sends, and refuses and ends what exceeds it', async () => {
    const server = await ourServer('--max-bitrate', '20M');
    const down = await ourClient(server.port, ['-R', '-t', '1', '--no-latency']);
    expect(down.report.test!.directions[0]!.bytes).toBeLessThan(20e6);
    const asks = await ourClient(server.port, ['-b', '30M', '-t', '1', '--no-latency']);
    expect(asks.report.outcome).toMatchObject({ kind: 'rejected', code: 'SERVER_ERROR' });
    const exceeds = await ourClient(server.port, ['-t', '10', '--no-latency']);
    expect(exceeds.report.outcome).toMatchObject({ kind: 'rejected' });
    expect(server.served().map(({ ended }) => ended)).toEqual(['done', 'refused', 'refused']);
    await server.stop();
  });

  test('an end of the server ends its tests, and both sides keep what they counted', async () => {
    const server = await ourServer();
    const running = ourClient(server.port, ['-t', '60', '-b', '20M', '--no-latency']);
    await server.accepted(1);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await server.stop()).toBe(130);
    const { report } = await running;
    expect(['rejected', 'brokenStream']).toContain(report.outcome.kind);
    expect(report.test!.endedBy).toBe('peer');
    expect(report.test!.directions[0]!.bytes).toBeGreaterThan(0);
    expect(server.served()).toMatchObject([{ ended: 'terminated' }]);
  });

  test('Ctrl-C at the client prints what it had, exits 130, and the server with --once ends', async () => {
    const server = await ourServer('--once');
    let child: ChildProcess | undefined;
    const running = ourClient(server.port, ['-t', '60', '-b', '20M', '--no-latency'], (one) => (child = one));
    await server.accepted(1);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    child!.kill('SIGINT');
    const { code, report } = await running;
    expect(code).toBe(130);
    expect(report.outcome).toEqual({ kind: 'interrupted' });
    expect(report.test!.directions[0]!.bytes).toBeGreaterThan(0);
    expect(await server.code).toBe(0);
    expect(server.served()).toMatchObject([{ ended: 'terminated', reason: 'the client gave up' }]);
  });
});
