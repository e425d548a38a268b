import { parse } from 'yaml';
import * as z from 'zod';
import { policy as policySchema } from '../../model/network-policy.ts';
import { type Network, plannedNetwork } from '../../model/network.ts';
import type { PolicySuggestion } from '../../model/secure/policy-suggestion.ts';
import { plural } from '../../report/format.ts';
import { prettyJson } from '../../report/json.ts';
import { policyYaml } from '../../report/secure/policy-yaml.ts';
import { renderSuggestionNotes } from '../../report/secure/suggestion-text.ts';
import { seenBy } from '../../secure/flows/words.ts';
import { meaningOf, type PolicyMeaning } from '../../secure/policy/policy.ts';
import { policyOf } from '../../secure/suggest/names.ts';
import { isWithin, permitsAll } from '../../secure/suggest/proof.ts';
import { suggest, type SuggestedLine, type Suggestion } from '../../secure/suggest/suggest.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, exitCode } from '../command.ts';
import { loadPlannedNetwork } from '../network-file.ts';
import { jsonFlag, networkFlag } from './flags.ts';
import { readSnapshot } from './policy-drift.ts';
import { mergeSnapshots } from '../../secure/flows/observe.ts';
import { type Seen, seeConnections, seenFlags } from './seen-connections.ts';

const flags = {
  json: jsonFlag,
  network: networkFlag,
  slack: {
    schema: z.coerce.number().int().min(0).max(1_000_000_000).default(0),
    about: 'Sources that each line may add without their having been seen, for shorter lists; default 0.',
    value: 'K',
  },
  minDays: {
    schema: z.coerce.number().min(0).max(3650).default(7),
    about: 'Days that the flows have to span to be believed; below, the answer says so; default 7.',
    value: 'D',
  },
  dropOneOff: {
    schema: z.boolean().default(false),
    about: 'Leave out what was seen once; it is listed in any case.',
  },
  saved: {
    schema: z.array(z.string().min(1)).default([]),
    about: 'What policy drift --json printed: its flows are taken, too; may be repeated.',
    value: 'FILE',
    repeated: true,
  },
  ...seenFlags,
} as const;

export const policySuggest = defineAction({
  about:
    'Writes the least policy that lets everything go on that was seen: the fewest CIDRs that add no address, joined into few lines, and ' +
    'proved: it permits every flow that it was made of, and nothing that the policy in force does not permit. The section goes into the ' +
    'network file as it is.',
  positionals: {
    name: 'file…',
    about: 'files with connections (- is stdin); none and no --saved: this host',
    min: 0,
    max: 10_000,
  },
  flags,
  examples: [
    { line: 'inferpath secure policy suggest flows.csv', about: 'from flow records' },
    {
      line: 'inferpath secure policy suggest --network network.yaml --saved monday.json --saved tuesday.json',
      about: 'tightens the policy in force to what two saved looks have seen',
    },
    {
      line: 'inferpath secure policy suggest conntrack.txt --slack 16 > policy.yaml',
      about: 'shorter lists, at most 16 addresses per line that were not seen',
    },
  ],
  async run({ flags, positionals: files, io }) {
    const network = flags.network === undefined ? null : await loadPlannedNetwork(flags.network, io);
    const current = network && meaningOf(network);
    const seen = await seenOf(files, flags, io);
    const suggestion = suggest(seen.snapshot.flows, { slack: flags.slack, dropOneOff: flags.dropOneOff, current });
    const report = reportOf({ suggestion, network, current, seen, minDays: flags.minDays, io });
    const { columns, colors } = io.terminal;
    if (flags.json) io.terminal.out(prettyJson(report));
    else {
      io.terminal.out(report.yaml);
      // Beside the section, so that what is redirected into a file is the section alone.
      io.terminal.err(renderSuggestionNotes(report, { columns, colors }));
    }
    if (seen.interrupted) return exitCode.interrupted;
    if (suggestion.included.length === 0) return exitCode.couldNotMeasure;
    return isShown(report) ? exitCode.ready : exitCode.notReady;
  },
});

const isShown = ({ proofs: { observedWithin, withinCurrent } }: PolicySuggestion): boolean =>
  observedWithin.verdict === 'proved' && (withinCurrent === null || withinCurrent.verdict === 'proved');

type Flags = Parameters<typeof seeConnections>[1] & { saved: string[] };

async function seenOf(files: readonly string[], flags: Flags, io: Io): Promise<Seen> {
  const saved = [];
  for (const file of flags.saved) saved.push((await readSnapshot(file, io)).snapshot);
  const [first, ...more] = saved;
  if (!first) return seeConnections(files, flags, io);
  const seen = files.length > 0 ? await seeConnections(files, flags, io) : null;
  const snapshot = [...more, ...(seen ? [seen.snapshot] : [])].reduce(mergeSnapshots, first);
  return { snapshot, ownAddresses: [], notes: seen?.notes ?? [], interrupted: seen?.interrupted ?? false };
}

interface ReportInput {
  suggestion: Suggestion;
  network: Network | null;
  current: PolicyMeaning | null;
  seen: Seen;
  minDays: number;
  io: Io;
}

function reportOf({ suggestion, network, current, seen, minDays, io }: ReportInput): PolicySuggestion {
  const looked = seenBy(seen.snapshot);
  const made = policyOf(suggestion, network, (line) => `Seen ${plural(line.seen, 'time')} ${spanOf(line)}.`);
  const lines = made.allow.map(({ name }, i) => {
    const { flows, seen: times, firstMs, lastMs, slack } = suggestion.lines[i]!;
    return { name, flows, seen: times, firstMs, lastMs, slack };
  });
  const comments = new Map(
    lines.map(({ name, slack }) => [
      name,
      slack.length === 0 ? [] : [`never seen, added as slack: ${slack.join(', ')}`],
    ]),
  );
  const yaml = policyYaml(made, comments);
  const meaning = readBack(yaml, network);
  const { fromMs, toMs } = seen.snapshot;
  const spanDays = fromMs === null || toMs === null ? 0 : (toMs - fromMs) / 86_400_000;
  return {
    schema: 'inferpath/policy-suggestion@1',
    measuredAt: new Date(io.clock.wallMs()).toISOString(),
    interrupted: seen.interrupted,
    seenBy: looked,
    spanDays,
    minDays,
    longEnough: spanDays >= minDays,
    policy: made,
    yaml,
    lines,
    leastCidrs: suggestion.isLeast,
    proofs: {
      observedWithin: permitsAll(meaning, suggestion.included),
      withinCurrent: current && isWithin(meaning, current),
    },
    oneOff: suggestion.oneOff,
    leftOut: suggestion.leftOut,
    notes: seen.notes,
  };
}

/** The meaning of the text that is printed, not of what it was made of: a mistake in writing it would show. */
function readBack(yaml: string, network: Network | null): PolicyMeaning {
  const { policy } = z.object({ policy: policySchema }).parse(parse(yaml));
  const meaning = meaningOf({ ...(network ?? plannedNetwork.parse({ version: 1 })), policy });
  if (!meaning) throw new Error('Cannot read back the policy that was just written');
  return meaning;
}

function spanOf({ firstMs, lastMs }: SuggestedLine): string {
  if (firstMs === null || lastMs === null) return 'at an unknown time';
  const [first, last] = [firstMs, lastMs].map((ms) => new Date(ms).toISOString().slice(0, 10));
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}
