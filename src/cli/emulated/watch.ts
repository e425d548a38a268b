import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { canRunLab } from '../../lab/privilege.ts';
import { type LocalServer, localLink } from '../../serve/agent/local-link.ts';
import { answerPipe } from '../../serve/agent/pipe-link.ts';
import type { Io } from '../../wire/io.ts';
import { partWords, pipeFd, startAgent, type Who } from './part.ts';
import { type EmulatedEndpoint, self, startLabWorld, startLoopbackWorld } from './world.ts';

/**
 * The agent of `inferpath up` and the endpoints that it watches. The server stays where the browser can reach it, the agent goes
 * where the endpoints are, and they talk over a pipe, as there is no network between them.
 */
export interface EmulatedAgent {
  /** Where the endpoints are, for the user. */
  about: string;
  /** Until the signal aborts; it has to end before the store is closed. @throws when the agent ends by itself */
  measure(server: LocalServer, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts both, in an emulated network where there may be one, else on loopback.
 * @throws UsageError when a port is in use on loopback
 */
export async function startEmulatedAgent(
  endpoints: readonly EmulatedEndpoint[],
  place: Who & { path: string },
  io: Io,
): Promise<EmulatedAgent> {
  const able = canRunLab();
  if (!able.ok && able.viaUnshare) {
    const words = ['-rn', ...self(...partWords({ part: 'world', ...place }))];
    const child = spawn('unshare', words, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'], cwd: io.cwd, env: io.env });
    return agentOf(child, inLab);
  }
  const world = await (able.ok ? startLabWorld(endpoints, false, io) : startLoopbackWorld(endpoints, io));
  const child = startAgent(world, place, 'pipe');
  const about = able.ok ? inLab : `on loopback, where distance and loss show as server time: ${able.reason}`;
  return agentOf(child, about, () => world.stop());
}

const inLab = 'in an emulated network of this process';

function agentOf(child: ChildProcess, about: string, stopWorld?: () => Promise<unknown>): EmulatedAgent {
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  // Whoever waits for it hears of a failure; before, nobody does.
  ended.catch(() => undefined);
  const pipe = child.stdio[pipeFd] as Socket;
  return {
    about,
    measure: async (server, signal) => {
      await answerPipe(pipe, localLink(server), signal);
      const [code, by] = await ended;
      if (!signal.aborted) throw new Error(`the agent of the emulated network has ended: ${by ?? `exit code ${code}`}`);
    },
    stop: async () => {
      // Without its pipe it ends by itself.
      pipe.destroy();
      await ended.catch(() => undefined);
      await stopWorld?.();
    },
  };
}
