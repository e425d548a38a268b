import * as z from 'zod';
import { awaitEnding, begin, type Ending, prepare, restoreNow } from '../../act/nftables/apply.ts';
import { findNft, type Nft, nftOf } from '../../act/nftables/nft.ts';
import { confirm, readPending } from '../../act/nftables/probation.ts';
import { findSession, sessionRules, withSession } from '../../act/nftables/session.ts';
import { printable } from '../../model/outcome.ts';
import type { PolicyApplyReport } from '../../model/secure/policy-apply.ts';
import { prettyJson } from '../../report/json.ts';
import { renderApply } from '../../report/secure/apply-text.ts';
import { differenceOf } from '../../secure/policy/difference.ts';
import { emitNftables } from '../../secure/policy/emit/nftables.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { jsonFlag } from './flags.ts';
import { loadPolicy, policyFlags } from './policy-flags.ts';

const flags = {
  host: policyFlags.host,
  confirmWithin: {
    schema: z.coerce.number().int().min(5).max(86_400).default(60),
    about: 'Time to confirm the new rules, s; then the old ones come back by themselves; default 60.',
    value: 'S',
  },
  yes: {
    schema: z.boolean().default(false),
    about: 'Load the rules without asking first; they have to be confirmed all the same.',
  },
  check: { schema: z.boolean().default(false), about: 'Only check them and show what they would change.' },
  confirm: {
    schema: z.boolean().default(false),
    about: 'Confirm the change that waits: best from a second session, which shows that one can still get in.',
  },
  restore: { schema: z.boolean().default(false), about: 'Bring the old rules back now.' },
  state: {
    schema: z.string().min(1).default('/run/inferpath'),
    about: 'Folder in which a change waits; default /run/inferpath.',
    value: 'FOLDER',
  },
  json: jsonFlag,
} as const;

export const policyApply = defineAction({
  about:
    'Puts the policy into force on this host (Linux, nftables, as root): checks that the kernel takes the rules, shows what would newly be let in or kept out, loads ' +
    'them in one transaction, and waits. Unless they are confirmed in time, the old rules come back by themselves: who does that is a process ' +
    'of its own, which outlives Ctrl-C, a lost connection and the end of this program. Only the table inet inferpath is touched. The SSH ' +
    'session that this runs in is kept.',
  positionals: { name: 'network.yaml', about: 'the network file with its policy', min: 0, max: 1 },
  flags,
  examples: [
    { line: 'inferpath secure policy apply network.yaml --host inference --check', about: 'what would change here?' },
    { line: 'inferpath secure policy apply network.yaml --host inference', about: 'in force, for a minute' },
    { line: 'inferpath secure policy apply --confirm', about: 'from a second session: it works, keep it' },
  ],
  async run({ flags, positionals: [file], io }): Promise<ExitCode> {
    const ways = [file !== undefined, flags.confirm, flags.restore].filter(Boolean).length;
    if (ways !== 1) throw new UsageError('found no network.yaml, --confirm or --restore alone; allowed: one of them');
    if (io.platform !== 'linux') return impossible(`nftables is the firewall of Linux; this is ${io.platform}`, io);
    const program = findNft();
    if (program === null) return impossible('nft is not installed (Debian: apt-get install nftables)', io);
    const nft = nftOf(program);
    if (flags.confirm) return confirmPending(flags.state, io);
    if (flags.restore) return ended(await restoreNow(flags.state, nft), io);
    return applyPolicy(file!, { ...flags, program, nft }, io);
  },
});

function impossible(why: string, io: Io): ExitCode {
  io.terminal.err(`inferpath secure policy apply: ${why}\n`);
  return exitCode.couldNotMeasure;
}

type Options = FlagValues<typeof flags> & { program: string; nft: Nft };

async function applyPolicy(file: string, options: Options, io: Io): Promise<ExitCode> {
  const { nft, state, confirmWithin, json } = options;
  const { meaning, self } = await loadPolicy(file, options.host, io);
  const emitted = emitNftables(
    meaning,
    { deny: 'drop', source: file, ...(options.host === undefined ? {} : { host: options.host }) },
    self,
  );
  const session = await findSession(io.env);
  const text = session ? withSession(emitted, session) : emitted;
  const waiting = await readPending(state);
  if (waiting && !waiting.decided)
    throw new UsageError(
      `an earlier change waits for its confirmation until ${new Date(waiting.untilMs).toISOString()}`,
      'end it with --confirm or --restore',
    );
  const prepared = await prepare(text, nft).catch((error: unknown) => ({
    ok: false as const,
    why: error instanceof Error ? error.message : String(error),
  }));
  if (!prepared.ok) return impossible(prepared.why, io);
  const report: PolicyApplyReport = {
    schema: 'inferpath/policy-apply@1',
    file: printable(file, 300),
    table: 'inet inferpath',
    hadTable: prepared.before !== null,
    session: session && { ...session, rule: sessionRules(session).input },
    changes: differenceOf(prepared.before, meaning, self),
    ending: 'checked',
    confirmWithinS: confirmWithin,
  };
  const show = (ending: PolicyApplyReport['ending']) => {
    const { columns, colors } = io.terminal;
    if (json) io.terminal.out(prettyJson({ ...report, ending }));
    else if (ending === 'checked') io.terminal.out(renderApply(report, { columns, colors }));
  };
  if (!json || options.check) show('checked');
  if (options.check) return exitCode.ready;
  if (!(await mayLoad(options, io))) return exitCode.notReady;
  try {
    await begin(text, prepared.restore, { state, nft, program: options.program, seconds: confirmWithin }, io.clock);
  } catch (error) {
    return impossible(error instanceof Error ? error.message : String(error), io);
  }
  io.terminal.err(
    `The rules are in force for ${confirmWithin} s. Open a second session and run there: inferpath secure policy apply --confirm` +
      `${state === '/run/inferpath' ? '' : ` --state ${state}`}\n${io.terminal.stdinIsTty ? 'Or answer here. ' : ''}Ctrl-C brings the old rules back at once.\n`,
  );
  const refused = new AbortController();
  if (io.terminal.stdinIsTty) void askToKeep(state, refused, io);
  const ending = await awaitEnding(state, nft, io.clock, AbortSignal.any([io.signals.interrupted, refused.signal]));
  show(ending);
  return io.signals.interrupted.aborted ? (say(ending, io), exitCode.interrupted) : ended(ending, io);
}

async function mayLoad({ yes, json }: Options, io: Io): Promise<boolean> {
  if (yes) return true;
  if (!io.terminal.stdinIsTty || json)
    throw new UsageError(
      'the rules are not loaded without a word',
      '--yes loads them without asking; --check only looks',
    );
  const answer = await io.terminal.ask('Load these rules now? (yes/no) ');
  return answer?.trim().toLowerCase() === 'yes';
}

/** Until it is answered: yes keeps the rules, no brings the old ones back at once. Silence leaves it to the clock. */
async function askToKeep(state: string, refused: AbortController, io: Io): Promise<void> {
  for (;;) {
    const answer = (await io.terminal.ask('Keep them? (yes/no) ').catch(() => null))?.trim().toLowerCase();
    const pending = await readPending(state);
    if (answer === undefined || !pending) return;
    if (answer === 'yes') {
      await confirm(pending.folder);
      return;
    }
    if (answer === 'no') return refused.abort();
  }
}

async function confirmPending(state: string, io: Io): Promise<ExitCode> {
  const pending = await readPending(state);
  if (!pending) throw new UsageError('no change waits for its confirmation here');
  return ended((await confirm(pending.folder)) ? 'confirmed' : pending.confirmed ? 'confirmed' : 'restored', io);
}

const words: Readonly<Record<Ending, string>> = {
  confirmed: 'confirmed: the new rules stay',
  restored: 'not confirmed: the old rules are back',
  notRestored: 'THE OLD RULES COULD NOT BE BROUGHT BACK: look at nft list table inet inferpath',
};

function say(ending: Ending, io: Io): void {
  io.terminal.err(`${words[ending]}\n`);
}

function ended(ending: Ending | null, io: Io): ExitCode {
  if (ending === null) throw new UsageError('no change waits here that could be undone');
  say(ending, io);
  return ending === 'confirmed' ? exitCode.ready : ending === 'restored' ? exitCode.notReady : exitCode.couldNotMeasure;
}
