import * as z from 'zod';
import { type Cidr, contains, parseCidr } from '../../model/cidr.ts';
import { isPublic } from '../../model/special-addresses.ts';
import { printable } from '../../model/outcome.ts';
import type { AnomaliesReport } from '../../model/secure/anomalies.ts';
import { judgeAnomalies } from '../../secure/anomaly/judge.ts';
import type { Look } from '../../secure/anomaly/look.ts';
import { prettyJson } from '../../report/json.ts';
import { renderAnomaliesText } from '../../report/secure/anomalies-text.ts';
import { withoutPort } from '../../stats/address.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { version } from '../version.ts';
import { jsonFlag, networkFlag } from './flags.ts';
import { readLooks } from './looks.ts';

const flags = {
  network: networkFlag,
  inference: {
    schema: z.array(z.string().min(1)).default([]),
    about: 'Address or CIDR that serves inference, beside those that secure exposure found; may be repeated.',
    value: 'CIDR',
    repeated: true,
  },
  json: jsonFlag,
} as const;

type Flags = FlagValues<typeof flags>;

/** `inferpath secure anomalies`: the newest saved look against all earlier ones. */
export const secureAnomalies = defineAction({
  about:
    'What is unlike before: the newest saved look against all earlier ones. New callers, listeners that left loopback, first egress of an inference host, ' +
    'octets that turned about, TLS that fell back, keys that changed, authentication that opened, counts that jump. ' +
    'Beside each rule stands how often it would have spoken on your own past.',
  positionals: {
    name: 'looks.json',
    about: 'what secure policy drift, tls and exposure printed with --json, in any order',
    min: 1,
    max: 100_000,
  },
  flags,
  examples: [
    {
      line: 'inferpath secure policy drift network.yaml --json > "looks/$(date +%s).json"',
      about: 'every hour, by cron',
    },
    { line: 'inferpath secure anomalies looks/*.json', about: 'is the newest unlike the others?' },
    {
      line: 'inferpath secure anomalies looks/*.json --inference 10.0.0.0/28 --network network.yaml',
      about: 'with the hosts that serve inference, and what is yours',
    },
  ],
  run: ({ flags: given, positionals, io }) => run(positionals, given, io),
});

async function run(files: readonly string[], flags: Flags, io: Io): Promise<ExitCode> {
  const declared = flags.inference.map(cidrOf);
  const own = flags.network === undefined ? null : await ownRanges(flags.network, io);
  const looks = await readLooks(files, io);
  const served = inferenceOf(looks);
  const judged = judgeAnomalies(looks, {
    isInference: (address) => served.has(address) || within(address, declared),
    isOutside: (address) => (own ? !within(address, own) : isOutsideByDefault(address)),
  });
  const report: AnomaliesReport = {
    schema: 'inferpath/anomalies@1',
    version,
    looks: looks.toSorted((a, b) => a.atMs - b.atMs).map(lookRow),
    inference: [...served, ...flags.inference],
    rules: judged.map(({ rule: { id, about, of, needs }, look, learnt, asked, findings, replay }) => ({
      id,
      about,
      of,
      judged: look,
      learnt,
      needs,
      asked,
      found: findings.length,
      replay,
    })),
    findings: judged.flatMap(({ findings }) => findings),
  };
  io.terminal.out(flags.json ? prettyJson(report) : renderAnomaliesText(report, io.terminal));
  return report.findings.some(({ severity }) => severity !== 'info') ? exitCode.notReady : exitCode.ready;
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr) return cidr;
  throw new UsageError(
    `--inference: found ${JSON.stringify(printable(text, 80))}; allowed: an address or a CIDR, such as 10.0.0.0/28`,
  );
}

async function ownRanges(file: string, io: Io): Promise<Cidr[]> {
  const { security } = await loadPlannedNetwork(file, io);
  const ranges = security?.ranges.flatMap(({ cidr }) => parseCidr(cidr) ?? []) ?? [];
  if (ranges.length > 0) return ranges;
  throw new UsageError(
    `${printable(file, 300)}: security.ranges: has none; allowed: at least one, so that --network can say what is yours`,
  );
}

function within(address: string, ranges: readonly Cidr[]): boolean {
  const one = parseCidr(address);
  return one !== null && ranges.some((range) => contains(range, one));
}

function isOutsideByDefault(address: string): boolean {
  const one = parseCidr(address);
  return one !== null && isPublic(one);
}

/** Addresses of the servers that exposure has found in any look. */
function inferenceOf(looks: readonly Look[]): Set<string> {
  return new Set(looks.flatMap(({ access }) => access?.map(({ server }) => withoutPort(server)) ?? []));
}

function lookRow({ name, atMs, connections, tls }: Look): AnomaliesReport['looks'][number] {
  return { name, at: new Date(atMs).toISOString(), shows: connections ? 'connections' : tls ? 'tls' : 'access' };
}
