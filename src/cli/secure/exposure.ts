import { networkInterfaces } from 'node:os';
import * as z from 'zod';
import { defaultPorts } from '../../measure/exposure/engines.ts';
import { exposureGate } from '../../measure/exposure/gate.ts';
import { type Scan, scan } from '../../measure/exposure/scan.ts';
import { parseCidr } from '../../model/cidr.ts';
import type { Network } from '../../model/network.ts';
import type { ExposureReport, OwnListener } from '../../model/secure/exposure.ts';
import { prettyJson } from '../../report/json.ts';
import { renderExposureText } from '../../report/secure/exposure-text.ts';
import { exposureFindings } from '../../secure/exposure/findings.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { planProgress } from '../plan/progress.ts';
import { jsonFlag, networkFlag } from './flags.ts';
import { namedTargets, ownTargets, type Targets } from './exposure-targets.ts';
import { ownListeners, withListeners } from './own-listeners.ts';

const flags = {
  network: networkFlag,
  ports: {
    schema: z.string().transform(portsOf).optional(),
    about: 'Ports to ask, like 8000,8080-8089; default: those that the known engines use.',
    value: 'LIST',
  },
  iOwnThis: {
    schema: z
      .array(z.string().refine((text) => parseCidr(text)?.isAligned, 'must be a network like 203.0.113.0/24'))
      .default([]),
    about: 'Says that a range which can be reached from the Internet is yours and meant; may be repeated.',
    value: 'CIDR',
    repeated: true,
  },
  maxAddresses: {
    schema: z.coerce.number().int().min(1).max(1_000_000).default(4096),
    about: 'Most addresses to ask; default 4096.',
    value: 'N',
  },
  pace: {
    schema: z.coerce.number().min(0.1).max(5000).default(100),
    about: 'Most new connections a second, all hosts together; default 100.',
    value: 'N',
  },
  parallel: {
    schema: z.coerce.number().int().min(1).max(256).default(32),
    about: 'Hosts at a time, one connection to each; default 32.',
    value: 'N',
  },
  wait: {
    schema: z.coerce.number().min(0.05).max(60).default(1.5),
    about: 'Longest wait for a connection, s, and for three times as long for an answer; default 1.5.',
    value: 'S',
  },
  local: {
    schema: z.boolean().default(false),
    about:
      'Sockets of this machine that wait for connections (/proc/net, no scan): where each listens, and what stands there.',
  },
  json: jsonFlag,
} as const;

export const secureExposure = defineAction({
  about:
    'Which inference servers answer anyone: Ollama, vLLM, SGLang, TGI, Triton, llama.cpp, Ray, Open WebUI, LM Studio, KServe, MLflow and Jupyter, ' +
    'each recognised by two signals and asked by an oracle of its own whether it wants a key. Asks with GET wherever that tells, runs no inference, ' +
    'tries no credential, follows no redirect, and asks only this machine and what security.ranges of the network file calls yours.',
  positionals: {
    name: 'target',
    about: 'host, address, host:port or CIDR; or the network file alone: all of its ranges',
    min: 0,
    max: 1000,
  },
  flags,
  examples: [
    { line: 'inferpath secure exposure --local', about: 'what listens on this machine, and for whom' },
    { line: 'inferpath secure exposure 127.0.0.1', about: 'the usual ports of this machine' },
    { line: 'inferpath secure exposure network.yaml', about: 'every range that the network file calls yours' },
    {
      line: 'inferpath secure exposure 10.1.0.0/24 gpu-7:8000 --network network.yaml',
      about: 'a range and one service',
    },
    {
      line: 'inferpath secure exposure 203.0.113.8 --network network.yaml --i-own-this 203.0.113.8/32',
      about: 'an address that the Internet reaches',
    },
  ],
  run: ({ flags, positionals, io }) => run(flags, positionals, io),
});

type Flags = FlagValues<typeof flags>;

async function run(flags: Flags, words: string[], io: Io): Promise<ExitCode> {
  const file = words.length === 1 && /\.ya?ml$/i.test(words[0]!) ? words[0]! : undefined;
  if (file !== undefined && flags.network !== undefined)
    throw new UsageError('--network: found a network file as target, too; allowed: one of them');
  if (words.length === 0 && !flags.local)
    throw new UsageError('<target>: is required; allowed: host, address, CIDR or network file, or --local');
  const network = await networkOf(file ?? flags.network, io);
  const listeners = flags.local ? await ownListeners(io) : null;
  const ownership = { ranges: network?.security.ranges ?? [], ownAddresses: ownAddresses(), meant: flags.iOwnThis };
  const options = { ownership, maxAddresses: flags.maxAddresses };
  if (file !== undefined && ownership.ranges.length === 0)
    throw new UsageError(
      `${file}: has no security.ranges; allowed: a network file that says which addresses are yours`,
      'docs/network-file.md tells how',
    );
  const named = file === undefined ? await namedTargets(words, options, io) : ownTargets(network!, options);
  const targets = listeners === null ? named : withListeners(named, listeners);
  const report = await ask(targets, listeners, network, flags, io);
  const { columns, colors } = io.terminal;
  io.terminal.out(flags.json ? prettyJson(report) : renderExposureText(report, { columns, colors }));
  return codeOf(report, io);
}

async function networkOf(path: string | undefined, io: Io): Promise<Network | undefined> {
  return path === undefined ? undefined : loadPlannedNetwork(path, io);
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

async function ask(
  { hosts, permitted, asked, notAsked }: Targets,
  listeners: OwnListener[] | null,
  network: Network | undefined,
  flags: Flags,
  io: Io,
): Promise<ExposureReport> {
  const began = { monoMs: io.clock.monoMs(), wallMs: io.clock.wallMs() };
  const ports = flags.ports ?? [...defaultPorts];
  const vantage = network?.vantage?.name ?? 'this machine';
  const progress = planProgress(io, undefined);
  let scanned: Scan;
  try {
    scanned = await scan({
      hosts,
      ports,
      gate: exposureGate(permitted),
      ratePerS: flags.pace,
      parallel: flags.parallel,
      connectMs: flags.wait * 1000,
      answerMs: flags.wait * 3000,
      signal: progress.signal,
      clock: io.clock,
      progress: (done, all, open) => progress.show(`${done} of ${all} ports asked, ${open} open`),
    });
  } finally {
    progress.end();
  }
  const { services, counts, complete } = scanned;
  return {
    schema: 'inferpath/secure-exposure@1',
    vantage,
    startedAt: new Date(began.wallMs).toISOString(),
    durationMs: Math.round(io.clock.monoMs() - began.monoMs),
    complete,
    asked,
    notAsked,
    ports: [...new Set(hosts.flatMap((host) => host.ports ?? ports))].sort((a, b) => a - b),
    counts,
    services,
    listeners,
    findings: exposureFindings({ services, listeners, vantage }),
  };
}

function codeOf({ findings, complete, counts, notAsked }: ExposureReport, io: Io): ExitCode {
  if (io.signals.interrupted.aborted) return exitCode.interrupted;
  if (findings.some(({ verdict }) => verdict === 'fail')) return exitCode.notReady;
  const isOpen =
    !complete || counts.silent > 0 || notAsked.length > 0 || findings.some(({ verdict }) => verdict === 'unknown');
  return isOpen ? exitCode.couldNotMeasure : exitCode.ready;
}

/** `8000,8080-8089` as numbers, rising. @throws RangeError */
function portsOf(text: string): number[] {
  const ports = text.split(',').flatMap((part) => {
    const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '' || from < 1 || to > 65_535 || to < from)
      throw new RangeError('allowed: ports and ranges of ports from 1 to 65535, like 8000,8080-8089');
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}
