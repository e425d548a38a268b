import { printable } from '../../model/outcome.ts';
import type { PolicyProof } from '../../model/secure/policy-proof.ts';
import { prettyJson } from '../../report/json.ts';
import { renderPolicyProof } from '../../report/secure/policy-text.ts';
import { judgePolicy, verdictOf } from '../../secure/policy/judge.ts';
import { both } from '../../secure/policy/read/nft-firewall.ts';
import { RulesetError } from '../../secure/policy/read/nft-rules.ts';
import { reported } from '../../secure/policy/report.ts';
import { emitFor, type TargetName } from '../../secure/policy/emit-for.ts';
import {
  judgeModelled,
  modelledFormOf,
  modelledNotes,
  type ModelledTarget,
  modelledTargets,
  unsaidBy,
} from '../../secure/policy/modelled-targets.ts';
import { formOf, type ReadRules, readRules } from '../../secure/policy/targets.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, exitCode, type ExitCode, UsageError } from '../command.ts';
import { readInput } from '../input-file.ts';
import { jsonFlag } from './flags.ts';
import { type ChosenPolicy, loadPolicy, policyFlags } from './policy-flags.ts';
import { chunksOf } from '../../wire/open-file.ts';

/** The rules of a large host with many sets. */
const maxBytes = 64 * 1024 * 1024;

const exits: Readonly<Record<PolicyProof['verdict'], ExitCode>> = {
  proved: exitCode.ready,
  refuted: exitCode.notReady,
  'not-proved': exitCode.couldNotMeasure,
  'proved-in-part': exitCode.couldNotMeasure,
};

/** `inferpath secure policy prove`: do these rules mean what the policy says? */
export const policyProve = defineAction({
  about:
    'Reads rules and shows that what they accept is exactly what the policy permits, over all sources, destinations, protocols and ports, ' +
    'or prints the smallest packet that shows otherwise and the rule that decided it. What is not understood is never passed: then the ' +
    'answer is "not proved", with what the rules accept at least and at most. Where rules of a kind cannot say all that the policy says ' +
    '(security groups know no published ports), they are "proved in part".\n\n' +
    'Rules are what a host really holds, as `nft -j list ruleset`, `nft list ruleset`, `iptables-save` and `ip6tables-save` print it, or ' +
    'what `policy emit` made. Without any, the rules of --target (default: each) are made, read back as text, and held against the policy.',
  positionals: {
    name: 'network.yaml',
    about:
      'the network file with its policy, then files with rules of one host (- is stdin), which judge one after the other',
    min: 1,
    max: 20,
  },
  flags: { host: policyFlags.host, target: policyFlags.target, json: jsonFlag },
  examples: [
    { line: 'inferpath secure policy prove network.yaml', about: 'do the rules that would be made mean the policy?' },
    {
      line: 'nft -j list ruleset | inferpath secure policy prove network.yaml -',
      about: 'does this host hold what the policy says?',
    },
    {
      line: 'inferpath secure policy prove network.yaml v4.rules v6.rules --host inference',
      about: 'what iptables-save and ip6tables-save have printed on a server of that group',
    },
  ],
  async run({ flags, positionals: [file = '', ...files], io }) {
    const { host, target, json } = flags;
    if (target !== undefined && files.length > 0)
      throw new UsageError('--target: goes without files of rules, whose form is seen by itself');
    const chosen = await loadPolicy(file, host, io);
    const { out, columns, colors } = io.terminal;
    const given = await readFiles(files, io);
    if (given.length > 1 && given.some((one) => one.target))
      throw new UsageError(
        'rules for Windows, Kubernetes and security groups are judged alone; allowed: one file of them',
      );
    const cases = files.length > 0 ? [given] : emitted(chosen, file, target);
    const reports = cases.map((texts) => reportOf(chosen, printable(file, 300), host ?? null, texts));
    const report = merged(reports);
    out(json ? prettyJson(report) : reports.map((one) => renderPolicyProof(one, { columns, colors })).join('\n'));
    return exits[report.verdict];
  },
});

interface NamedRules {
  from: string;
  read: Pick<ReadRules, 'firewall' | 'rules' | 'notes'> & { form: ReadRules['form'] | ModelledTarget['name'] };
  /** Of rules for a system that is modelled. */
  target?: ModelledTarget;
}

async function readFiles(files: readonly string[], io: Io): Promise<NamedRules[]> {
  const out: NamedRules[] = [];
  for (const file of files) {
    const text = file === '-' ? await stdinText(io) : await readInput(file, maxBytes, io);
    out.push({ from: file === '-' ? 'stdin' : printable(file, 300), ...parsed(file, text) });
  }
  return out;
}

async function stdinText(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(io.terminal.openInput())) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) throw new UsageError(`stdin: has more than ${maxBytes} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(file: string, text: string): Pick<NamedRules, 'read' | 'target'> {
  try {
    const target = modelledFormOf(text);
    return target ? readModelled(target, text) : { read: readRules(text, formOf(text)) };
  } catch (error) {
    if (!(error instanceof RulesetError)) throw error;
    throw new UsageError(
      `${printable(file === '-' ? 'stdin' : file, 300)}: ${printable(error.message, 500)}`,
      'rules are read as nft -j list ruleset, nft list ruleset, iptables-save and ip6tables-save print them',
    );
  }
}

function readModelled(target: ModelledTarget, text: string): Pick<NamedRules, 'read' | 'target'> {
  const firewall = target.read(text);
  const rules = target.hooks.flatMap((hook) =>
    ([4, 6] as const).flatMap((family) => firewall.pathAt(hook, family, 'new').flatMap((chain) => chain.rules)),
  );
  return { target, read: { form: target.name, firewall, rules: rules.length, notes: [] } };
}

function emitted({ meaning, self }: ChosenPolicy, source: string, target: TargetName | undefined): NamedRules[][] {
  const targets = target === undefined ? (['nftables', 'iptables'] as const) : [target];
  return targets.map((one) => {
    const text = emitFor(one, meaning, { deny: 'drop', source }, self);
    const modelled = modelledTargets.find(({ name }) => name === one);
    const from = `emitted for ${one}`;
    if (modelled) return [{ from, ...readModelled(modelled, text) }];
    return [{ from, read: readRules(text, one as 'nftables' | 'iptables') }];
  });
}

function reportOf(
  { meaning, self }: ChosenPolicy,
  policy: string,
  host: string | null,
  texts: readonly NamedRules[],
): PolicyProof {
  const [{ target, read: first } = {}] = texts;
  const proofs =
    target && first
      ? judgeModelled(target, meaning, first.firewall, self)
      : judgePolicy(meaning, both(texts.map(({ read }) => read.firewall)), self);
  const unsaid = target ? unsaidBy(target, meaning, self) : [];
  const verdict = verdictOf(proofs);
  return {
    schema: 'inferpath/policy-proof@1',
    policy,
    host,
    lines: meaning.lines.length,
    texts: texts.map(({ from, read: { form, rules } }) => ({ from, form, rules })),
    verdict: verdict === 'proved' && unsaid.length > 0 ? 'proved-in-part' : verdict,
    proofs: proofs.map((one) =>
      reported(
        one,
        texts.map(({ from }) => from),
      ),
    ),
    unsaid,
    notes: [
      ...new Set(texts.flatMap(({ read }) => read.notes)),
      ...(target ? modelledNotes(target, meaning) : []),
      'Judged are packets that begin a connection, and that all answers pass; packets of a host to itself are not.',
    ],
  };
}

/** Several targets as one document: all proofs, and the worst verdict. */
function merged(reports: readonly PolicyProof[]): PolicyProof {
  const worst = (['refuted', 'not-proved', 'proved-in-part', 'proved'] as const).find((one) =>
    reports.some(({ verdict }) => verdict === one),
  );
  return {
    ...reports[0]!,
    verdict: worst ?? 'not-proved',
    texts: reports.flatMap(({ texts }) => texts),
    proofs: reports.flatMap(({ proofs }) => proofs),
    unsaid: reports.flatMap(({ unsaid }) => unsaid),
    notes: [...new Set(reports.flatMap(({ notes }) => notes))],
  };
}
