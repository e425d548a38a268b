import { once } from 'node:events';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Reflector } from './reflector.ts';

/** What came back, as a plain client of the tests sees it. */
export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** Monotonic arrival of each read. */
  readsMs: number[];
}

/** One POST (or another method) with node:http. */
export async function ask(
  { url, certificate }: Pick<Reflector, 'url' | 'certificate'>,
  path: string,
  body: unknown,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const all = {
    method: options.method ?? 'POST',
    headers: { 'content-type': 'application/json', ...options.headers },
    ...(certificate ? { ca: certificate } : {}),
  };
  const outgoing = (certificate ? requestTls : request)(url + path, all);
  outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
  const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  const readsMs: number[] = [];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    readsMs.push(Number(process.hrtime.bigint()) / 1e6);
    chunks.push(chunk as Buffer);
  }
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text: Buffer.concat(chunks).toString(),
    readsMs,
  };
}

/** The `data:` documents of an SSE text, `[DONE]` left out. */
export function dataOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);
}

/** A chat request. */
export const chat = (more: object = {}): object => ({
  model: 'm',
  messages: [{ role: 'user', content: 'x'.repeat(400) }],
  ...more,
});
