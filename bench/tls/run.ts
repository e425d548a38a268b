/**
 * How long does one endpoint take, and what is seen of its groups: `inferpath secure tls`, testssl.sh and sslscan against the same
 * server on loopback, whole processes from start to exit, interleaved.
 * `node scripts/build.mjs && npx tsx bench/tls/run.ts [--rounds 3] [--full]`, with node24 (.ci/run), testssl and sslscan on the PATH.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeFileSync } from 'node:fs';
import { selfSignedCertificate } from '../../test/fixtures/certificate.ts';
import { startPeer } from '../../test/fixtures/tls-peers.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, full: { type: 'boolean', default: false } },
});
const main = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));

interface Tool {
  name: string;
  command: (port: number) => [string, ...string[]];
  /** Groups that it says the server has. */
  groups: (output: string) => string[];
}

const known = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'x448', 'ffdhe2048', 'ffdhe3072'];
const named = (output: string) => known.filter((group) => output.toLowerCase().includes(group.toLowerCase()));

const inferpath =
  (...flags: string[]) =>
  (port: number): [string, ...string[]] => [
    process.execPath,
    main,
    'secure',
    'tls',
    `127.0.0.1:${port}`,
    '--json',
    ...flags,
  ];
const ofReport = (output: string): string[] => {
  const { endpoints } = JSON.parse(output) as {
    endpoints: { survey: { groups: { name: string; support: string }[] } }[];
  };
  return endpoints[0]!.survey.groups.filter(({ support }) => support === 'yes').map(({ name }) => name);
};

const tools: Tool[] = [
  { name: 'inferpath, as it comes (20 connections/s)', command: inferpath(), groups: ofReport },
  { name: 'inferpath --rate 1000', command: inferpath('--rate', '1000'), groups: ofReport },
  {
    name: 'testssl.sh, groups, versions and certificate (-p -f -S)',
    command: (port) => [
      'testssl',
      '--quiet',
      '--color',
      '0',
      '--warnings',
      'off',
      '-p',
      '-f',
      '-S',
      `127.0.0.1:${port}`,
    ],
    groups: named,
  },
  ...(values.full
    ? [
        {
          name: 'testssl.sh, as it comes',
          command: (port: number): [string, ...string[]] => [
            'testssl',
            '--quiet',
            '--color',
            '0',
            '--warnings',
            'off',
            `127.0.0.1:${port}`,
          ],
          groups: named,
        },
      ]
    : []),
  { name: 'sslscan, as it comes', command: (port) => ['sslscan', '--no-colour', `127.0.0.1:${port}`], groups: named },
];

const keyed = selfSignedCertificate(['server.test'], Date.now());
const peer = await startPeer('node24', { cert: keyed.cert, key: keyed.key });
const seconds = new Map<string, number[]>();
const seen = new Map<string, string[]>();
try {
  for (let round = 0; round < Number(values.rounds); round++)
    for (const tool of round % 2 === 0 ? tools : tools.toReversed()) {
      const began = process.hrtime.bigint();
      const [command, ...args] = tool.command(peer.port);
      const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
      let output = '';
      child.stdout.on('data', (chunk) => (output += String(chunk)));
      await once(child, 'close');
      const tookS = Number(process.hrtime.bigint() - began) / 1e9;
      seconds.set(tool.name, [...(seconds.get(tool.name) ?? []), tookS]);
      seen.set(tool.name, tool.groups(output));
      console.error(`${tool.name}: ${tookS.toFixed(2)} s`);
    }
} finally {
  await peer.stop();
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const results = tools.map(({ name }) => {
  const all = seconds.get(name)!;
  return { tool: name, medianS: median(all), minS: Math.min(...all), maxS: Math.max(...all), groups: seen.get(name)! };
});
const versions = ['testssl --version', 'sslscan --version', 'node24 --version'].map((line) => {
  const [command, ...args] = line.split(' ') as [string, ...string[]];
  const text = spawnSync(command, args, { encoding: 'utf8' });
  return `${command}: ${/\d+\.\d+[.\w-]*/.exec(text.stdout + text.stderr)?.[0] ?? '?'}`;
});
writeFileSync(
  new URL('results.json', import.meta.url),
  `${JSON.stringify({ node: process.version, versions, results }, null, 2)}\n`,
);
console.table(results.map(({ groups, ...row }) => ({ ...row, groups: groups.length })));
