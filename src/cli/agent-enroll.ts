import { httpExchange } from '../serve/agent/http-exchange.ts';
import { enroll, type Identity } from '../serve/agent/identity.ts';
import { fetchAuthority } from '../serve/pki/pin.ts';
import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';

const timeoutMs = 15_000;

/**
 * Enrols this host: first the authority of the server, which must be the pinned one, on a connection that carries no secret; then
 * the token, on one that trusts this authority alone.
 * @throws UsageError with what went wrong and what to do
 */
export async function enrolled(
  { server, name, token, pin }: { server: string; name: string; token: string; pin: string },
  io: Io,
): Promise<Identity> {
  const { hostname, port } = new URL(server);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const { clock, signals } = io;
  try {
    const authorities = await fetchAuthority(host, Number(port || 443), pin);
    const http = httpExchange({ server: new URL(server), identity: () => ({ authorities }), clock, timeoutMs });
    try {
      return await enroll(http.exchange, { name, server, token, wallMs: () => clock.wallMs() }, signals.interrupted);
    } finally {
      http.close();
    }
  } catch (error) {
    const { message, code, name: kind } = error as NodeJS.ErrnoException;
    const hint =
      kind === 'EnrollmentError'
        ? `tokens work once, for 15 minutes, and for the name they were made for (here ${name}): inferpath agents invite ${name}`
        : 'is the address that of the door for agents (inferpath serve --agents)?';
    throw new UsageError(`Cannot enrol at ${server}: ${message || code}`, hint);
  }
}
