import { UrlRefused, type Reply } from '../dialer.ts';
import type { Means, Sent } from '../receiver.ts';

/** Posts JSON and gives the answer, or how the attempt ended when there is none. */
export async function postJson(
  { dialer, secrets, signal }: Means,
  body: unknown,
  headers: (text: string) => Record<string, string>,
  place?: URL | ((url: URL) => void),
): Promise<Reply | Sent> {
  const base = place instanceof URL ? place : secrets.url;
  if (base === null) return { kind: 'refused', words: 'no url' };
  const url = new URL(base);
  if (typeof place === 'function') place(url);
  const text = JSON.stringify(body);
  try {
    return await dialer.post(
      url,
      { headers: { 'content-type': 'application/json', ...headers(text) }, body: text },
      signal,
    );
  } catch (error) {
    return failed(error, { secrets, signal });
  }
}

/** An attempt without an answer: nobody knows whether it arrived, so it is made again, with the same key. */
export function failed(error: unknown, { secrets, signal }: Pick<Means, 'secrets' | 'signal'>): Sent {
  if (error instanceof UrlRefused) return { kind: 'refused', words: secrets.hide(error.message) };
  if (signal.aborted) return { kind: 'retry', words: 'stopped before there was an answer', isOurs: true };
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return { kind: 'retry', words: 'no whole answer in time' };
  return { kind: 'retry', words: secrets.hide(`${code && !message.includes(code) ? `${code}: ` : ''}${message}`) };
}
