import { printable } from '../../model/outcome.ts';
import type { Asked, Check, ExposedService } from '../../model/secure/exposure.ts';
import { authOf, type Engine } from './engine.ts';
import { engines, internalPorts } from './engines.ts';
import { type Ask, isReply, type NoReply, type Place, type Reply } from './exchange.ts';

/** Answers that may stay out before a service is left alone. */
const mostSilences = 3;

/** A port that accepted no connection: counted, not listed. */
export interface NotOpen {
  notOpen: NoReply['failed'];
}

/** Null: connect and say nothing. */
type Send = (ask: Ask | null, place: Place) => Promise<Reply | NoReply>;

/** Asks one port who it is and, once it is recognised, whether it wants a key. Every path at most once, GET first. */
export async function inspect(place: Place, atMs: number, send: Send): Promise<ExposedService | NotOpen> {
  const first = await firstAnswer(place, send);
  if ('notOpen' in first) return first;
  const session = openSession(first, send);
  const known = await recognise(place.port, session);
  const checks = known.engine === null ? [] : await consult(known.engine, session);
  return { ...described(place, first, atMs), ...judged(known, checks, session), asked: session.asked(known, checks) };
}

interface First {
  place: Place;
  /** Of `GET /`; absent where the port speaks no HTTP. */
  reply?: Reply;
}

/** Plain first; what does not speak HTTP, or says that it wants TLS, is asked once more with TLS. */
async function firstAnswer(place: Place, send: Send): Promise<First | NotOpen> {
  if (internalPorts.has(place.port)) {
    const touched = await send(null, place);
    return isReply(touched) || touched.connected ? { place } : { notOpen: touched.failed };
  }
  const root: Ask = { method: 'GET', path: '/' };
  const plain = await send(root, place);
  if (!isReply(plain) && !plain.connected) return { notOpen: plain.failed };
  if (!isReply(plain) && plain.failed === 'interrupted') return { notOpen: 'interrupted' };
  if (isReply(plain) && !wantsTls(plain)) return { place, reply: plain };
  const encrypted = { ...place, tls: true };
  const overTls = await send(root, encrypted);
  if (isReply(overTls)) return { place: encrypted, reply: overTls };
  if (isReply(plain)) return { place, reply: plain };
  return { place };
}

/** What servers answer to plain text at a port of TLS. */
function wantsTls({ status, body }: Reply): boolean {
  return status === 400 && /\bHTTPS\b|TLS/.test(body);
}

interface Session {
  /** Null: no answer. */
  ask(ask: Ask): Promise<Reply | null>;
  replies: ReadonlyMap<string, Reply>;
  speaksHttp: boolean;
  asked(known: Known, checks: readonly Check[]): Asked[];
}

function openSession(first: First, send: Send): Session {
  const replies = new Map<string, Reply>();
  const failures = new Map<string, string>();
  if (first.reply) replies.set('GET /', first.reply);
  let silences = 0;
  const session: Session = {
    replies,
    speaksHttp: first.reply !== undefined,
    ask: async (ask) => {
      const key = keyOf(ask);
      const had = replies.get(key);
      if (had || failures.has(key) || silences >= mostSilences || !session.speaksHttp) return had ?? null;
      const result = await send(ask, first.place);
      if (isReply(result)) {
        replies.set(key, result);
        return result;
      }
      failures.set(key, result.message);
      silences++;
      return null;
    },
    asked: (known, checks) => [
      ...[...replies].map(([key, reply]) => askedOf(key, reply.status, saysOf(key, reply, known, checks))),
      ...[...failures].map(([key, message]) => askedOf(key, null, printable(message, 80))),
    ],
  };
  return session;
}

const keyOf = ({ method, path }: Ask): string => `${method} ${path}`;

function askedOf(key: string, status: number | null, says: string): Asked {
  const [method, path = ''] = key.split(' ');
  return { method: method as Asked['method'], path, status, says };
}

function saysOf(key: string, reply: Reply, { engine }: Known, checks: readonly Check[]): string {
  const path = key.slice(key.indexOf(' ') + 1);
  const check = checks.find((one) => one.path === path);
  const signals = (engine?.signals ?? []).filter((one) => one.path === path).map((one) => one.of(reply));
  const words = [...signals.filter((says) => says !== null), ...(check ? [check.answer] : [])];
  if (words.length > 0) return words.join('; ');
  const { location } = reply.headers;
  return location === undefined ? 'nothing that tells' : `points to ${printable(location, 60)}, which is not followed`;
}

interface Known {
  engine: Engine | null;
  signals: string[];
  version: string | null;
}

const nobody: Known = { engine: null, signals: [], version: null };

/** Engines whose usual port it is come first; the others only when none of those is confirmed. */
async function recognise(port: number, session: Session): Promise<Known> {
  const [usual, others] = [true, false].map((is) => engines.filter((one) => one.ports.includes(port) === is));
  const first = await best(usual!, session);
  if (first.signals.length >= 2) return first;
  const second = await best(others!, session);
  return second.signals.length > first.signals.length ? second : first;
}

async function best(among: readonly Engine[], session: Session): Promise<Known> {
  let found = nobody;
  for (const engine of among) {
    const one = await signalsOf(engine, session);
    if (one.signals.length > found.signals.length) found = one;
  }
  return found;
}

async function signalsOf(engine: Engine, session: Session): Promise<Known> {
  const signals: string[] = [];
  let version: string | null = null;
  for (const signal of engine.signals) {
    const reply = await session.ask({ method: 'GET', path: signal.path });
    if (reply === null) continue;
    const says = signal.of(reply);
    if (says === null) continue;
    signals.push(says);
    const told = signal.version?.(reply);
    if (typeof told === 'string' && told !== '') version ??= printable(told, 40);
  }
  return { engine: signals.length > 0 ? engine : null, signals, version };
}

async function consult(engine: Engine, session: Session): Promise<Check[]> {
  const checks: Check[] = [];
  for (const oracle of engine.oracles) {
    const reply = await session.ask(oracle);
    checks.push({ path: oracle.path, means: oracle.means, answer: reply === null ? 'unclear' : oracle.read(reply) });
  }
  return checks;
}

function described(asked: Place, { place, reply }: First, atMs: number) {
  const transport = reply === undefined ? ('tcp' as const) : place.tls ? ('https' as const) : ('http' as const);
  return {
    address: asked.address,
    port: asked.port,
    host: asked.host,
    transport,
    certificateTrusted: reply?.certificateTrusted ?? null,
    atMs,
  };
}

function judged({ engine, signals, version }: Known, checks: Check[], session: Session) {
  const common = { signals, version, checks };
  if (engine === null) return { ...common, ...unknownService(session), engine: null, publicByDesign: [] };
  const told = engine.verdict?.(checks, session.replies) ?? authOf(checks);
  return {
    ...common,
    ...told,
    engine: engine.name,
    identity: signals.length >= 2 ? ('confirmed' as const) : ('likely' as const),
    publicByDesign: [...engine.publicByDesign],
  };
}

function unknownService({ replies, speaksHttp }: Session) {
  const why = speaksHttp
    ? `answers HTTP (${[...new Set([...replies.values()].map(({ status }) => status))].sort((a, b) => a - b).join(', ')}), and none of the known engines is recognised`
    : 'accepts connections and speaks no HTTP';
  return { identity: 'unknown' as const, auth: 'unknown' as const, why };
}
