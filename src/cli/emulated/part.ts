import { once, setMaxListeners } from 'node:events';
import { Socket } from 'node:net';
import type { ChildProcess } from 'node:child_process';
import * as z from 'zod';
import { runLocalAgent } from '../../serve/agent/local-agent.ts';
import { pipeLink } from '../../serve/agent/pipe-link.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, type ExitCode, exitCode } from '../command.ts';
import { agentHere } from '../local-agent.ts';
import { loadNetworkFile } from '../network-file.ts';
import { resolved } from '../request-flags.ts';
import { emulatedOf, startLabWorld, type World } from './world.ts';

/** Where a child of `inferpath up` finds the pipe to it. */
export const pipeFd = 3;

const who = {
  name: z.string().meta({ description: 'Name of the agent.' }),
  folder: z.string().meta({ description: 'Data folder of the server.' }),
};
const part = z.discriminatedUnion('part', [
  /** Inside a user namespace, as an ordinary user: makes the world, and runs the agent in it. */
  z.strictObject({ part: z.literal('world'), path: z.string(), ...who }),
  z.strictObject({ part: z.literal('agent'), resolve: z.array(z.string()), ca: z.string(), ...who }),
]);
type Part = z.infer<typeof part>;
export type Who = Pick<Part, 'name' | 'folder'>;

/** The words that make a process of this program play a part. */
export function partWords(mine: Part): string[] {
  return ['emulated-part', JSON.stringify(mine)];
}

/** Starts the agent where the endpoints of the world are. @param pipe what its pipe is to be: a new one, or the descriptor of ours */
export function startAgent(world: World, { name, folder }: Who, pipe: 'pipe' | number): ChildProcess {
  const { resolve, ca } = world;
  const words = partWords({ part: 'agent', name, folder, resolve: [...resolve], ca });
  return world.run(words, { stdio: ['ignore', 'ignore', 'inherit', pipe] });
}

/** Not for people: `inferpath up` starts it beside itself, where emulated endpoints can be reached. Apart from it, because it loads less. */
export const emulatedPart = defineCommand({
  name: 'emulated-part',
  summary: 'Started by inferpath up',
  about: 'Started by inferpath up for a network file with emulated endpoints.',
  positionals: { name: 'part', about: 'what to be, as JSON', min: 1, max: 1 },
  flags: {},
  examples: [{ line: 'inferpath up examples/quickstart.yaml', about: 'starts it' }],
  run: ({ positionals: [text = ''], io }) => {
    const mine = part.parse(JSON.parse(text));
    return mine.part === 'world' ? playWorld(mine, io) : playAgent(mine, io);
  },
});

async function playWorld(mine: Part & { part: 'world' }, io: Io): Promise<ExitCode> {
  const world = await startLabWorld(emulatedOf(await loadNetworkFile(mine.path, io)), false, io);
  try {
    await once(startAgent(world, mine, pipeFd), 'close');
  } finally {
    await world.stop();
  }
  return exitCode.ready;
}

async function playAgent({ name, folder, resolve, ca }: Part & { part: 'agent' }, io: Io): Promise<ExitCode> {
  const socket = new Socket({ fd: pipeFd });
  const { link, ended } = pipeLink(socket);
  const target = { resolve: resolved(resolve), ca: await io.fs.readText(ca) };
  const signal = AbortSignal.any([ended, io.signals.interrupted]);
  // Every run of every job listens.
  setMaxListeners(0, signal);
  // There is an answer when the server is open: the data folder, which it makes for its user alone, is there by then.
  await link.jobs(null, signal);
  await runLocalAgent({ ...agentHere(name, folder, io), link, keyFor: () => undefined, target }, signal);
  socket.destroy();
  return exitCode.ready;
}
