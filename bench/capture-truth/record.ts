import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabOptions, startLab } from '../../src/lab/lab.ts';
import type { Condition } from './conditions.ts';
import { goServer } from './go-server.ts';
import { type Numbers, PORT } from './recorded.ts';

interface RecordOptions {
  cli: readonly string[];
  requests: number;
  seed: number;
  io: LabOptions['io'];
  /** Where the captures, the server’s log and the counts go. */
  folder: string;
}

/** Streams over the emulated network while both ends are captured. */
export async function record(condition: Condition, { cli, requests, seed, io, folder }: RecordOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const family = condition.family ?? 4;
  const tokens = String(condition.tokens ?? 40);
  const of = { listen: `${family === 6 ? '[::]' : '0.0.0.0'}:${PORT}`, truth: file('truth.jsonl'), seed, tokens };
  const command = condition.server
    ? [await goServer(), ...goWords(of), ...(condition.server === 'go-http2' ? ['--http2'] : [])]
    : [...cli, 'reflect', '--json', '--tls', ...reflectWords(of)];
  const lab = await startLab(
    {
      seed,
      hosts: [{ name: 'client' }, { name: 'server', command, readyPort: PORT }],
      routers: [],
      links: [{ a: 'client', b: 'server', ...condition.link }],
    },
    { io },
  );
  try {
    if (condition.timestamps === false)
      for (const host of ['client', 'server']) await lab.run(host, ['sysctl', '-qw', 'net.ipv4.tcp_timestamps=0']);
    const target = lab.addressOf('server', family);
    const url = `https://${family === 6 ? `[${target}]` : target}:${PORT}/v1/chat/completions`;
    const infer = [
      ...cli,
      'infer',
      url,
      '--json',
      '--insecure',
      '--no-floor',
      '--no-tap',
      ...(condition.client ?? ['--fresh']),
    ];
    // A server that has just started compiles while it answers.
    await lab.run('client', [...infer, '--requests', '8', '--rate', '8']);
    const before = (await readFile(file('truth.jsonl'), 'utf8').catch(() => '')).length;
    const taps = ['client', 'server'].map((host) =>
      lab.spawn(
        host,
        ['tcpdump', '-i', 'any', '-y', 'LINUX_SLL2', '-s', '0', '-U', '-w', file(`${host}.pcap`), 'tcp'],
        { stdio: 'ignore' },
      ),
    );
    await io.clock.sleep(700);
    const count = async () => retransmitted((await lab.run('server', ['cat', '/proc/net/snmp'])).stdout);
    const began = await count();
    await lab.run('client', [...infer, '--requests', String(requests), '--rate', '10', '--concurrency', '16'], {
      timeoutMs: 120_000,
    });
    await io.clock.sleep(700);
    const kernelRetransmissions = (await count()) - began;
    const ended = taps.map((tap) => new Promise((resolve) => tap.once('close', resolve)));
    for (const tap of taps) tap.kill('SIGINT');
    await Promise.all(ended);
    const monoMinusWallMs = Number(process.hrtime.bigint()) / 1e6 - wallMs();
    await lab.stop();
    const numbers: Numbers = { requests, truthFrom: before, monoMinusWallMs, kernelRetransmissions };
    await writeFile(file('numbers.json'), `${JSON.stringify(numbers)}\n`);
  } finally {
    await lab.stop();
  }
}

interface Answers {
  listen: string;
  truth: string;
  seed: number;
  tokens: string;
}

function reflectWords({ listen, truth, seed, tokens }: Answers): string[] {
  const pace = ['--queue-ms', 'uniform:80,160', '--token-ms', '20', '--tokens', tokens, '--stall', '0.02:300'];
  return ['--listen', listen, '--truth', truth, '--seed', String(seed), ...pace];
}

function goWords({ listen, truth, seed, tokens }: Answers): string[] {
  const pace = ['--queue-ms', '80,160', '--token-ms', '20', '--tokens', tokens, '--stall', '0.02:300'];
  return ['--listen', listen, '--truth', truth, '--seed', String(seed), ...pace];
}

const wallMs = () => performance.timeOrigin + performance.now();

/** `Tcp:` of /proc/net/snmp: a line of names, a line of values. */
function retransmitted(snmp: string): number {
  const [names, values] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values?.[names?.indexOf('RetransSegs') ?? -1] ?? Number.NaN);
}
