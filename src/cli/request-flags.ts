import { isIP } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import * as z from 'zod';
import { dialectName } from '../model/inference.ts';
import { printable } from '../model/outcome.ts';
import { workloadClass } from '../model/workload.ts';
import type { LinkOptions } from '../measure/inference/link.ts';
import type { Io } from '../wire/io.ts';
import { type Flag, type FlagValues, UsageError } from './command.ts';
import { shownVariable } from './no-secrets.ts';

const count = (max: number) => z.coerce.number().int().min(1).max(max);

const headerText = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+:[^\r\n\0]*$/, 'must be NAME:VALUE')
  .meta({ description: 'NAME:VALUE' });
const resolveText = z.string().regex(/^[^:]+:\d{1,5}:.+$/, 'must be HOST:PORT:ADDRESS');

/** Flags that say how to reach an endpoint and what to ask; shared by `infer` and `assess`. */
export const requestFlags = {
  class: {
    schema: workloadClass.default('chat'),
    about: 'Workload class whose limits apply; default chat.',
    value: 'CLASS',
  },
  dialect: {
    schema: z.union([z.literal('auto'), dialectName]).default('auto'),
    about: 'Wire format of the API; default auto, by the URL.',
    value: 'NAME',
  },
  model: { schema: z.string().min(1).optional(), about: 'Model to ask for.', value: 'NAME' },
  promptTokens: {
    schema: count(1_000_000).optional(),
    about: 'Prompt size in tokens (about 4 bytes each); default from the class.',
    value: 'N',
  },
  maxTokens: {
    schema: count(1_000_000).optional(),
    about: 'Most output tokens to ask for; default from the class.',
    value: 'N',
  },
  rate: {
    schema: z.coerce.number().positive().max(10_000).optional(),
    about: 'Requests per second, sent on schedule whatever the answers do (open loop); default: one after the other.',
    value: 'R',
  },
  concurrency: {
    schema: count(10_000).optional(),
    about: 'Most requests in flight at once; default 1, with --rate 1000.',
    value: 'N',
  },
  timeout: {
    schema: z.coerce.number().positive().max(3600).default(120),
    about: 'Give a request up after this many seconds; default 120.',
    value: 'S',
  },
  authEnv: {
    schema: z.string().min(1).optional(),
    about: 'Environment variable that holds the API key.',
    value: 'NAME',
    group: 'Request',
  },
  header: {
    schema: z.array(headerText).default([]),
    about: 'Extra request header NAME:VALUE; may be repeated.',
    value: 'K:V',
    secret: true,
    repeated: true,
    group: 'Request',
  },
  http2: {
    schema: z.boolean().default(false),
    about: 'Offer HTTP/2; streams then share one connection and its TCP_INFO.',
    group: 'Connection',
  },
  family: {
    schema: z.enum(['4', '6']).optional(),
    about: 'Use only IPv4 or only IPv6.',
    value: '4|6',
    group: 'Connection',
  },
  resolve: {
    schema: z.array(resolveText).default([]),
    about: 'Use this address for a host and port instead of DNS; may be repeated.',
    value: 'HOST:PORT:ADDRESS',
    repeated: true,
    group: 'Connection',
  },
  proxy: {
    schema: z.url({ protocol: /^http$/ }).optional(),
    about: 'HTTP proxy to go through; never taken from the environment.',
    value: 'URL',
    group: 'Connection',
  },
  clientCert: {
    schema: z.string().optional(),
    about: 'Client certificate, PEM file.',
    value: 'FILE',
    group: 'Connection',
  },
  clientKey: {
    schema: z.string().optional(),
    about: 'Key of the client certificate, PEM file.',
    value: 'FILE',
    group: 'Connection',
  },
  ca: {
    schema: z.string().optional(),
    about: 'Certificate authorities to trust, PEM file.',
    value: 'FILE',
    group: 'Connection',
  },
  insecure: {
    schema: z.boolean().default(false),
    about: 'Go on although the certificate cannot be verified.',
    group: 'Connection',
  },
  tap: {
    schema: z.boolean().default(true),
    about: "Read the server kernel's clock from TCP timestamps where CAP_NET_RAW allows; on by default.",
    group: 'Measuring',
  },
  floor: {
    schema: z.boolean().default(true),
    about: 'Ask a trivial question (GET) first, to see what hides behind a TCP terminator; on by default.',
    group: 'Measuring',
  },
} satisfies Record<string, Flag>;

export type RequestFlags = FlagValues<typeof requestFlags>;

/** Those that say how to connect, which other commands share. */
const { family, resolve, clientCert, clientKey, ca, insecure } = requestFlags;
export const trustFlags = { family, resolve, clientCert, clientKey, ca, insecure };
type ConnectionFlags = FlagValues<typeof trustFlags> & Pick<RequestFlags, 'http2' | 'proxy' | 'timeout'>;

/** More connections at once than this and the tap would cost more than it tells. */
export const tapMaxConcurrency = 64;

/** Environment variables by which other tools take a proxy; we never do, but the user should know that there is one. */
const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

/** A note when the environment names a proxy that is not used, else null. */
export function proxyNote(flags: RequestFlags, io: Io): string | null {
  if (flags.proxy !== undefined) return `through the proxy ${new URL(flags.proxy).host}: round trips end there`;
  const found = proxyVariables.find((name) => io.env[name]);
  return found ? `${found} is set but not used: give --proxy to go through it` : null;
}

/** Reads certificate files and addresses from the flags. @throws UsageError that names the flag and the file. */
export async function linkOptions(flags: ConnectionFlags, io: Io): Promise<LinkOptions> {
  return {
    family: flags.family === undefined ? undefined : (Number(flags.family) as 4 | 6),
    resolve: resolved(flags.resolve),
    http2: flags.http2,
    proxy: flags.proxy === undefined ? undefined : new URL(flags.proxy),
    insecure: flags.insecure,
    ...(await trust(flags, io)),
    connectTimeoutMs: Math.min(10_000, flags.timeout * 1000),
  };
}

/** `HOST:PORT:ADDRESS` texts as `host:port` → address. */
export function resolved(entries: readonly string[]): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const entry of entries) {
    const [, host, port, given] = /^([^:]+):(\d+):(.+)$/.exec(entry) as unknown as [string, string, string, string];
    const address = given.replace(/^\[(.*)\]$/, '$1');
    if (isIP(address) === 0)
      throw new UsageError(`--resolve: found ${JSON.stringify(printable(given))}; allowed: an IPv4 or IPv6 address`);
    if (Number(port) < 1 || Number(port) > 65_535)
      throw new UsageError(`--resolve: found port ${port}; allowed: 1 to 65535`);
    // URLs have their hosts in lower case, and ports without leading zeros.
    addresses.set(`${host.toLowerCase()}:${Number(port)}`, address);
  }
  return addresses;
}

type Trust = Pick<LinkOptions, 'ca' | 'clientCert' | 'clientKey'>;

/** PEM texts of the files, tried once here: what TLS cannot use is a mistake of the command line, not of the endpoint. */
async function trust(flags: ConnectionFlags, io: Io): Promise<Trust> {
  const pem = async (flag: string, path: string | undefined) => {
    if (path === undefined) return undefined;
    const text = await io.fs.readText(path).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`--${flag}: cannot read ${path}: ${error.code ?? error.message}`);
    });
    if (!text.includes('-----BEGIN')) throw new UsageError(`--${flag}: found no PEM block in ${path}`);
    return text;
  };
  if ((flags.clientCert === undefined) !== (flags.clientKey === undefined)) {
    const names = ['--client-cert', '--client-key'];
    const [given, missing] = flags.clientKey === undefined ? names : names.toReversed();
    throw new UsageError(`${missing}: found nothing; allowed: a file, since ${given} is given`);
  }
  const ca = await pem('ca', flags.ca);
  const clientCert = await pem('client-cert', flags.clientCert);
  const clientKey = await pem('client-key', flags.clientKey);
  const usable = (names: string, context: SecureContextOptions) => {
    try {
      createSecureContext(context);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new UsageError(`${names}: found what TLS cannot use: ${code ?? message}`);
    }
  };
  if (ca !== undefined) usable('--ca', { ca });
  if (clientCert !== undefined && clientKey !== undefined)
    usable('--client-cert, --client-key', { cert: clientCert, key: clientKey });
  return { ca, clientCert, clientKey };
}

/** `--header` values as a record. */
export function headerRecord(flags: RequestFlags): Record<string, string> {
  return Object.fromEntries(
    flags.header.map((h) => {
      const colon = h.indexOf(':');
      return [h.slice(0, colon).toLowerCase(), h.slice(colon + 1).trim()];
    }),
  );
}

/** The API key of `--auth-env`. @throws UsageError when the variable is not set. */
export function apiKey(flags: RequestFlags, io: Io): string | undefined {
  if (flags.authEnv === undefined) return undefined;
  const key = io.env[flags.authEnv];
  if (!key) throw new UsageError(`--auth-env: the environment variable ${shownVariable(flags.authEnv)} is not set`);
  return key;
}
