import { may, type Principal } from './auth/role.ts';
import type { ServeContext } from './context.ts';
import { Problem } from './problem.ts';
import type { Door, Peer, Route } from './route.ts';

/** Name of the session cookie. The prefix makes browsers hold its promises (RFC 6265bis), which they do by TLS only. */
export const cookieName = (tls: boolean): string => (tls ? '__Host-inferpath' : 'inferpath');

/** The principal of a request that may use this route. @throws Problem when there is none, or it may not */
export async function authorise(
  route: Route,
  { headers, peer, door }: { headers: Headers; peer: Peer; door: Door },
  context: ServeContext,
): Promise<Principal | null> {
  if (route.permission === 'public' || route.permission === 'secret') return null;
  const found = await authenticate({ headers, peer, door }, context);
  if (found === 'none') throw unauthenticated(door, undefined);
  if (found === 'wrong') throw await refused(door, peer, context);
  if (!may(found, route.permission)) throw new Problem('forbidden', `this needs the permission "${route.permission}"`);
  return found;
}

/** One credential per door and kind: a certificate at the door of agents, a token or else a cookie at that of the web. */
async function authenticate(
  { headers, peer, door }: { headers: Headers; peer: Peer; door: Door },
  context: ServeContext,
): Promise<Principal | 'none' | 'wrong'> {
  if (door === 'agents') {
    if (!peer.certificate) return 'none';
    return (await context.agents?.principalOf(peer.certificate)) ?? 'wrong';
  }
  const authorization = headers.get('authorization');
  if (authorization !== null) {
    const token = /^Bearer ([\w-]{10,100})$/i.exec(authorization)?.[1];
    return (token === undefined ? null : await context.tokens.principalOf(token)) ?? 'wrong';
  }
  const cookie = cookieOf(headers, peer.tls);
  if (cookie === null) return 'none';
  return (await context.sessions.principalOf(cookie)) ?? 'wrong';
}

/** The session cookie of a request; null when there is none, or more than one. */
export function cookieOf(headers: Headers, tls: boolean): string | null {
  const prefix = `${cookieName(tls)}=`;
  const all = (headers.get('cookie') ?? '').split('; ').filter((part) => part.startsWith(prefix));
  return all.length === 1 ? (all[0] ?? '').slice(prefix.length) : null;
}

function unauthenticated(door: Door, detail: string | undefined): Problem {
  const how =
    door === 'agents' ? 'a client certificate of this server' : 'an API token (Authorization: Bearer ifp_…), or log in';
  return new Problem('unauthenticated', detail ?? `expected ${how}`, { headers: { 'www-authenticate': 'Bearer' } });
}

/** Of a credential that is unknown, expired or revoked: never told which. Again and again costs waiting time. */
export async function refused(door: Door, peer: Peer, context: ServeContext): Promise<Problem> {
  const waitS = context.backOff.failed(peer.address);
  await context.refusals.note(peer.address);
  if (waitS === 0) return unauthenticated(door, 'the credential is not valid');
  const detail = `too many credentials that are not valid; try again in ${waitS} s`;
  return new Problem('too-many-requests', detail, { headers: { 'retry-after': String(waitS) } });
}
