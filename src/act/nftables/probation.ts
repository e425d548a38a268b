import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A change that undoes itself unless somebody says in time that it is good. Who undoes it is a shell in a session of its own, started before
 * anything changes: it hears no Ctrl-C, no hang-up of the terminal and no end of this process, and needs nothing but sh, sleep, mkdir and
 * nft. Who decides first wins, because making a folder succeeds for one only.
 */
const script = `
trap '' HUP INT TERM QUIT PIPE
echo -900 > /proc/self/oom_score_adj
cd / || exit 1
: > "$1/ready" || exit 1
i=0
while [ "$i" -lt "$2" ]; do
  sleep 1
  [ -d "$1/decided" ] && exit 0
  i=$((i + 1))
done
mkdir "$1/decided" || exit 0
"$3" -f "$1/restore.nft" > "$1/restore.log" 2>&1
echo "$?" > "$1/restored.part" && mv "$1/restored.part" "$1/restored"
`;

export interface Pending {
  folder: string;
  /** Wall clock, ms since the epoch. */
  untilMs: number;
  /** Somebody has confirmed, or the old rules are coming back. */
  decided: boolean;
  /** Somebody has said in time that it is good. */
  confirmed: boolean;
  /** Exit code of the restore; null: none has ended. */
  restored: number | null;
}

const folderOf = (state: string): string => join(state, 'pending');

/** The change that waits in `state`, or the last one that waited; null: none. */
export async function readPending(state: string): Promise<Pending | null> {
  const folder = folderOf(state);
  const until = await readFile(join(folder, 'until'), 'utf8').catch(() => null);
  if (until === null) return null;
  const restored = await readFile(join(folder, 'restored'), 'utf8').catch(() => null);
  const decided = await readFile(join(folder, 'decided')).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EISDIR',
  );
  const confirmed = await exists(join(folder, 'confirmed'));
  return { folder, untilMs: Number(until), decided, confirmed, restored: restored === null ? null : Number(restored) };
}

export interface Probation {
  /** What is to come back, as nft takes it. */
  restore: string;
  seconds: number;
  untilMs: number;
  nft: string;
}

/**
 * Starts the one who undoes, and resolves when it runs. @throws Error when another change waits, or when it does not start: then nothing
 * may be changed
 */
export async function startProbation(state: string, { restore, seconds, untilMs, nft }: Probation): Promise<string> {
  const folder = folderOf(state);
  await mkdir(state, { recursive: true, mode: 0o700 });
  const before = await readPending(state);
  if (before && !before.decided) throw new Error('Cannot start: an earlier change waits for its confirmation');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'restore.nft'), restore, { mode: 0o600 });
  await writeFile(join(folder, 'until'), String(untilMs), { mode: 0o600 });
  const child = spawn('/bin/sh', ['-c', script, 'inferpath-watchdog', folder, String(seconds), nft], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  const failure = new Promise<string>((done) => {
    child.once('error', (error) => done(error.message));
    child.once('exit', (code) => done(`ended with ${code}`));
  });
  const ready = (async () => {
    for (let i = 0; i < 500; i++) {
      if (await exists(join(folder, 'ready'))) return null;
      await new Promise((done) => setTimeout(done, 20));
    }
    return 'was not ready after 10 s';
  })();
  const why = await Promise.race([failure, ready]);
  child.unref();
  if (why === null) return folder;
  await mkdir(join(folder, 'decided')).catch(() => undefined);
  throw new Error(`Cannot start who would undo the change (/bin/sh): ${why}`);
}

/** Says that the change is good. False when it is too late: the old rules are coming back. */
export async function confirm(folder: string): Promise<boolean> {
  if (!(await decide(folder))) return false;
  await writeFile(join(folder, 'confirmed'), '', { mode: 0o600 });
  return true;
}

/** Takes the decision: true when it was open until now, and so is the caller's to carry out. */
export function decide(folder: string): Promise<boolean> {
  return mkdir(join(folder, 'decided')).then(
    () => true,
    () => false,
  );
}

/** The text that makes the rules what they were. */
export function restoreOf(folder: string): Promise<string> {
  return readFile(join(folder, 'restore.nft'), 'utf8');
}

/** Writes down that the old rules are back, as the watchdog would. */
export function noteRestored(folder: string): Promise<void> {
  return writeFile(join(folder, 'restored'), '0\n');
}

const exists = (path: string): Promise<boolean> =>
  readFile(path).then(
    () => true,
    () => false,
  );
