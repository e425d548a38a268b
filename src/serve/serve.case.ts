import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { type FakeIo, fakeIo } from '../../test/fakes/io.ts';
import { memoryDocuments, memoryStore } from '../../test/fakes/memory-store.ts';
import { network, type Network } from '../model/network.ts';
import type { BatchBody } from '../model/agent-protocol.ts';
import { createApp } from './app.ts';
import type { Role } from './auth/role.ts';
import { Configuration } from './configuration.ts';
import { createContext, type ServeContext } from './context.ts';
import { Authorities } from './pki/authorities.ts';
import { makeCsr } from './pki/csr.ts';
import type { Door, Peer } from './route.ts';
import { routes } from './routes.ts';

/** A server in memory, asked without sockets: its doors are functions. */
export interface ServeBench {
  io: FakeIo;
  documents: ReturnType<typeof memoryDocuments>;
  store: ReturnType<typeof memoryStore>;
  context: ServeContext;
  stop: AbortController;
  /** The network that the next reload finds. */
  next: { network: Network };
  ask(method: string, path: string, options?: AskOptions): Promise<Response>;
  token(role: Role, lifeMs?: number): Promise<string>;
  /** Enrols an agent as an agent would. @returns its certificate */
  enroll(name: string): Promise<X509Certificate>;
}

export interface AskOptions {
  door?: Door;
  token?: string;
  cookie?: string;
  certificate?: X509Certificate;
  headers?: Record<string, string>;
  body?: unknown;
  /** As it would stand in the request line. */
  target?: string;
  tls?: boolean;
}

export const someNetwork = (more: Record<string, unknown> = {}): Network =>
  network.parse({
    version: 1,
    endpoints: [
      { name: 'chat', url: 'https://chat.example/v1/chat/completions' },
      { name: 'rag', url: 'http://127.0.0.1:7041', workload: 'rag' },
    ],
    ...more,
  });

export async function serveBench(start: Network = someNetwork()): Promise<ServeBench> {
  const io = fakeIo();
  const documents = memoryDocuments();
  const store = memoryStore();
  const next = { network: start };
  const configuration = await Configuration.open(documents, () => Promise.resolve(next.network));
  const authorities = await Authorities.open('ca.json', io);
  const stop = new AbortController();
  const context = createContext({
    io,
    version: '0.0.0',
    documents,
    store,
    configuration,
    authorities,
    agentsUrl: 'https://server.example:7444',
    stopping: stop.signal,
  });
  const apps = {
    web: createApp(routes, { door: 'web', hosts: new Set(['127.0.0.1', 'localhost']) }, context),
    agents: createApp(routes, { door: 'agents', hosts: new Set(['server.example']) }, context),
  };
  const ask: ServeBench['ask'] = (method, path, options = {}) => {
    const { door = 'web', token, cookie, certificate, body, target, headers = {} } = options;
    const host = door === 'web' ? '127.0.0.1:7044' : 'server.example:7444';
    const tls = options.tls ?? door === 'agents';
    const all = new Headers({ host, ...headers });
    if (token !== undefined) all.set('authorization', `Bearer ${token}`);
    if (cookie !== undefined) all.set('cookie', cookie);
    if (body !== undefined && !all.has('content-type')) all.set('content-type', 'application/json');
    const peer: Peer = { address: '127.0.0.1', tls, certificate: certificate ?? null, target: target ?? path };
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const url = `${tls ? 'https' : 'http'}://${host}${path}`;
    return apps[door](new Request(url, { method, headers: all, body: text }), peer);
  };
  const by = { actor: 'test', address: null };
  return {
    io,
    documents,
    store,
    context,
    stop,
    next,
    ask,
    token: async (role, lifeMs = 3_600_000) =>
      (await context.tokens.create({ name: `a ${role}`, role, lifeMs }, by)).token,
    enroll: async (name) => {
      const { token } = await (context.agents as NonNullable<typeof context.agents>).invite(name, by);
      const csr = makeCsr(name, generateKeyPairSync('ec', { namedCurve: 'P-256' }));
      const reply = await ask('POST', '/agent/v1/enroll', { door: 'agents', body: { token, name, csr } });
      if (reply.status !== 201) throw new Error(`enrolment answered ${reply.status}: ${await reply.text()}`);
      return new X509Certificate(((await reply.json()) as { certificate: string }).certificate);
    },
  };
}

/** A batch of `rows` pings of one endpoint. */
export function someBatch(key: string, atMs: number, rows = 3): BatchBody {
  const all = <T>(value: T): T[] => Array.from({ length: rows }, () => value);
  return {
    version: 1,
    key,
    count: rows,
    endpoints: ['chat'],
    kinds: ['tcp'],
    outcomes: ['answered'],
    states: [],
    atMs: Array.from({ length: rows }, (_, i) => atMs + i),
    endpoint: all(0),
    kind: all(0),
    outcome: all(0),
    verdict: all(0),
    state: all(null),
    metrics: { rttMs: Array.from({ length: rows }, (_, i) => i + 0.5) },
  };
}
