import * as z from 'zod';
import { printable } from '../../model/outcome.ts';
import { policyDriftReport, type PolicyDriftReport } from '../../model/secure/policy-drift.ts';
import type { Snapshot } from '../../model/secure/snapshot.ts';
import type { Network } from '../../model/network.ts';
import { prettyJson } from '../../report/json.ts';
import { renderDrift } from '../../report/secure/drift-text.ts';
import { driftOf } from '../../secure/drift/drift.ts';
import { driftFindings } from '../../secure/drift/findings.ts';
import { validAddresses } from '../../secure/drift/listeners.ts';
import { selfOf } from '../../secure/flows/self.ts';
import { meaningOf, type PolicyMeaning } from '../../secure/policy/policy.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, exitCode, UsageError } from '../command.ts';
import { readJsonInputs } from '../input-file.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { jsonFlag } from './flags.ts';
import { followLog } from './follow-log.ts';
import { type Seen, seeConnections, seenFlags } from './seen-connections.ts';

const flags = {
  json: jsonFlag,
  against: {
    schema: z.string().min(1).optional(),
    about: 'What an earlier run printed with --json: tells new listeners and first-time talkers.',
    value: 'FILE',
  },
  self: {
    schema: z.array(z.string().min(1)).default([]),
    about: 'Address of the host that the files are from, where they do not show it; may be repeated.',
    value: 'ADDRESS',
    repeated: true,
  },
  follow: {
    schema: z.boolean().default(false),
    about:
      'Stay with one growing log (pfirewall.log, conntrack -E) and tell each flow outside the policy as it comes, until Ctrl-C.',
    group: 'Looking',
  },
  ...seenFlags,
} as const;

export const policyDrift = defineAction({
  about:
    'Holds live connections against the policy: flows that are in use and would be denied, permissions that nobody uses, sockets that wait ' +
    'for others, and who talks for the first time. Looks at this host without privilege (/proc/net), or reads what the systems print. ' +
    'A look is not a recording: zero always says in how many looks.\n\n' +
    'Reads: /proc/net/{tcp,tcp6,udp,udp6} and nf_conntrack, ss -H -tunaOp, conntrack -L or -E, netstat, Get-NetTCPConnection and ' +
    'Get-NetUDPEndpoint as JSON or CSV, pfirewall.log, flow records as CSV.',
  positionals: {
    name: 'network.yaml file…',
    about: 'the network file with its policy, then files with connections (- is stdin); none: this host',
    min: 1,
    max: 10_000,
  },
  flags,
  examples: [
    {
      line: 'inferpath secure policy drift network.yaml --samples 720 --interval 5',
      about: 'an hour of looks at this host',
    },
    {
      line: 'inferpath secure policy drift network.yaml --against monday.json --json > tuesday.json',
      about: 'what is new since Monday',
    },
    {
      line: 'inferpath secure policy drift network.yaml pfirewall.log --zone +01:00 --follow',
      about: 'a Windows firewall log as it grows',
    },
  ],
  async run({ flags, positionals: [file = '', ...files], io }) {
    const network = await loadPlannedNetwork(file, io);
    const meaning = meaningWanted(file, network);
    const self = selfWanted(flags.self);
    const earlier = flags.against === undefined ? null : await readSnapshot(flags.against, io);
    if (flags.follow && files.length !== 1)
      throw new UsageError(`--follow: found ${files.length} files; allowed: one log after the network file`);
    const seen = flags.follow ? await followLog(files[0]!, meaning, flags, io) : await seeConnections(files, flags, io);
    const report = reportOf({ file, meaning, self, earlier, seen, io });
    const { columns, colors } = io.terminal;
    io.terminal.out(flags.json ? prettyJson(report) : renderDrift(report, { columns, colors }));
    if (seen.interrupted) return exitCode.interrupted;
    const { flows, listeners } = seen.snapshot;
    if (flows.length + listeners.length === 0) return exitCode.couldNotMeasure;
    return report.denials.length > 0 ? exitCode.notReady : exitCode.ready;
  },
});

/** @throws UsageError for a network file without a policy */
export function meaningWanted(file: string, network: Network): PolicyMeaning {
  const meaning = meaningOf(network);
  if (meaning) return meaning;
  throw new UsageError(
    `${printable(file, 300)}: policy: found nothing; allowed: a policy that says who may reach what`,
    'inferpath secure policy suggest makes one of what is seen',
  );
}

function selfWanted(words: readonly string[]): string[] {
  const valid = validAddresses(words);
  const wrong = words.filter((word) => !valid.includes(word));
  if (wrong.length > 0)
    throw new UsageError(
      wrong.map((word) => `--self: found ${JSON.stringify(printable(word, 60))}; allowed: an IP address`).join('\n'),
    );
  return valid;
}

const snapshotInput = {
  schema: policyDriftReport.pick({ schema: true, measuredAt: true, snapshot: true }),
  maxBytes: 256 * 1024 * 1024,
  allowed: 'what inferpath secure policy drift --json printed',
};

/** The snapshot in what `policy drift --json` printed. @throws UsageError naming what is wrong */
export async function readSnapshot(
  file: string,
  io: Io,
): Promise<{ file: string; snapshot: Snapshot; measuredAt: string }> {
  const [read] = await readJsonInputs([file], snapshotInput, io);
  return { file: printable(file, 300), snapshot: read!.snapshot, measuredAt: read!.measuredAt };
}

interface ReportInput {
  file: string;
  meaning: PolicyMeaning;
  self: readonly string[];
  earlier: { file: string; snapshot: Snapshot } | null;
  seen: Seen;
  io: Io;
}

function reportOf({ file, meaning, self, earlier, seen, io }: ReportInput): PolicyDriftReport {
  const { snapshot: observed, ownAddresses, notes, interrupted } = seen;
  const own = [...new Set([...self, ...ownAddresses, ...selfOf(observed)])].sort();
  const judged: Omit<PolicyDriftReport, 'findings'> = {
    schema: 'inferpath/policy-drift@1',
    file: printable(file, 300),
    measuredAt: new Date(io.clock.wallMs()).toISOString(),
    interrupted,
    self: own,
    ...driftOf({ meaning, observed, self: own, earlier }),
    notes: [...notes, ...limitsOf(observed)],
    snapshot: observed,
  };
  return { ...judged, findings: driftFindings(judged) };
}

/** What could not be seen, in words. */
function limitsOf({ samples, undirected, leftOut, sources }: Snapshot): string[] {
  const gaps = sources.reduce((sum, one) => sum + one.gaps, 0);
  return [
    ...(samples > 0
      ? [
          'looks at a list of sockets miss connections that begin and end between two looks; conntrack -E or flow records do not',
        ]
      : []),
    ...(undirected > 0 ? [`${undirected} connections are not judged, because nothing says who opened them`] : []),
    ...(gaps > 0 ? [`the sources themselves report ${gaps} gaps`] : []),
    ...(leftOut > 0 ? [`${leftOut} connections beyond 200,000 different ones are not kept apart`] : []),
  ];
}
