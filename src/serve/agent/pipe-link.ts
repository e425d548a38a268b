import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Delivery, JobsAnswer, ServerLink } from './server-link.ts';

/**
 * The server through a pipe, for an agent that has to run in a network namespace that the server is not in, as its child: one line of
 * JSON per question and per answer. Both ends are this program, so that nothing but a cut has to be borne.
 */
type Question =
  | { id: number; jobs: string | null }
  | { id: number; deliver: { key: string; samples: number; encoding: 'gzip' | 'identity'; payload: string } };
type Answer = { id: number; answer: Delivery | JobsAnswer } | { stop: true };

const gone = { kind: 'later', why: 'the pipe to the server is closed', afterMs: null } as const;

/** The agent's end. `ended` aborts when the server wants no more of this agent, or is no more itself. */
export function pipeLink(socket: Socket): { link: ServerLink; ended: AbortSignal } {
  const waiting = new Map<number, (answer: Delivery | JobsAnswer) => void>();
  const ended = new AbortController();
  let last = 0;
  let isOpen = true;
  linesOf(socket, (line) => {
    const said = JSON.parse(line) as Answer;
    if ('stop' in said) return ended.abort();
    waiting.get(said.id)?.(said.answer);
    waiting.delete(said.id);
  });
  socket.on('close', () => {
    isOpen = false;
    for (const answer of waiting.values()) answer(gone);
    waiting.clear();
    ended.abort();
  });
  const ask = <T extends Delivery | JobsAnswer>(question: (id: number) => Question): Promise<T> =>
    new Promise((done) => {
      if (!isOpen) return done(gone as T);
      const id = ++last;
      waiting.set(id, (answer) => done(answer as T));
      socket.write(`${JSON.stringify(question(id))}\n`);
    });
  const link: ServerLink = {
    about: 'the process above',
    deliver: ({ key, samples, encoding, payload }) => {
      const batch = { key, samples, encoding, payload: Buffer.from(payload).toString('base64') };
      return ask<Delivery>((id) => ({ id, deliver: batch }));
    },
    jobs: (revision) => ask<JobsAnswer>((id) => ({ id, jobs: revision })),
  };
  return { link, ended: ended.signal };
}

/** The server's end: answers by `link` until the pipe closes; when `signal` aborts it asks the agent to end, and goes on answering. */
export async function answerPipe(socket: Socket, link: ServerLink, signal: AbortSignal): Promise<void> {
  const say = (answer: Answer) => {
    if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
  };
  const onAbort = () => say({ stop: true });
  const never = new AbortController().signal;
  const answer = async (question: Question): Promise<void> => {
    const { id } = question;
    if ('jobs' in question) return say({ id, answer: await link.jobs(question.jobs, never) });
    const payload = Buffer.from(question.deliver.payload, 'base64');
    return say({ id, answer: await link.deliver({ ...question.deliver, payload }, never) });
  };
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  const under = new Set<Promise<void>>();
  linesOf(socket, (line) => {
    const work = answer(JSON.parse(line) as Question).finally(() => under.delete(work));
    under.add(work);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  await closed;
  signal.removeEventListener('abort', onAbort);
  // What was asked for before the cut is to be in the store, or not, when the store is closed.
  await Promise.allSettled(under);
}

function linesOf(socket: Socket, onLine: (line: string) => void): void {
  // A cut is told by 'close', which follows; readline repeats the error of what it reads.
  createInterface({ input: socket })
    .on('line', onLine)
    .on('error', () => undefined);
  socket.on('error', () => undefined);
}
