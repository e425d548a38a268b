import type { Clock } from '../../wire/io.ts';
import type { Nft } from './nft.ts';
import { decide, noteRestored, readPending, restoreOf, startProbation } from './probation.ts';
import { foreignParts, ownTable, restoreText } from './table.ts';

/** What is there and what would come, both checked by the kernel; or why not. */
export type Prepared = { ok: true; before: string | null; restore: string } | { ok: false; why: string };

/** Checks everything that can be checked before anything changes: that the new rules load, and that the old ones could come back. */
export async function prepare(text: string, nft: Nft): Promise<Prepared> {
  const foreign = foreignParts(text);
  if (foreign.length > 0) return { ok: false, why: `the rules are not of our table alone: ${foreign[0]}` };
  const wrong = await nft.check(text);
  if (wrong !== null) return { ok: false, why: `the kernel refuses the rules: ${wrong}` };
  const before = await nft.table(ownTable.family, ownTable.name);
  const restore = restoreText(before);
  const cannot = await nft.check(restore);
  if (cannot !== null) return { ok: false, why: `what is there now could not be brought back: ${cannot}` };
  return { ok: true, before, restore };
}

export interface Trial {
  state: string;
  nft: Nft;
  /** Where nft is, for who undoes the change. */
  program: string;
  seconds: number;
}

/** Starts who undoes it, then loads the rules. @throws Error when one of them does not work; then nothing was changed */
export async function begin(
  text: string,
  restore: string,
  { state, nft, program, seconds }: Trial,
  clock: Clock,
): Promise<string> {
  const untilMs = clock.wallMs() + seconds * 1000;
  const folder = await startProbation(state, { restore, seconds, untilMs, nft: program });
  const wrong = await nft.load(text);
  if (wrong === null) return folder;
  await decide(folder);
  throw new Error(`Cannot load the rules, so nothing was changed: ${wrong}`);
}

export type Ending = 'confirmed' | 'restored' | 'notRestored';

const lookMs = 200;
/** After its time the watchdog needs a moment; a machine that is very busy, some seconds. */
const graceMs = 30_000;

/**
 * Waits until somebody has decided: who confirms, in this process or another, or time. When `stop` aborts first, the old rules come back
 * at once.
 */
export async function awaitEnding(state: string, nft: Nft, clock: Clock, stop: AbortSignal): Promise<Ending> {
  for (;;) {
    const pending = await readPending(state);
    if (!pending) return 'notRestored';
    if (pending.confirmed) return 'confirmed';
    if (pending.restored !== null) return pending.restored === 0 ? 'restored' : 'notRestored';
    if (stop.aborted && !pending.decided) return (await restoreNow(state, nft)) ?? 'notRestored';
    if (clock.wallMs() > pending.untilMs + graceMs) return (await restoreNow(state, nft)) ?? 'notRestored';
    await clock.sleep(lookMs, stop.aborted ? undefined : stop).catch(() => undefined);
  }
}

/** Brings the old rules back now; null when it was decided before. */
export async function restoreNow(state: string, nft: Nft): Promise<Ending | null> {
  const pending = await readPending(state);
  if (!pending || !(await decide(pending.folder))) return null;
  const wrong = await nft.load(await restoreOf(pending.folder));
  if (wrong !== null) return 'notRestored';
  await noteRestored(pending.folder);
  return 'restored';
}
