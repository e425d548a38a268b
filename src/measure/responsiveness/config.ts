import * as z from 'zod';
import { printable } from '../../model/outcome.ts';

/** What a server of the draft offers. Paths are of one origin: load and probes have to share connections. */
export interface TestUrls {
  small: URL;
  large: URL;
  upload: URL;
}

const text = z.string().min(1).max(2000);
/** Names of -09, and those that older servers still use. */
const configuration = z.object({
  version: z.number(),
  urls: z.object({
    small_download_url: text.optional(),
    large_download_url: text.optional(),
    upload_url: text.optional(),
    small_https_download_url: text.optional(),
    large_https_download_url: text.optional(),
    https_upload_url: text.optional(),
  }),
});

/** More than any configuration holds. */
export const configBytesMax = 64 << 10;

/** The server's configuration: where the URL says, or at the place that the draft gives it. */
export function configUrlOf(url: URL): URL {
  return url.pathname === '/' ? new URL('/.well-known/nq', url) : url;
}

/**
 * Reads the JSON at `/.well-known/nq`. A server may not send us elsewhere: every URL has to be https on the host that was asked, or
 * on one that the user allows.
 * @throws RangeError with what is wrong
 */
export function readTestConfig(json: string, asked: URL, allowedHosts: readonly string[]): TestUrls {
  const parsed = configuration.safeParse(parseJson(json));
  if (!parsed.success) throw new RangeError(`the configuration has another shape: ${z.prettifyError(parsed.error)}`);
  const { urls } = parsed.data;
  const found = {
    small: urls.small_https_download_url ?? urls.small_download_url,
    large: urls.large_https_download_url ?? urls.large_download_url,
    upload: urls.https_upload_url ?? urls.upload_url,
  };
  const { small, large, upload } = Object.fromEntries(
    Object.entries(found).map(([name, url]) => [name, checked(name, url, asked, allowedHosts)]),
  ) as unknown as TestUrls;
  if (small.origin !== large.origin || small.origin !== upload.origin)
    throw new RangeError(
      `the URLs are of different origins (${small.host}, ${large.host}, ${upload.host}): probes could not share connections with the load`,
    );
  return { small, large, upload };
}

function checked(name: string, url: string | undefined, asked: URL, allowed: readonly string[]): URL {
  if (url === undefined) throw new RangeError(`the configuration names no ${name} URL`);
  if (!URL.canParse(url, asked.href)) throw new RangeError(`the ${name} URL is none: ${printable(url, 100)}`);
  const resolved = new URL(url, asked.href);
  if (resolved.protocol !== 'https:') throw new RangeError(`the ${name} URL is not https: ${printable(url, 100)}`);
  const { host, hostname } = resolved;
  if (host !== asked.host && !allowed.includes(host) && !allowed.includes(hostname))
    throw new RangeError(
      `the ${name} URL leads to ${printable(host, 100)}; allowed: ${[asked.host, ...allowed].join(', ')} (--allow-host adds one)`,
    );
  return resolved;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new RangeError(`the configuration is no JSON: ${printable(json, 60)}`);
  }
}
