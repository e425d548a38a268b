import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { resolve } from 'node:path';
import type { Io } from '../../wire/io.ts';
import { limitUnsent } from '../../wire/not-sent.ts';
import { Answer } from './answer.ts';
import { parseJsonObject, readBody } from './body.ts';
import { selfSignedCertificate } from './certificate.ts';
import { http1Channel, http2Channel } from './channel.ts';
import { Clockwork } from './clockwork.ts';
import { RequestFault, type Dialect } from './dialects/dialect.ts';
import { LagMeter, type LagSummary } from './lag.ts';
import { reflectorOptions, type ReflectorInput, type ReflectorOptions } from './options.ts';
import { planAnswer } from './plan.ts';
import { countPromptTokens } from './prompt.ts';
import { seededUniform } from './random.ts';
import { ResponsivenessService, windowBytes } from './responsiveness.ts';
import { findRoute } from './routes.ts';
import { openTruthFile, type TruthRow, type TruthSink } from './truth.ts';
import { withPort } from '../../stats/address.ts';

const bodyLimits = { maxBytes: 64 * 1024 * 1024, deadlineMs: 120_000 };
const maxAnswers = 10_000;
const httpLimits = {
  maxHeaderSize: 64 * 1024,
  headersTimeout: 20_000,
  requestTimeout: bodyLimits.deadlineMs,
  keepAliveTimeout: 75_000,
  noDelay: true,
} as const;

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

/** The parts of the outside world that a reflector touches. */
export type ReflectorIo = Pick<Io, 'clock' | 'random' | 'cwd'> & Partial<Pick<Io, 'platform'>>;

export interface ReflectorStats {
  requests: number;
  /** Requests answered with an error status. */
  refused: number;
  active: number;
  aborted: number;
  tokens: number;
  /** Lateness of events against their schedule. */
  lag: LagSummary;
}

export interface Reflector {
  /** `http://127.0.0.1:7041`, without a trailing slash. */
  url: string;
  address: string;
  port: number;
  /** PEM of the server certificate; undefined without TLS. */
  certificate: string | undefined;
  /** Ends running answers (their truth rows say aborted), closes every connection, flushes the truth file. */
  stop(): Promise<void>;
  stats(): ReflectorStats;
}

export interface ReflectorHooks {
  /** Called for each truth row, whether or not there is a truth file. */
  onTruth?(row: TruthRow): void;
}

/**
 * Starts a synthetic inference endpoint whose own times are known. Resolves when it listens.
 * @throws ZodError for wrong options; the system's error (EADDRINUSE …) when it cannot listen or open the truth file.
 * @example const reflector = await startReflector({ listen: '127.0.0.1:0', tokenMs: 20 }, io);
 */
export async function startReflector(
  input: ReflectorInput,
  io: ReflectorIo,
  hooks: ReflectorHooks = {},
): Promise<Reflector> {
  return launchReflector(reflectorOptions.parse(input), io, hooks);
}

/** The same with options that a schema has checked already. @throws as startReflector does, but no ZodError. */
export async function launchReflector(
  options: ReflectorOptions,
  io: ReflectorIo,
  hooks: ReflectorHooks = {},
): Promise<Reflector> {
  const truth = options.truthFile ? await openTruthFile(resolve(io.cwd, options.truthFile)) : undefined;
  const service = new Service(options, io, truth, hooks);
  const { server, certificate } = createHttpServer(options, io, service);
  server.listen({ host: options.listen.host, port: options.listen.port, backlog: 4096 });
  try {
    await once(server, 'listening');
  } catch (error) {
    await truth?.close();
    throw error;
  }
  const { address, port } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    const closed = new Promise<void>((done) => server.close(() => done()));
    service.stop();
    await closed;
    await truth?.close();
  };
  return {
    url: `${options.tls ? 'https' : 'http'}://${withPort(address, port)}`,
    address,
    port,
    certificate,
    stop: () => (stopped ??= stopAll()),
    stats: () => service.stats(),
  };
}

function createHttpServer(
  options: ReflectorOptions,
  io: ReflectorIo,
  service: Service,
): { server: Server | Http2SecureServer; certificate: string | undefined } {
  const handle = (request: AnyRequest, response: AnyResponse): void => service.accept(request, response);
  const { tls } = options;
  if (!tls) {
    const server = createServer(httpLimits, handle);
    server.on('connection', (socket) => service.adopt(socket));
    return { server, certificate: undefined };
  }
  const hosts = [...new Set([options.listen.host, 'localhost', '127.0.0.1', '::1'])];
  const own = tls.cert && tls.key ? { cert: tls.cert, key: tls.key } : selfSignedCertificate(hosts, io.clock.wallMs());
  const server = createSecureServer(
    {
      ...httpLimits,
      allowHTTP1: true,
      cert: own.cert,
      key: own.key,
      settings: { maxConcurrentStreams: 1000, ...(options.responsiveness && { initialWindowSize: windowBytes }) },
      ...(tls.clientCa ? { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true } : {}),
    },
    handle,
  );
  server.on('connection', (socket: Socket) => {
    service.adopt(socket.setNoDelay(true));
    if (options.responsiveness) limitUnsent(socket, io.platform ?? '');
  });
  if (options.responsiveness) server.on('session', (session) => service.responsiveness?.widen(session));
  server.on('secureConnection', (socket: Socket) => service.adopt(socket));
  server.on('sessionError', () => undefined);
  return { server, certificate: own.cert };
}

/** All state of one running reflector. */
class Service {
  /** Null where it is not served. */
  readonly responsiveness: ResponsivenessService | null;
  readonly #options: ReflectorOptions;
  readonly #io: ReflectorIo;
  readonly #truth: TruthSink | undefined;
  readonly #hooks: ReflectorHooks;
  readonly #clockwork: Clockwork;
  readonly #lag = new LagMeter();
  readonly #answers = new Set<Answer>();
  readonly #sockets = new Set<Socket>();
  readonly #requestsOf = new WeakMap<object, number>();
  readonly #seed: number;
  #requests = 0;
  #refused = 0;
  #aborted = 0;
  #tokens = 0;

  constructor(options: ReflectorOptions, io: ReflectorIo, truth: TruthSink | undefined, hooks: ReflectorHooks) {
    this.responsiveness = options.responsiveness ? new ResponsivenessService() : null;
    this.#options = options;
    this.#io = io;
    this.#truth = truth;
    this.#hooks = hooks;
    this.#clockwork = new Clockwork(io.clock);
    this.#seed = options.seed ?? Math.floor(io.random.next() * 0x1_0000_0000);
  }

  adopt(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A reset is the client's business; without a listener it would end the process.
    socket.on('error', () => undefined);
  }

  stop(): void {
    for (const answer of this.#answers) answer.abort();
    for (const socket of this.#sockets) socket.destroy();
    this.#clockwork.stop();
  }

  stats(): ReflectorStats {
    return {
      requests: this.#requests,
      refused: this.#refused,
      active: this.#answers.size,
      aborted: this.#aborted,
      tokens: this.#tokens,
      lag: this.#lag.summary(),
    };
  }

  /** Entry of every request. Never throws. */
  accept(request: AnyRequest, response: AnyResponse): void {
    const headMs = this.#io.clock.monoMs();
    this.#requests++;
    const reused = this.#isReused(request);
    response.on('error', () => undefined);
    if (this.responsiveness?.accept(request, response)) return;
    const route = findRoute(request.method ?? '', request.url ?? '');
    if (route.kind === 'dialect') {
      void this.#answer(request, response, route.dialect, headMs, reused);
      return;
    }
    request.resume();
    if (route.kind === 'document') return send(response, 200, route.text, this.#replyHeaders(request));
    const [status, message] =
      route.kind === 'unknown'
        ? ([404, `Unknown request URL: ${request.method} ${(request.url ?? '').slice(0, 200)}`] as const)
        : ([405, `Method not allowed: use ${route.allow}`] as const);
    this.#refuse(request, response, route.dialect, status, message, 'allow' in route ? { allow: route.allow } : {});
  }

  async #answer(
    request: AnyRequest,
    response: AnyResponse,
    dialect: Dialect,
    headMs: number,
    reused: boolean,
  ): Promise<void> {
    const startedAt = new Date(this.#io.clock.wallMs()).toISOString();
    const ordinal = this.#requests;
    try {
      if (this.#answers.size >= maxAnswers) throw new RequestFault(503, `Already ${maxAnswers} answers under way`);
      const body = await readBody(request, this.#io.clock, bodyLimits);
      const asked = dialect.read(parseJsonObject(body.bytes));
      // HTTP/1.1 pipelining: the answer in front of this one still owns the connection.
      if (response instanceof ServerResponse && !response.socket) await once(response, 'socket');
      if (response.destroyed) return;
      const promptTokens = countPromptTokens(asked.prompt);
      const tokens = Math.min(this.#options.tokens, asked.maxTokens ?? Number.POSITIVE_INFINITY);
      const answer: Answer = new Answer({
        channel:
          response instanceof ServerResponse
            ? http1Channel(response, request.httpVersion === '1.1')
            : http2Channel(response),
        clockwork: this.#clockwork,
        clock: this.#io.clock,
        dialect,
        facts: {
          asked,
          id: this.#io.random.uuid().replaceAll('-', ''),
          createdMs: this.#io.clock.wallMs(),
          promptTokens,
          tokens,
          finish: tokens < this.#options.tokens ? 'length' : 'stop',
          bodyTimes: this.#options.serverTimes === 'body',
        },
        request: {
          requestId: this.#requestId(request),
          httpVersion: request.httpVersion,
          startedAt,
          requestHeadMs: headMs,
          requestReadMs: body.readMs,
          bytesRead: body.bytes.length,
          connection: request.socket.remotePort ?? 0,
          reused,
        },
        plan: planAnswer(this.#options, promptTokens, tokens, seededUniform(this.#seed, ordinal)),
        serverTimes: this.#options.serverTimes,
        earlyHeaders: this.#options.earlyHeaders,
        onLag: (lagMs) => this.#lag.add(lagMs),
        onEnd: (row) => this.#record(answer, row),
      });
      this.#answers.add(answer);
      response.on('finish', () => answer.complete());
      response.on('close', () => answer.abort());
      answer.start();
    } catch (error) {
      const fault = error instanceof RequestFault ? error : new RequestFault(500, 'Internal error');
      this.#refuse(request, response, dialect, fault.status, fault.message);
    }
  }

  #record(answer: Answer, row: TruthRow): void {
    this.#answers.delete(answer);
    if (row.aborted) this.#aborted++;
    this.#tokens += row.tokens;
    this.#truth?.write(row);
    this.#hooks.onTruth?.(row);
  }

  #refuse(
    request: AnyRequest,
    response: AnyResponse,
    dialect: Dialect,
    status: number,
    message: string,
    extra: Readonly<Record<string, string>> = {},
  ): void {
    this.#refused++;
    // What is left of an oversized or stuck body is not read: the connection ends with the answer.
    const close = (status === 413 || status === 408) && response instanceof ServerResponse;
    if (close) response.on('finish', () => setTimeout(() => request.socket.destroy(), 200).unref());
    else request.resume();
    const headers = { ...this.#replyHeaders(request), ...extra, ...(close ? { connection: 'close' } : {}) };
    send(response, status, dialect.fault(status, message), headers);
  }

  #replyHeaders(request: AnyRequest): Record<string, string> {
    return { 'x-request-id': this.#requestId(request) };
  }

  /** The client's x-request-id when it is short and printable, else a new one. */
  #requestId(request: AnyRequest): string {
    const given = request.headers['x-request-id'];
    return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : this.#io.random.uuid();
  }

  #isReused(request: AnyRequest): boolean {
    // Client streams of HTTP/2 carry odd numbers from 1 (RFC 9113 §5.1.1).
    if (!(request instanceof IncomingMessage)) return (request.stream.id ?? 1) > 1;
    const before = this.#requestsOf.get(request.socket) ?? 0;
    this.#requestsOf.set(request.socket, before + 1);
    return before > 0;
  }
}

function send(response: AnyResponse, status: number, text: string, headers: Readonly<Record<string, string>>): void {
  if (response.headersSent || response.destroyed) return;
  const length = String(Buffer.byteLength(text));
  const all = { 'content-type': 'application/json', 'content-length': length, ...headers };
  if (response instanceof ServerResponse) response.writeHead(status, all).end(text);
  else response.writeHead(status, all).end(text);
}
