import { network, type Network } from './network.ts';
import { parseUrl } from './url.ts';
import type { WorkloadClass } from './workload.ts';

/**
 * A network made of bare URLs, for commands that are pointed at an address instead of a file. Endpoints are named by host.
 * @throws RangeError that names the first URL that cannot be used and why.
 */
export function networkFromUrls(urls: readonly string[], ofClass: WorkloadClass = 'chat'): Network {
  const taken = new Set<string>();
  const endpoints = urls.map((url) => ({ name: nameFromUrl(url, taken), url, workload: ofClass }));
  const result = network.safeParse({ version: 1, endpoints });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const index = issue?.path[1];
  const url = typeof index === 'number' ? urls[index] : undefined;
  const isSecret = issue?.code === 'custom' && issue.params?.['secret'] === true;
  const shown = url === undefined ? 'The list of URLs' : isSecret ? 'The URL' : `"${url}"`;
  throw new RangeError(`${shown} ${issue?.code === 'custom' ? issue.message : 'is no http or https URL'}`);
}

/** `networkFromUrls` for one address. */
export function endpointFromUrl(url: string, ofClass: WorkloadClass = 'chat'): Network {
  return networkFromUrls([url], ofClass);
}

/** A valid endpoint name from the host of a URL, made different from those `taken`, to which it is added. */
export function nameFromUrl(url: string, taken: Set<string>): string {
  const host = parseUrl(url)?.hostname ?? '';
  const clean = host
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 50);
  const base = clean === '' || clean === 'client' ? 'endpoint' : clean;
  let name = base;
  for (let i = 2; taken.has(name); i++) name = `${base}-${i}`;
  taken.add(name);
  return name;
}
