import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { deadlineOf } from '../../wire/deadline.ts';
import type { Clock, Resolver } from '../../wire/io.ts';
import { retryAfterMs } from '../agent/http-exchange.ts';
import { type AddressPolicy, addressPolicy } from './address-policy.ts';

/** Longest attempt, ms; Standard Webhooks asks for 15 to 30 s. */
export const attemptMs = 15_000;
/** Octets of an answer that are read; what comes behind tells us nothing. */
const mostAnswer = 64 * 1024;

/** A URL that is never sent to, however often one tries. */
export class UrlRefused extends Error {}

export interface Reply {
  status: number;
  retryAfterMs: number | null;
  location: boolean;
  contentType: string;
  /** Begin of the answer, not yet made safe. */
  excerpt: string;
}

export interface Place {
  /** Name as it was written, for SNI, Host and certificates. */
  host: string;
  /** Checked, in the order of the resolver; connect to these and nothing else. */
  addresses: readonly string[];
  /** Whether plain text may go there: every address is one that the operator has named. */
  isNamed: boolean;
}

interface PostRequest {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/** The one way by which alerts and metrics leave: resolves once, checks every address, and connects to what was checked. */
export interface Dialer {
  /** @throws Error that says which address is refused and why */
  resolve(host: string): Promise<Place>;
  /** @throws UrlRefused for what will never be sent to; other errors may be over the next time */
  post(url: URL, request: PostRequest, signal: AbortSignal): Promise<Reply>;
}

export interface DialerOptions {
  dns: Pick<Resolver, 'lookup'>;
  clock: Clock;
  /** CIDRs beyond the public Internet. */
  allow: readonly string[];
  /** PEM of authorities in place of the system's. */
  authorities?: string;
  timeoutMs?: number;
}

/** @throws RangeError when `allow` holds what is no CIDR */
export function createDialer(options: DialerOptions): Dialer {
  const policy = addressPolicy(options.allow);
  const resolve = (host: string) => resolveChecked(host, options.dns, policy);
  return {
    resolve,
    post: async (url, request, signal) => {
      refuseUrl(url);
      const deadline = deadlineOf(signal, options.timeoutMs ?? attemptMs);
      try {
        const place = await abortable(resolve(url.hostname), deadline.signal);
        if (url.protocol === 'http:' && !place.isNamed)
          throw new UrlRefused('http: without TLS only to networks that the operator has named; use https');
        return await firstThatConnects(place, (address) => postTo(address, url, request, deadline.signal, options));
      } finally {
        deadline.clear();
      }
    },
  };
}

/** What can be said before anything is looked up. The URL parser has turned 0x7f000001, 127.1 and the like into addresses. */
function refuseUrl({ protocol, username, password }: URL): void {
  if (protocol !== 'https:' && protocol !== 'http:') throw new UrlRefused(`${protocol} is no scheme for a receiver`);
  if (username !== '' || password !== '') throw new UrlRefused('a URL with user or password is not sent to');
}

async function resolveChecked(host: string, dns: Pick<Resolver, 'lookup'>, policy: AddressPolicy): Promise<Place> {
  const bare = host.replace(/^\[|\]$/g, '');
  const found = isIP(bare) === 0 ? (await dns.lookup(bare)).map(({ address }) => address) : [bare];
  if (found.length === 0) throw new Error(`${bare} has no address`);
  for (const address of found) {
    const why = policy.refusal(address);
    // One bad address among good ones is refused, too: which of them is used would be up to whoever answers.
    if (why !== null)
      throw new Error(`${bare === address ? bare : `${bare} has the address ${address}, which`} ${why}`);
  }
  return { host: bare, addresses: found, isNamed: found.every((address) => policy.isNamed(address)) };
}

/** Tries the addresses in turn as long as not even a connection came about: then nothing was sent, and nothing is sent twice. */
async function firstThatConnects<T>({ addresses }: Place, attempt: (address: string) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const address of addresses.slice(0, 4))
    try {
      return await attempt(address);
    } catch (error) {
      last = error;
      const { syscall } = error as NodeJS.ErrnoException;
      if (syscall !== 'connect') throw error;
    }
  throw last;
}

function postTo(
  address: string,
  url: URL,
  { headers, body }: PostRequest,
  signal: AbortSignal,
  { authorities, clock }: DialerOptions,
): Promise<Reply> {
  const isTls = url.protocol === 'https:';
  const name = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return new Promise((done, fail) => {
    const sent = (isTls ? requestTls : requestPlain)({
      host: address,
      port: url.port || (isTls ? 443 : 80),
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      // A connection of its own: one that was kept was checked by another attempt.
      agent: false,
      signal,
      // Node sends no SNI for an empty name, and checks the certificate against the address then (RFC 6066 §3).
      ...(isTls && { servername: isIP(name) === 0 ? name : '', minVersion: 'TLSv1.2' as const }),
      ...(authorities !== undefined && { ca: authorities }),
      headers: {
        'user-agent': 'inferpath',
        ...headers,
        host: url.host,
        'content-length': String(Buffer.byteLength(body)),
      },
    });
    sent.on('error', (error) => fail(signal.aborted ? (signal.reason as Error) : error));
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = () => {
        const { 'retry-after': retryAfter, location, 'content-type': contentType = '' } = response.headers;
        done({
          status: response.statusCode ?? 0,
          retryAfterMs: retryAfterMs(retryAfter, clock.wallMs()),
          location: location !== undefined,
          contentType,
          excerpt: Buffer.concat(chunks).toString('utf8'),
        });
        sent.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk.subarray(0, mostAnswer - size));
        size += chunk.length;
        if (size >= mostAnswer) finish();
      });
      response.on('error', (error) => fail(signal.aborted ? (signal.reason as Error) : error));
      response.on('end', () => (response.complete ? finish() : fail(new Error('the answer was cut off'))));
    });
    sent.end(body);
  });
}

/** Gives up waiting when the signal aborts, whatever becomes of the promise. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => undefined as void;
  const aborted = new Promise<never>((_, fail) => {
    abort = () => fail(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
