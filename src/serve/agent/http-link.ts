import { agentJobs, batchReply } from '../../model/agent-protocol.ts';
import { printable } from '../../model/outcome.ts';
import type { Clock } from '../../wire/io.ts';
import { type Exchange, type HttpAnswer, retryAfterMs } from './http-exchange.ts';
import type { Delivery, JobsAnswer, ServerLink } from './server-link.ts';

export const batchesPath = '/agent/v1/batches';
export const jobsPath = '/agent/v1/jobs';

const maxReplyBytes = 64 << 10;
const maxJobsBytes = 64 << 20;

/** What says nothing about the batch: too early, too slow, too much at once, or somebody else's server or proxy in between. */
const notAboutTheBatch: ReadonlySet<number> = new Set([404, 405, 407, 408, 421, 425, 426, 429]);

/** The server over HTTP (docs/agent-protocol.md). */
export function httpLink(exchange: Exchange, { about, clock }: { about: string; clock: Clock }): ServerLink {
  return {
    about,
    deliver: async (batch, signal) => {
      const { key, encoding, payload } = batch;
      const headers = { 'idempotency-key': key, ...(encoding === 'gzip' && { 'content-encoding': 'gzip' }) };
      const request = {
        method: 'POST' as const,
        path: batchesPath,
        headers,
        body: payload,
        maxAnswerBytes: maxReplyBytes,
      };
      const answer = await attempt(exchange(request, signal), signal);
      return typeof answer === 'string'
        ? { kind: 'later', why: answer, afterMs: null }
        : deliveryOf(answer, key, clock);
    },
    jobs: async (revision, signal) => {
      const headers: Record<string, string> = revision === null ? {} : { 'if-none-match': `"${revision}"` };
      const request = { method: 'GET' as const, path: jobsPath, headers, maxAnswerBytes: maxJobsBytes };
      const answer = await attempt(exchange(request, signal), signal);
      return typeof answer === 'string' ? { kind: 'later', why: answer, afterMs: null } : jobsOf(answer, clock);
    },
  };
}

/** The answer, or why there is none. Only our own abort is thrown on. */
async function attempt(exchange: Promise<HttpAnswer>, signal: AbortSignal): Promise<HttpAnswer | string> {
  try {
    return await exchange;
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = error as NodeJS.ErrnoException;
    // An AggregateError of all addresses of a name has a code and no message.
    return printable(message || code || String(error));
  }
}

function deliveryOf(answer: HttpAnswer, key: string, clock: Clock): Delivery {
  const { status } = answer;
  if (status === 200 || status === 201 || status === 202) {
    const reply = batchReply.safeParse(jsonOf(answer));
    if (!reply.success) return { kind: 'later', why: `HTTP ${status} without an acknowledgement`, afterMs: null };
    // Whoever acknowledges another batch has not told us that he has this one.
    if (reply.data.key !== key) return { kind: 'later', why: 'the server acknowledged another batch', afterMs: null };
    const { result, refused = 0 } = reply.data;
    return { kind: 'acknowledged', result, ...(refused > 0 && { refused }) };
  }
  if (status === 401 || status === 403) return { kind: 'unauthorised', why: words(answer) };
  if (status >= 400 && status < 500 && !notAboutTheBatch.has(status)) return { kind: 'refused', why: words(answer) };
  return later(answer, clock);
}

function jobsOf(answer: HttpAnswer, clock: Clock): JobsAnswer {
  if (answer.status === 304) return { kind: 'unchanged' };
  if (answer.status === 401 || answer.status === 403) return { kind: 'unauthorised', why: words(answer) };
  if (answer.status !== 200) return later(answer, clock);
  const list = agentJobs.safeParse(jsonOf(answer));
  if (list.success) return { kind: 'list', jobs: list.data };
  const [issue] = list.error.issues;
  const why = `the list of jobs is none: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`;
  return { kind: 'later', why: printable(why), afterMs: null };
}

function later(answer: HttpAnswer, clock: Clock): { kind: 'later'; why: string; afterMs: number | null } {
  return { kind: 'later', why: words(answer), afterMs: retryAfterMs(answer.headers['retry-after'], clock.wallMs()) };
}

function jsonOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Status and the words of the server, for a log: title and detail of a problem (RFC 9457), or how its text begins. */
export function words(answer: HttpAnswer): string {
  const json = jsonOf(answer) as { title?: unknown; detail?: unknown } | null | undefined;
  const told = [json?.title, json?.detail].filter((part) => typeof part === 'string').join(': ');
  return printable(`HTTP ${answer.status} ${told || answer.body.toString('utf8', 0, 200)}`.trim());
}
