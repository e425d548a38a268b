import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { canRunLab } from '../../lab/privilege.ts';
import type { Io } from '../../wire/io.ts';
import { type ExitCode, exitCode } from '../command.ts';
import { type EmulatedEndpoint, self, startLabWorld, startLoopbackWorld } from './world.ts';

const insideMarker = 'INFERPATH_DEMO_INSIDE';

/** What the emulation asks for unless the user does: few streams at once, so that they do not starve it. */
const ownFlags = ['--concurrency=10', '--ping-interval=50'];

/**
 * Makes the endpoints of a network file and assesses them: in an emulated network where TUN devices may be had, else on loopback
 * with the distance put into the servers.
 * @param given flags for the assessment, as words
 */
export async function assessEmulated(
  file: string,
  endpoints: readonly EmulatedEndpoint[],
  given: readonly string[],
  io: Io,
): Promise<ExitCode> {
  const able = canRunLab();
  if (!able.ok && able.viaUnshare && io.env[insideMarker] === undefined) return again(io);
  if (able.ok) io.terminal.err(`starting ${endpoints.length} reflectors in an emulated network …\n`);
  else
    io.terminal.err(
      `no emulated network: ${able.reason}.\n` +
        'The reflectors run on loopback and wait out the distances themselves: loss and distance will show as server time.\n',
    );
  const world = await (able.ok ? startLabWorld(endpoints, true, io) : startLoopbackWorld(endpoints, io));
  try {
    if (io.signals.interrupted.aborted) return exitCode.interrupted;
    const own = ownFlags.filter((word) => !given.some((other) => other.split('=')[0] === word.split('=')[0]));
    const resolve = world.resolve.flatMap((word) => ['--resolve', word]);
    const words = ['assess', file, '--ca', world.ca, ...own, ...resolve, ...given];
    return await codeOf(world.run(words, { stdio: 'inherit' }), io);
  } finally {
    const stats = await world.stop();
    if (stats) {
      const { medianMs, p99Ms } = stats.delayError;
      io.terminal.err(
        `emulated network: its own delay error was ${medianMs.toFixed(3)} ms (median), ${p99Ms.toFixed(3)} ms (p99)\n`,
      );
    }
  }
}

/** Waits for a child and passes an interruption on to it; it prints what it has and ends. */
async function codeOf(child: ChildProcess, io: Io): Promise<ExitCode> {
  const { interrupted } = io.signals;
  const pass = () => child.kill('SIGTERM');
  interrupted.addEventListener('abort', pass, { once: true });
  if (interrupted.aborted) pass();
  const [code] = (await once(child, 'close')) as [number | null];
  interrupted.removeEventListener('abort', pass);
  if (interrupted.aborted) return exitCode.interrupted;
  return code === null ? exitCode.couldNotMeasure : (code as ExitCode);
}

/** As an ordinary user: the same once more inside a user namespace, where TUN devices may be had. */
function again(io: Io): Promise<ExitCode> {
  const env = { ...io.env, [insideMarker]: '1' };
  return codeOf(spawn('unshare', ['-rn', ...self(...process.argv.slice(2))], { stdio: 'inherit', env }), io);
}
