import { printable } from '../../model/outcome.ts';
import { durationMs, type ExportTarget } from '../../model/watch.ts';
import { type OtlpSource, otlpRequests } from '../../report/otlp.ts';
import type { Io } from '../../wire/io.ts';
import type { ServeContext } from '../context.ts';
import { createDialer, type Dialer } from '../deliver/dialer.ts';
import { sentOf, type Sent } from '../deliver/receiver.ts';
import { failed } from '../deliver/receivers/post-json.ts';
import { readSecrets, ReceiverMistake, type Secrets } from '../deliver/secrets.ts';
import { allFamilies } from '../metrics/families.ts';
import type { ExportFigures } from '../metrics/figures.ts';
import { genAiFamilies, namedByGenAi } from '../metrics/gen-ai-families.ts';
import { RemoteWriter } from './remote-write.ts';

/** What it takes to push metrics, apart from what the server shares. */
export interface ExportParts {
  io: Pick<Io, 'env' | 'fs' | 'dns' | 'clock' | 'random'>;
  /** CIDRs beyond the public Internet. */
  allow: readonly string[];
}

type Parts = ExportParts & { instance: string };
interface Post {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/** Makes the requests of one push. */
type Encoder = (atMs: number) => Promise<Iterable<Post>>;

/** First wait after an attempt that failed; it doubles up to the longest. */
const [firstWaitMs, longestWaitMs] = [500, 30_000];

/** Pushes to every `watch.export` of the network file in force until the signal aborts; a reload begins them anew. */
export async function runExports(context: ServeContext, parts: Parts, signal: AbortSignal): Promise<void> {
  const { io, allow } = parts;
  const dialer = createDialer({ dns: io.dns, clock: io.clock, allow });
  const startMs = context.io.clock.wallMs();
  let generation = new AbortController();
  context.configuration.onChange(() => generation.abort());
  while (!signal.aborted) {
    generation = new AbortController();
    const until = AbortSignal.any([signal, generation.signal]);
    const targets = context.configuration.network.watch?.export ?? [];
    for (const name of context.figures.exports.keys())
      if (!targets.some((target) => target.name === name)) context.figures.exports.delete(name);
    await Promise.all([
      aborted(until),
      ...targets.map((target) => runOne(target, { context, parts, dialer, startMs }, until)),
    ]);
  }
}

interface Around {
  context: ServeContext;
  parts: Parts;
  dialer: Dialer;
  startMs: number;
}

/** On an open-loop schedule: a push that takes long does not shift those behind it, it takes their place. */
async function runOne(target: ExportTarget, around: Around, signal: AbortSignal): Promise<void> {
  const { clock, random } = around.parts.io;
  const everyMs = durationMs(target.every);
  const encoder = encoderOf(target, around);
  const figures = figuresOf(target, around.context);
  // So that many servers that were started at once do not push at once.
  let nextMs = clock.monoMs() + random.next() * Math.min(everyMs, 1000);
  let said: Sent['kind'] = 'accepted';
  while (!signal.aborted) {
    await clock.sleep(Math.max(0, nextMs - clock.monoMs()), signal).catch(() => undefined);
    if (signal.aborted) return;
    const nowMs = clock.monoMs();
    nextMs += everyMs * Math.max(1, Math.ceil((nowMs - nextMs) / everyMs));
    const { kind, words } = await push(target, encoder, nextMs, around, signal);
    if (signal.aborted) return;
    if (kind === 'accepted') {
      figures.done++;
      figures.doneAtMs = around.context.io.clock.wallMs();
    } else if (kind === 'retry') figures.failed++;
    else figures.refused++;
    if (kind !== said) tell(target, kind, words, around);
    said = kind;
  }
}

/** Once when it begins and once when it is over: a line every few seconds would bury everything else. */
function tell({ name, type }: ExportTarget, kind: Sent['kind'], words: string, { context }: Around): void {
  const { log } = context.io;
  const what = `export ${name} (${type})`;
  if (kind === 'accepted') log.warn(`${what} works again`);
  else if (kind === 'retry') log.warn(`${what} fails, pushes are left out until it works again: ${words}`);
  else log.warn(`${what} is refused, which trying again does not mend: ${words}`);
}

/** One push: all of its requests, each again and again until the next push is due. What is not sent by then is dropped. */
async function push(
  target: ExportTarget,
  encoder: Encoder,
  untilMs: number,
  { context, parts: { io }, dialer }: Around,
  signal: AbortSignal,
): Promise<Sent> {
  try {
    const secrets = await readSecrets(target, io);
    const login = loginOf(target, secrets);
    for (const { headers, body } of await encoder(context.io.clock.wallMs())) {
      const sent = await insist(untilMs, io, signal, () =>
        post({ headers: { ...headers, ...login }, body }, { secrets, dialer, type: target.type }, signal),
      );
      if (sent.kind !== 'accepted') return sent;
    }
    return { kind: 'accepted', words: '' };
  } catch (error) {
    if (error instanceof ReceiverMistake) return { kind: 'refused', words: error.message };
    return { kind: 'retry', words: printable(error instanceof Error ? error.message : String(error), 300) };
  }
}

async function insist(
  untilMs: number,
  { clock, random }: Pick<Io, 'clock' | 'random'>,
  signal: AbortSignal,
  attempt: () => Promise<Sent>,
): Promise<Sent> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, 2 * waitMs)) {
    const sent = await attempt();
    if (sent.kind !== 'retry' || signal.aborted) return sent;
    const pauseMs = Math.max(sent.retryAfterMs ?? 0, waitMs * (0.75 + 0.5 * random.next()));
    if (clock.monoMs() + pauseMs >= untilMs) {
      // What was asked for holds for the pushes behind this one, too.
      if (sent.retryAfterMs !== undefined) await clock.sleep(pauseMs, signal).catch(() => undefined);
      return sent;
    }
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}

/** The answers that OTLP/HTTP lets a client try again (specification, "Failures"); a 500 is not among them. */
const otlpRetries: ReadonlySet<number> = new Set([429, 502, 503, 504]);

async function post(
  request: Post,
  { secrets, dialer, type }: { secrets: Secrets; dialer: Dialer; type: ExportTarget['type'] },
  signal: AbortSignal,
): Promise<Sent> {
  if (secrets.url === null) return { kind: 'refused', words: 'no url' };
  try {
    const reply = await dialer.post(secrets.url, request, signal);
    const sent = sentOf(reply, secrets);
    // Both formats know nothing of a move: what answers with one is something else.
    if (reply.status >= 300 && reply.status < 400) return { kind: 'refused', words: sent.words };
    if (type === 'otlp' && sent.kind === 'retry' && !otlpRetries.has(reply.status))
      return { kind: 'refused', words: sent.words };
    const rejected = /"rejectedDataPoints"\s*:\s*"?([1-9]\d*)/.exec(reply.excerpt)?.[1];
    if (sent.kind === 'accepted' && rejected !== undefined)
      return { kind: 'refused', words: `${rejected} points rejected: ${secrets.hide(reply.excerpt)}` };
    return sent;
  } catch (error) {
    return failed(error, { secrets, signal });
  }
}

function loginOf({ user, tenant }: ExportTarget, { whole }: Secrets): Record<string, string> {
  const authorization =
    whole === null
      ? {}
      : {
          authorization:
            user === undefined ? `Bearer ${whole}` : `Basic ${Buffer.from(`${user}:${whole}`).toString('base64')}`,
        };
  return { ...authorization, ...(tenant === undefined ? {} : { 'x-scope-orgid': tenant }) };
}

function encoderOf({ type }: ExportTarget, { context, parts: { instance }, startMs }: Around): Encoder {
  if (type === 'remote-write') {
    const writer = new RemoteWriter({ job: 'inferpath', instance });
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    };
    return async (atMs) => posts(writer.batches(await allFamilies(context, atMs), atMs), headers);
  }
  const resource = {
    'service.name': 'inferpath',
    'service.instance.id': instance,
    'service.version': context.version,
  };
  return async (atMs) => {
    const source: OtlpSource = { resource, version: context.version, startMs, atMs };
    return posts(otlpRequests(await otlpFamilies(context, atMs), source), { 'content-type': 'application/json' });
  };
}

async function otlpFamilies(context: ServeContext, atMs: number) {
  const all = await allFamilies(context, atMs);
  return (function* () {
    yield* genAiFamilies(context.meter, context.configuration.network);
    for (const family of all) if (!namedByGenAi.has(family.name)) yield family;
  })();
}

function* posts(bodies: Iterable<{ body: string | Uint8Array }>, headers: Record<string, string>): Generator<Post> {
  for (const { body } of bodies) yield { headers, body };
}

function figuresOf({ name }: ExportTarget, { figures }: ServeContext): ExportFigures {
  const found = figures.exports.get(name) ?? { done: 0, refused: 0, failed: 0, doneAtMs: null };
  figures.exports.set(name, found);
  return found;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
