import type { DeadManEvent } from '../serve/agent/dead-man.ts';
import type { Identity } from '../serve/agent/identity.ts';
import type { Io } from '../wire/io.ts';

const timeoutMs = 10_000;
const retryMs = 60_000;

/** What `fetch` says of a URL that it does not take repeats the URL. */
function whyOf(error: unknown): string {
  const { cause, message, name } = error as Error & { cause?: NodeJS.ErrnoException };
  if (cause?.code !== undefined && cause.code !== 'ERR_INVALID_URL') return cause.code;
  return name === 'TypeError' ? 'it is no URL that can be called' : message;
}

/** Tells an alarm of the agent to a URL of the user's choice, again and again until it is taken. */
export interface AlarmCaller {
  event(event: DeadManEvent): void;
  /** Time has passed: try what was not taken. */
  again(): void;
}

/**
 * The URL comes by INFERPATH_AGENT_ALARM_URL and by nothing else, as it may hold a secret; it is in no message. Only the newest event
 * is kept: an alarm that is over before anybody could be told is none.
 */
export function alarmCaller({ name, server }: Identity, io: Io): AlarmCaller {
  const url = io.env['INFERPATH_AGENT_ALARM_URL'];
  let waiting: DeadManEvent | null = null;
  let isRaised = false;
  let notBeforeMs = -Infinity;
  const attempt = async () => {
    if (url === undefined || url === '' || !waiting || io.clock.monoMs() < notBeforeMs) return;
    const event = waiting;
    if (event.kind === 'cleared' && !isRaised) {
      waiting = null;
      return;
    }
    notBeforeMs = io.clock.monoMs() + retryMs;
    const { sinceMs, why } = event.alarm;
    const body = JSON.stringify({
      type: event.kind === 'raised' ? 'inferpath.agent.server-silent' : 'inferpath.agent.server-back',
      timestamp: new Date(io.clock.wallMs()).toISOString(),
      data: { agent: name, server, since: new Date(sinceMs).toISOString(), why },
    });
    try {
      const request = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'manual' as const,
      };
      const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(timeoutMs) });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      isRaised = event.kind === 'raised';
      if (waiting === event) waiting = null;
    } catch (error) {
      io.log.warn(`cannot call INFERPATH_AGENT_ALARM_URL, trying again: ${whyOf(error)}`);
    }
  };
  // One at a time: what is over while the alarm is on its way has to be told, too.
  let turn = Promise.resolve();
  const again = () => void (turn = turn.then(attempt));
  return {
    event: (event) => {
      waiting = event;
      notBeforeMs = -Infinity;
      again();
    },
    again,
  };
}
