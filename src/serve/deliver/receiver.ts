import type { Notice } from '../../model/delivery.ts';
import type { Receiver } from '../../model/watch.ts';
import type { Dialer, Reply } from './dialer.ts';
import type { Secrets } from './secrets.ts';

/**
 * How an attempt ended. retry: may work later. refused: never will as it is. gone: the receiver wants nothing more from us
 * (410). `words` go into logs and documents, so they hold no secret.
 */
export type Sent =
  | { kind: 'accepted'; words: string }
  | {
      kind: 'retry';
      words: string;
      retryAfterMs?: number;
      /** The receiver as a whole has too much to do: nothing else is sent to it meanwhile. */
      throttle?: boolean;
      /** We stopped it ourselves: it does not count as an attempt. */
      isOurs?: boolean;
    }
  | { kind: 'refused' | 'gone'; words: string };

export interface Attempt {
  /** Idempotency key. */
  key: string;
  action: 'fire' | 'resolve';
  notice: Notice;
  /** Wall clock of this attempt. */
  atMs: number;
}

export interface Means {
  dialer: Dialer;
  secrets: Secrets;
  signal: AbortSignal;
}

/** One kind of receiver: one file, one line in receivers/index.ts, and the contract suite of receiver.case.ts. */
export interface ReceiverKind<T extends Receiver['type'] = Receiver['type']> {
  type: T;
  /** event: told once. state: reminded every minute while it fires. */
  kind: 'event' | 'state';
  /** Least time between two messages, ms. */
  spacingMs: number;
  /** Ends of incidents are told by the same key or thread. */
  send(receiver: Extract<Receiver, { type: T }>, attempt: Attempt, means: Means): Promise<Sent>;
}

/** What an HTTP answer means, as Standard Webhooks 1.0.0 has it; the same for all receivers that speak HTTP. */
export function sentOf(reply: Reply, secrets: Secrets): Sent {
  const { status, retryAfterMs, location } = reply;
  const said = secrets.hide(reply.excerpt);
  const words = `HTTP ${status}${said === '' ? '' : `: ${said}`}`;
  const later = retryAfterMs === null ? {} : { retryAfterMs };
  if (status >= 200 && status < 300) return { kind: 'accepted', words };
  if (status === 410) return { kind: 'gone', words };
  if (status >= 300 && status < 400)
    return {
      kind: 'retry',
      words: `HTTP ${status}: a redirect${location ? '' : ' to nowhere'}, which is never followed`,
    };
  if (status === 429 || status === 502 || status === 503 || status === 504)
    return { kind: 'retry', words, throttle: true, ...later };
  if (status === 408 || status >= 500) return { kind: 'retry', words, ...later };
  return { kind: 'refused', words };
}
