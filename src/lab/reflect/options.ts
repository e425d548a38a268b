import * as z from 'zod';
import { distribution, type Distribution } from './distribution.ts';

/** Where to listen. Port 0 asks the kernel for a free one. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** Deliberate stalls: each token after the first event is held back with this probability. */
export interface StallPlan {
  probability: number;
  durationMs: Distribution;
}

export const serverTimes = z.enum(['none', 'body', 'headers']);
export type ServerTimes = z.infer<typeof serverTimes>;

/** `127.0.0.1:7041`, `[::1]:0`, `localhost:7041` or a bare port (loopback). */
export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match && port <= 65_535) return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
  context.addIssue({
    code: 'custom',
    message: 'allowed: HOST:PORT, [IPV6]:PORT or PORT, with PORT 0 to 65535',
    input: text,
  });
  return z.NEVER;
});

/** `P:MS`: probability in [0, 1] and a duration, which may itself be a distribution (`0.01:normal:300,50`). */
export const stallPlan = z.string().transform((text, context): StallPlan => {
  const colon = text.indexOf(':');
  const probability = /^\d*\.?\d+$/.test(text.slice(0, Math.max(0, colon))) ? Number(text.slice(0, colon)) : Number.NaN;
  const duration = distribution.safeParse(text.slice(colon + 1));
  if (probability >= 0 && probability <= 1 && duration.success) return { probability, durationMs: duration.data };
  const why = duration.success ? 'P has to be a number from 0 to 1' : duration.error.issues[0]?.message;
  context.addIssue({ code: 'custom', message: `allowed: P:MS with a probability and a duration: ${why}`, input: text });
  return z.NEVER;
});

/** PEM texts of an own server certificate, or of the authority that client certificates have to come from. */
export const tlsOptions = z.strictObject({
  cert: z.string().optional().meta({ description: 'Certificate chain, PEM; default: a fresh self-signed one.' }),
  key: z.string().optional().meta({ description: 'Private key of the certificate, PEM.' }),
  clientCa: z.string().optional().meta({ description: 'When given, clients have to show a certificate signed by it.' }),
});

/** Highest number of tokens in one answer: bounds memory and the length of a truth line. */
export const maxTokens = 100_000;
export const tokenCount = z.coerce.number().int().min(1).max(maxTokens);

/** Options of one reflector; durations in milliseconds. */
export const reflectorOptions = z.strictObject({
  listen: listenAddress.prefault('127.0.0.1:7041').meta({ description: 'Address and port.' }),
  tls: tlsOptions.optional().meta({ description: 'TLS with HTTP/2 and HTTP/1.1 by ALPN; default: plain HTTP/1.1.' }),
  queueMs: distribution.prefault(0).meta({ description: 'Time in the queue before a request is worked on.' }),
  prefillMsPer1kTokens: distribution.prefault(0).meta({ description: 'Prompt processing per 1000 prompt tokens.' }),
  tokenMs: distribution.prefault(20).meta({ description: 'Time per generated token.' }),
  tokens: tokenCount.default(64).meta({ description: 'Tokens per answer, unless the request asks for fewer.' }),
  stall: stallPlan.optional().meta({ description: 'Deliberate stalls.' }),
  tokensPerEvent: z.coerce.number().int().min(1).max(1000).default(1).meta({ description: 'Tokens per stream event.' }),
  serverTimes: serverTimes.default('none').meta({ description: 'Where the server reports its own times.' }),
  earlyHeaders: z
    .boolean()
    .default(false)
    .meta({ description: 'Send headers and stream preamble once the request is read, not with the first token.' }),
  responsiveness: z
    .boolean()
    .default(false)
    .meta({ description: 'Serve what a test of responsiveness under load needs; with TLS only.' }),
  truthFile: z.string().optional().meta({ description: 'File that gets one JSON line per request.' }),
  seed: z.coerce.number().int().min(0).max(0xffff_ffff).optional().meta({ description: 'Makes all draws repeatable.' }),
});
export type ReflectorOptions = z.output<typeof reflectorOptions>;
export type ReflectorInput = z.input<typeof reflectorOptions>;
