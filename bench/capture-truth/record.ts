import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabOptions, startLab } from '../../src/lab/lab.ts';
import type { Condition } from './conditions.ts';
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
  const reflect = [
    ...cli,
    'reflect',
    '--json',
    '--listen',
    `${family === 6 ? '[::]' : '0.0.0.0'}:${PORT}`,
    '--tls',
    '--truth',
    file('truth.jsonl'),
    '--seed',
    String(seed),
    '--queue-ms',
    'uniform:80,160',
    '--token-ms',
    '20',
    '--tokens',
    String(condition.tokens ?? 40),
    '--stall',
    '0.02:300',
  ];
  const lab = await startLab(
    {
      seed,
      hosts: [{ name: 'client' }, { name: 'server', command: reflect, readyPort: PORT }],
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

const wallMs = () => performance.timeOrigin + performance.now();

/** `Tcp:` of /proc/net/snmp: a line of names, a line of values. */
function retransmitted(snmp: string): number {
  const [names, values] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values?.[names?.indexOf('RetransSegs') ?? -1] ?? Number.NaN);
}
