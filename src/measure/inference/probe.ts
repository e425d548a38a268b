import * as z from 'zod';
import { classDefaults } from '../../model/class-defaults.ts';
import { dialectName } from '../../model/inference.ts';
import type { ObservationOf } from '../../model/observation.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import { dialectByName, guessDialect } from '../dialect/index.ts';
import type { Probe, Target } from '../probe.ts';
import { runSession, type SessionOptions, type SessionProgress } from './session.ts';

const tokens = z.number().int().min(1).max(1_000_000);

export const inferenceOptions = z.strictObject({
  dialect: z
    .union([z.literal('auto'), dialectName])
    .default('auto')
    .meta({ description: 'Wire format; auto goes by the URL.' }),
  model: z.string().min(1).optional().meta({ description: 'Model to ask for.' }),
  apiKey: z.string().min(1).optional().meta({ description: 'Key, sent in the header of the dialect.' }),
  authHeader: z.string().min(1).optional().meta({ description: 'Header that carries the key instead.' }),
  headers: z.record(z.string(), z.string()).default({}).meta({ description: 'Extra request headers.' }),
  promptTokens: tokens
    .default(classDefaults.chat.promptTokens)
    .meta({ description: 'Prompt size in tokens, about 4 bytes each.' }),
  maxTokens: tokens.default(classDefaults.chat.maxTokens).meta({ description: 'Most output tokens to ask for.' }),
  requests: z.number().int().min(1).max(100_000).default(10).meta({ description: 'Requests to send.' }),
  ratePerS: z
    .number()
    .positive()
    .max(10_000)
    .optional()
    .meta({ description: 'Requests per second on a schedule of their own (open loop); else as answers allow.' }),
  concurrency: z.number().int().min(1).max(10_000).default(1).meta({ description: 'Most requests in flight at once.' }),
  fresh: z.boolean().default(false).meta({ description: 'A new connection for every request.' }),
  stallThresholdMs: z
    .number()
    .positive()
    .default(classDefaults.chat.targets.tokenGapMs.max)
    .meta({ description: 'A longer token gap is a stall, ms.' }),
  timeoutMs: z.number().positive().max(3_600_000).default(120_000).meta({ description: 'Longest wait for one, ms.' }),
  connectTimeoutMs: z.number().positive().max(60_000).default(10_000).meta({ description: 'Of it for set-up, ms.' }),
  maxResponseBytes: z
    .number()
    .int()
    .positive()
    .default(256 << 20)
    .meta({ description: 'An answer that is larger is cut off, bytes.' }),
  floor: z.boolean().default(true).meta({ description: 'Ask a trivial question first (see floor.ts).' }),
  tap: z.boolean().default(false).meta({ description: 'Read the clock of the server kernel where allowed.' }),
  http2: z.boolean().default(false).meta({ description: 'Offer HTTP/2 by ALPN.' }),
  proxy: z
    .url({ protocol: /^http$/ })
    .optional()
    .meta({ description: 'HTTP proxy to go through.' }),
  insecure: z.boolean().default(false).meta({ description: 'Go on although the certificate cannot be verified.' }),
});
export type InferenceOptions = z.output<typeof inferenceOptions>;

/** What a caller may share with the probe: a transport of its own (left open), and eyes on what happens. */
export interface InferenceHooks {
  transport?: TcpTransport;
  progress?: SessionProgress;
}

const unwatched: SessionProgress = { started: () => undefined, finished: () => undefined };

/**
 * Streamed inference requests, each taken apart. Observations come together at the end of the run: a request is judged against
 * the lowest round trip of all of them.
 */
export function inferenceProbeWith(hooks: InferenceHooks): Probe<typeof inferenceOptions> {
  return {
    kind: 'inference',
    about: 'Streamed inference requests, taken apart: phases, token gaps, and who spent the time',
    options: inferenceOptions,
    async *run(target, options, io, signal) {
      const transport = hooks.transport ?? io.sockets.openTcp({ tap: options.tap });
      try {
        const session = sessionOptions(target, options);
        const { requests, about } = await runSession(session, transport, io, signal, hooks.progress ?? unwatched);
        for (const request of requests)
          yield {
            kind: 'inference',
            at: request.startedAt,
            from: target.vantage,
            to: target.name,
            how: about,
            outcome: request.outcome,
            request,
          } satisfies ObservationOf<'inference'>;
      } finally {
        if (!hooks.transport) await transport.close();
      }
    },
  };
}

/** The probe as the registry lists it, on its own transport and unwatched. */
export const inferenceProbe: Probe<typeof inferenceOptions> = inferenceProbeWith({});

function sessionOptions(target: Target, options: InferenceOptions): SessionOptions {
  const { dialect, http2, insecure, proxy, connectTimeoutMs, tap: _tap, ...asked } = options;
  const { family, resolve, ca, clientCert, clientKey, url } = target;
  return {
    ...asked,
    endpoint: target.name,
    url,
    dialect: dialect === 'auto' ? guessDialect(url) : dialectByName(dialect),
    // exactOptionalPropertyTypes: the session wants these said, the schema lets them out.
    model: options.model,
    apiKey: options.apiKey,
    authHeader: options.authHeader,
    ratePerS: options.ratePerS,
    link: {
      family,
      resolve,
      ca,
      clientCert,
      clientKey,
      http2,
      insecure,
      connectTimeoutMs,
      proxy: proxy === undefined ? undefined : new URL(proxy),
    },
  };
}
