import type { BuildInput, BuiltRequest } from './dialect.ts';

/** What the dialects share in asking: completing a URL, headers, and the JSON body. */

/** Path without its trailing slashes. */
export function pathOf(url: URL): string {
  return url.pathname.replace(/\/+$/, '');
}

/** Host equals `domain` or lies below it. */
export function hostIs(url: URL, ...domains: readonly string[]): boolean {
  const host = url.hostname.toLowerCase();
  return domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

/**
 * A copy of the URL with the path completed: an origin gets `root + operation`, a base path that ends like one of `bases`
 * gets what that base lacks. Any other path is taken as the user's own and kept, as are query and credentials.
 */
export function completed(
  url: URL,
  root: string,
  operation: string,
  bases: ReadonlyArray<readonly [end: RegExp, add: string]>,
): URL {
  const path = pathOf(url);
  const result = new URL(url);
  if (path === '') result.pathname = root + operation;
  else {
    const base = bases.find(([end]) => end.test(path));
    if (base !== undefined) result.pathname = path + base[1];
  }
  return result;
}

/** A header that carries the key when the user names none. */
export interface KeyHeader {
  name: string;
  prefix: string;
}

export const BEARER: KeyHeader = { name: 'authorization', prefix: 'Bearer ' };

/**
 * The request as it goes out. `accept-encoding: identity`, because a compressor in the way gathers tokens and their timing
 * would be its own. No content-length: the sender knows the bytes.
 */
export function jsonRequest(
  input: BuildInput,
  url: URL,
  body: object,
  accept: string,
  key: KeyHeader = BEARER,
  extra: Readonly<Record<string, string>> = {},
): BuiltRequest {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept,
    'accept-encoding': 'identity',
    ...extra,
  };
  if (input.apiKey !== undefined) {
    const name = (input.authHeader ?? key.name).toLowerCase();
    const own = input.authHeader === undefined || name === key.name;
    const prefix = own ? key.prefix : name === 'authorization' ? BEARER.prefix : '';
    const value = input.apiKey.trim();
    // A value that names its scheme already ("Basic …", "Token …") is sent as it is.
    headers[name] = prefix !== '' && /^[A-Za-z]+ \S/.test(value) ? value : prefix + value;
  }
  return { url, method: 'POST', headers, body: JSON.stringify(body) };
}
