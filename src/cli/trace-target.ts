import { isIP } from 'node:net';
import { UsageError } from './command.ts';
import { refuseSecretsIn } from './no-secrets.ts';

export interface TraceDestination {
  /** As it was given. */
  text: string;
  url: URL;
  /** Null where neither a port nor a scheme says one. */
  port: number | null;
}

const allowed = 'a host name, an address, host:port, [IPv6]:port, or an http or https URL';

/**
 * What a user writes for the far end: `api.example.com`, `10.0.0.1:8443`, `[fd00::1]:443`, `fd00::1`, `https://host/v1`.
 * @throws UsageError for anything else
 */
export function traceDestination(text: string): TraceDestination {
  const refuse = () => new UsageError(`target: found ${JSON.stringify(text)}; allowed: ${allowed}`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') throw refuse();
    refuseSecretsIn(url, 'target');
    return { text, url, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) };
  }
  if (isIP(text) === 6) return { text, url: new URL(`http://[${text}]/`), port: null };
  const [, host, portText] = /^(\[[^\]]+\]|[^:/?#@\s]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined || !URL.canParse(`http://${host}/`)) throw refuse();
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) throw refuse();
  const url = new URL(`http://${host}/`);
  if (url.hostname === '') throw refuse();
  // A port in the URL so that everything that reads it goes where the user said; 80 is the default and so not kept by URL.
  if (port !== null) url.port = String(port);
  return { text, url, port };
}
