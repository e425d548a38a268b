import type { NetworkIssue } from './check.ts';
import { parseUrl } from './url.ts';

/** Each is a process and a link of its own. */
const most = 16;

/**
 * What is wrong with endpoints that are to be emulated. Inside the emulated network nothing else can be reached, so it is all of
 * them or none, under names that no real server can have (RFC 6761 §6.2).
 */
export function emulatedIssues(endpoints: readonly Readonly<Record<string, unknown>>[]): NetworkIssue[] {
  const count = endpoints.filter(({ emulated }) => emulated !== undefined).length;
  if (count === 0) return [];
  const ports = new Map<number, number>();
  return endpoints.flatMap((endpoint, i): NetworkIssue[] => {
    if (endpoint['emulated'] === undefined)
      return [
        {
          path: ['endpoints', i, 'name'],
          message: 'must be emulated like the others: inside an emulated network nothing else can be reached',
        },
      ];
    if (i >= most) return [{ path: ['endpoints', i, 'emulated'], message: `must be one of at most ${most}` }];
    if (endpoint['auth'] !== undefined)
      return [{ path: ['endpoints', i, 'auth'], message: 'must be absent: an emulated endpoint asks for no key' }];
    const url = typeof endpoint['url'] === 'string' ? parseUrl(endpoint['url']) : undefined;
    if (!url) return [];
    const port = Number(url.port);
    const isFree = port >= 1024 && !ports.has(port);
    ports.set(port, i);
    if (url.protocol === 'https:' && url.hostname.endsWith('.test') && isFree) return [];
    const message =
      'must be https://NAME.test:PORT for an emulated endpoint, with a port from 1024 on that no other endpoint has';
    return [{ path: ['endpoints', i, 'url'], message }];
  });
}
