import { fileURLToPath } from 'node:url';
import { startReflector } from '../lab/reflect/reflector.ts';
import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';

/** What `inferpath up --demo` watches. */
export const demoFile = fileURLToPath(new URL('../../examples/up.yaml', import.meta.url));

/** The endpoints of that file; distance is waited out by the server, as loopback has none. */
const servers = [
  { port: 7051, queueMs: 'lognormal:90,0.2' },
  { port: 7052, queueMs: 'lognormal:166,0.2' },
  { port: 7053, queueMs: 'lognormal:650,0.3' },
] as const;

/**
 * Starts the endpoints in this process, so that they end with it however it ends.
 * @throws UsageError when a port is in use
 */
export async function startDemoEndpoints(io: Io): Promise<{ stop(): Promise<void> }> {
  const started: { stop(): Promise<unknown> }[] = [];
  const stop = async () => void (await Promise.all(started.map((one) => one.stop())));
  try {
    for (const { port, queueMs } of servers)
      started.push(await startReflector({ listen: `127.0.0.1:${port}`, queueMs, tokens: 12, tokenMs: 25 }, io));
  } catch (error) {
    await stop();
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`--demo: ports 7051 to 7053 have to be free: ${code ?? message}`);
  }
  return { stop };
}
