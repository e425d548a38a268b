import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Lab, startLab } from '../../src/lab/lab.ts';
import { median, sorted } from '../../src/stats/quantile.ts';
import { labIo } from '../../test/lab/lab-io.ts';

/**
 * Throughput of inferpath and iperf3, each with its own server and each with the other's, one after the other in an order that
 * changes from round to round. `tsx bench/throughput/run.ts [rounds] [seconds] [loopback|lab|both]`; writes results.json here.
 */
const [rounds = 5, seconds = 5] = process.argv.slice(2, 4).map(Number);
const where = process.argv[4] ?? 'both';
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PORTS = { iperf3: 5211, inferpath: 5212 } as const;
const LAB = { rateMbit: 300, oneWayMs: 20, queueMs: 200 };

type Tool = keyof typeof PORTS;
const pairs = (['iperf3', 'inferpath'] as const).flatMap((client) =>
  (['iperf3', 'inferpath'] as const).map((server) => ({ client, server })),
);

interface Result {
  where: string;
  client: Tool;
  server: Tool;
  direction: 'up' | 'down';
  round: number;
  mbitPerS: number;
}

const serverWords: Record<Tool, string[]> = {
  iperf3: ['iperf3', '-s', '-p', String(PORTS.iperf3)],
  inferpath: [process.execPath, cli, 'throughput', '--serve', '--listen', `0.0.0.0:${PORTS.inferpath}`],
};

/** The same work for both: no probes beside it, so that only the movers are compared. */
function clientWords(client: Tool, server: Tool, address: string, direction: 'up' | 'down'): string[] {
  const shared = [
    '-p',
    String(PORTS[server]),
    '-t',
    String(seconds),
    '-O',
    '1',
    ...(direction === 'down' ? ['-R'] : []),
  ];
  return client === 'iperf3'
    ? ['iperf3', '-c', address, '-J', ...shared]
    : [process.execPath, cli, 'throughput', address, '--json', '--no-latency', '--max-bytes', '1T', ...shared];
}

function rateIn(client: Tool, text: string): number {
  const parsed = JSON.parse(text) as {
    test?: { directions: { mbitPerS: number }[] };
    end?: { sum_received: { bits_per_second: number } };
  };
  return client === 'iperf3' ? parsed.end!.sum_received.bits_per_second / 1e6 : parsed.test!.directions[0]!.mbitPerS;
}

async function output(words: readonly string[]): Promise<string> {
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child, 'close');
  return text;
}

async function measure(name: string, address: string, run: (words: string[]) => Promise<string>): Promise<Result[]> {
  const results: Result[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const direction of ['up', 'down'] as const) {
      // The order is turned by one each round, so that nobody always comes first.
      for (const { client, server } of [...pairs.slice(round % 4), ...pairs.slice(0, round % 4)]) {
        const mbitPerS = rateIn(client, await run(clientWords(client, server, address, direction)));
        results.push({ where: name, client, server, direction, round, mbitPerS });
        process.stderr.write(`${name} ${round} ${direction} ${client} → ${server}: ${mbitPerS.toFixed(0)} Mbit/s\n`);
      }
    }
  }
  return results;
}

async function onLoopback(): Promise<Result[]> {
  const servers: ChildProcess[] = Object.values(serverWords).map((words) =>
    spawn(words[0]!, words.slice(1), { stdio: 'ignore' }),
  );
  await new Promise((resolve) => setTimeout(resolve, 1500));
  try {
    return await measure('loopback', '127.0.0.1', output);
  } finally {
    for (const server of servers) server.kill();
  }
}

async function inLab(): Promise<Result[]> {
  const both = Object.values(serverWords).map((words) => words.join(' '));
  const lab: Lab = await startLab(
    {
      hosts: [
        { name: 'client' },
        { name: 'server', command: ['sh', '-c', `${both[0]} & exec ${both[1]}`], readyPort: PORTS.inferpath },
      ],
      links: [{ a: 'client', b: 'server', delayMs: LAB.oneWayMs, rateMbit: LAB.rateMbit, queueMs: LAB.queueMs }],
    },
    { io: labIo },
  );
  try {
    return await measure('lab', lab.addressOf('server'), async (words) => (await lab.run('client', words)).stdout);
  } finally {
    await lab.stop();
  }
}

/** Median and range of each pair, and its ratio to iperf3 with itself, round by round. */
function summary(results: readonly Result[]): object[] {
  const groups = [...new Set(results.map((r) => `${r.where} ${r.direction}`))];
  return groups.flatMap((group) => {
    const own = results.filter((r) => `${r.where} ${r.direction}` === group);
    const of = (client: Tool, server: Tool) => own.filter((r) => r.client === client && r.server === server);
    const base = of('iperf3', 'iperf3');
    return pairs.map(({ client, server }) => {
      const mine = of(client, server);
      const rates = sorted(mine.map((r) => r.mbitPerS));
      const ratios = sorted(mine.map((r) => r.mbitPerS / base.find((b) => b.round === r.round)!.mbitPerS));
      return {
        group,
        client,
        server,
        medianMbitPerS: Math.round(median(rates)),
        range: [Math.round(rates[0]!), Math.round(rates.at(-1)!)],
        ratio: Number(median(ratios).toFixed(3)),
        ratioRange: [Number(ratios[0]!.toFixed(3)), Number(ratios.at(-1)!.toFixed(3))],
      };
    });
  });
}

const results = [...(where === 'lab' ? [] : await onLoopback()), ...(where === 'loopback' ? [] : await inLab())];
const report = {
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), kernel: release() },
  rounds,
  seconds,
  lab: LAB,
  summary: summary(results),
  results,
};
writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(report, null, 2)}\n`);
console.table(report.summary);
