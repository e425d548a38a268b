import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Network } from '../model/network.ts';
import type { AgentParts } from '../serve/agent/agent.ts';
import { runLocalAgent } from '../serve/agent/local-agent.ts';
import { localLink, type LocalServer } from '../serve/agent/local-link.ts';
import type { ServeContext } from '../serve/context.ts';
import { durableFiles } from '../wire/durable-files.ts';
import type { Io } from '../wire/io.ts';
import { version } from './version.ts';

/** Name of the agent of `inferpath up` where the network file names no vantage. */
const defaultName = 'local';

/** What the agent of `inferpath up` is called. */
export function localName({ vantage }: Network): string {
  return vantage?.name ?? defaultName;
}

/** What an agent in a process of this program is made of, wherever its server is. @param folder data folder of the server */
export function agentHere(
  name: string,
  folder: string,
  io: Io,
): Pick<AgentParts, 'name' | 'version' | 'io' | 'files' | 'directory' | 'cpuMs'> {
  return {
    name,
    version,
    io,
    files: durableFiles,
    directory: join(folder, 'agent'),
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
  };
}

/** The server as the agent of this name sees it, by function call. */
export function localServer(
  { configuration, ingest }: Pick<ServeContext, 'configuration' | 'ingest'>,
  name: string,
): LocalServer {
  return {
    jobs: () => configuration.jobsFor(name),
    store: async (body) => (await ingest.store(body, name)).result,
  };
}

/**
 * The agent in the process of `inferpath up`, until the signal aborts; it has to end before the store is closed.
 * @param place.folder data folder of the server
 * @param place.networkPath the network file: files with keys are relative to it
 */
export async function measureHere(
  context: Pick<ServeContext, 'configuration' | 'ingest'>,
  place: { folder: string; networkPath: string },
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const { configuration } = context;
  const name = localName(configuration.network);
  const base = dirname(resolve(io.cwd, place.networkPath));
  await runLocalAgent(
    {
      ...agentHere(name, place.folder, io),
      link: localLink(localServer(context, name)),
      // Asked whenever the list of jobs changes, so that a reload may bring endpoints and keys.
      keyFor: (endpoint) => keyOf(configuration.network, endpoint, base, io),
    },
    signal,
  );
}

/** The API key of an endpoint, by what the network file says of it. */
export function keyOf({ endpoints }: Network, endpoint: string, base: string, io: Io): string | undefined {
  const auth = endpoints.find(({ name }) => name === endpoint)?.auth;
  if (auth?.env !== undefined) return io.env[auth.env] || undefined;
  if (auth?.file === undefined) return undefined;
  try {
    return readFileSync(resolve(base, auth.file), 'utf8').trim() || undefined;
  } catch {
    // The agent says which endpoint it cannot measure for want of a key.
    return undefined;
  }
}
