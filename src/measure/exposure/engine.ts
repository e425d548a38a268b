import type { AuthState, Check, EngineName } from '../../model/secure/exposure.ts';
import type { Ask, Reply } from './exchange.ts';

/** Something in one answer that only this engine says. */
export interface Signal {
  path: string;
  /** What was recognised, in words for the report; null: not this engine, as far as this answer goes. */
  of(reply: Reply): string | null;
  version?(reply: Reply): unknown;
}

/** One path of the oracle: asked without a key, its answer says whether a key is needed there. */
export interface Oracle extends Ask {
  means: string;
  read(reply: Reply): Check['answer'];
}

/** An inference server: how it is recognised, and how it is asked whether it wants a key. One file each, one line in engines.ts. */
export interface Engine {
  name: EngineName;
  title: string;
  ports: readonly number[];
  /** Each counts once; two make the identity confirmed. */
  signals: readonly Signal[];
  oracles: readonly Oracle[];
  /** Paths that answer anyone by design, key or not. */
  publicByDesign: readonly string[];
  /** Where more has to be looked at than which paths are open. */
  verdict?(checks: readonly Check[], replies: ReadonlyMap<string, Reply>): { auth: AuthState; why: string } | null;
  /** What an open one gives away, for the claim. */
  gives: string;
  remedy: string;
}

/** 2xx is open, 401 and 403 are closed, 404 is absent; redirects and server errors say nothing. */
export function byStatus({ status }: Reply): Check['answer'] {
  if (status >= 200 && status < 300) return 'open';
  if (status === 401 || status === 403 || status === 407) return 'closed';
  return status === 404 ? 'absent' : 'unclear';
}

/** As byStatus, but open only where the body is what this engine answers: a page of somebody else in front is none of it. */
export function openWhen(recognises: (reply: Reply) => boolean): Oracle['read'] {
  return (reply) => {
    const answer = byStatus(reply);
    return answer === 'open' && !recognises(reply) ? 'unclear' : answer;
  };
}

/**
 * A path that takes only POST, asked with GET: the framework answers 405 with words of its own once nothing has asked for a key.
 * Nothing is run by it.
 */
export function openAt405(recognises: (reply: Reply) => boolean): Oracle['read'] {
  return (reply) => {
    if (reply.status === 405) return recognises(reply) ? 'open' : 'unclear';
    const answer = byStatus(reply);
    return answer === 'open' ? 'unclear' : answer;
  };
}

/** A body that no schema accepts was sent: whoever complains about it has not asked for a key. */
export function openWhenInvalid(reply: Reply): Check['answer'] {
  if (reply.status === 400 || reply.status === 415 || reply.status === 422) return 'open';
  return byStatus(reply);
}

export const isFastApi405 = ({ json }: Reply): boolean => field(json, 'detail') === 'Method Not Allowed';

export function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

export function items(value: unknown, key: string): unknown[] {
  const list = field(value, key);
  return Array.isArray(list) ? list : [];
}

/** What all models of an OpenAI-like list are owned by. */
export function ownedBy({ json }: Reply, owner: string): boolean {
  const models = items(json, 'data');
  return models.length > 0 && models.every((model) => field(model, 'owned_by') === owner);
}

export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The verdict that follows from which paths are open. */
export function authOf(checks: readonly Check[]): { auth: AuthState; why: string } {
  const of = (answer: Check['answer']) => checks.filter((check) => check.answer === answer).map(({ path }) => path);
  const [open, closed] = [of('open'), of('closed')];
  if (open.length > 0 && closed.length > 0)
    return { auth: 'partial', why: `${open.join(', ')} without a key; ${closed.join(', ')} wants one` };
  if (open.length > 0) return { auth: 'none', why: `${open.join(', ')} without a key` };
  if (closed.length > 0) return { auth: 'enforced', why: `${closed.join(', ')} wants a key` };
  return { auth: 'unknown', why: 'no path of the oracle answered in a way that tells' };
}
