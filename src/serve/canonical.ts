/**
 * A request path in its one canonical form, so that who authorises and who routes cannot see two different paths (as with `//`,
 * `%2f` and `..` elsewhere). Refused rather than repaired: no client of ours sends anything else.
 * @param target request target as it came, RFC 9112 §3.2.1
 * @returns null when it is not canonical
 */
export function canonicalPath(target: string): string | null {
  const path = target.split('?', 1)[0] ?? '';
  if (path === '/') return path;
  // Letters, digits and a few marks that need no encoding; no percent sign, so that nothing is ever decoded.
  if (path.length > 1024 || !/^(?:\/[A-Za-z0-9._~:@-]+)+$/.test(path)) return null;
  return path.split('/').some((segment) => segment === '.' || segment === '..') ? null : path;
}

/** Name or address in a Host header without its port, in lower case; null when it is malformed. RFC 9110 §7.2 */
export function hostOf(header: string): string | null {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::\d{1,5})?$/.exec(header.toLowerCase());
  return match?.[1]?.replaceAll(/^\[|\]$/g, '') ?? null;
}
