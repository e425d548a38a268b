import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { problemBody } from '../serve/problem.ts';
import type { RunningServer } from '../serve/server.ts';
import type { Io } from '../wire/io.ts';
import { type ExitCode, exitCode, type FlagTable, type FlagValues, UsageError } from './command.ts';

/** How commands of the user who runs a server reach it: a file that only he may read, with a token that ends with the server. */
const control = z.object({ url: z.string(), token: z.string(), authorities: z.string().nullable() });

export const controlPath = (folder: string): string => join(folder, 'control.json');

export async function writeControl(
  path: string,
  { web, context }: RunningServer,
  authorities: string | null,
  io: Io,
): Promise<void> {
  // Who listens everywhere is reached by loopback, which is one of its names; the unspecified address is none.
  const url = web.url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  const body = { url, token: context.tokens.control(), authorities };
  await io.fs.writePrivate(path, `${JSON.stringify(body)}\n`);
}

/** Flags of every command that asks a running server for something. */
export const controlFlags = {
  data: {
    schema: z.string().min(1).default('inferpath-data'),
    about: 'Data folder of a server that runs on this machine as the same user; default inferpath-data.',
    value: 'DIR',
    group: 'Which server',
  },
  server: {
    schema: z.url({ protocol: /^https?$/ }).optional(),
    about: 'A server elsewhere; its token comes by --token-env or --token-file.',
    value: 'URL',
    group: 'Which server',
  },
  tokenEnv: {
    schema: z.string().default('INFERPATH_TOKEN'),
    about: 'Environment variable with the API token for --server; default INFERPATH_TOKEN.',
    value: 'NAME',
    group: 'Which server',
  },
  tokenFile: {
    schema: z.string().optional(),
    about: 'File with the API token for --server.',
    value: 'FILE',
    group: 'Which server',
  },
  ca: {
    schema: z.string().optional(),
    about: 'PEM file of the authority to trust for --server.',
    value: 'FILE',
    group: 'Which server',
  },
  json: { schema: z.boolean().default(false), about: 'The answer of the server as JSON.' },
} satisfies FlagTable;
export type ControlFlags = FlagValues<typeof controlFlags>;

interface Reached {
  url: string;
  token: string;
  ca: string | undefined;
}

/**
 * One request to the server that the flags name.
 * @throws UsageError when there is none, or it refuses
 */
export async function askServer<T>(
  flags: ControlFlags,
  { method, path, body }: { method: string; path: string; body?: unknown },
  schema: z.ZodType<T>,
  io: Io,
): Promise<{ answer: T; url: string }> {
  const reached = await reach(flags, io);
  const { status, text } = await send(reached, method, path, body);
  const json = parsed(text);
  if (status >= 200 && status < 300) return { answer: schema.parse(json), url: reached.url };
  const problem = problemBody.safeParse(json).data;
  const errors = (problem?.errors ?? []).map((e) => `${e.pointer}: ${e.detail}`);
  throw new UsageError(
    [`${reached.url}: ${problem?.detail ?? problem?.title ?? `answered ${status}`}`, ...errors].join('\n'),
  );
}

/** One request; its answer goes to stdout as JSON, or in words, with a note on stderr that a pipe does not get. */
export async function tellAnswer<T>(
  flags: ControlFlags,
  request: { method: string; path: string; body?: unknown },
  schema: z.ZodType<T>,
  io: Io,
  words: (answer: T, url: string) => string | { out: string; note: string },
): Promise<ExitCode> {
  const { answer, url } = await askServer(flags, request, schema, io);
  const told = flags.json ? `${JSON.stringify(answer)}\n` : words(answer, url);
  io.terminal.out(typeof told === 'string' ? told : told.out);
  if (typeof told !== 'string') io.terminal.err(told.note);
  return exitCode.ready;
}

async function reach(flags: ControlFlags, io: Io): Promise<Reached> {
  const { server, data, tokenEnv, tokenFile } = flags;
  if (server !== undefined) {
    const ca = flags.ca === undefined ? undefined : await readOrSay('--ca', flags.ca, io);
    const token = tokenFile === undefined ? io.env[tokenEnv] : (await readOrSay('--token-file', tokenFile, io)).trim();
    if (!token) throw new UsageError(`--server: found no token in ${tokenEnv}`, 'inferpath token create makes one');
    return { url: server.replace(/\/$/, ''), token, ca };
  }
  const path = controlPath(resolve(io.cwd, data));
  if (!(await io.fs.exists(path)))
    throw new UsageError(
      `--data: found no server in ${data}`,
      'inferpath up or inferpath serve starts one; --server asks one elsewhere',
    );
  const found = control.parse(JSON.parse(await io.fs.readText(path, 1 << 20)));
  return { url: found.url, token: found.token, ca: found.authorities ?? undefined };
}

async function readOrSay(flag: string, path: string, io: Io): Promise<string> {
  try {
    return await io.fs.readText(path, 1 << 20);
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

function send(
  { url, token, ca }: Reached,
  method: string,
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(text === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
  };
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((done, fail) => {
    const asked = request(
      `${url}${path}`,
      { method, headers, agent: false, timeout: 30_000, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        response.on('error', fail);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer within 30 s')));
    asked.on('error', (error: NodeJS.ErrnoException) =>
      fail(
        new UsageError(
          `cannot reach the server at ${url}: ${error.code ?? error.message}`,
          'is it running? inferpath up or inferpath serve starts it',
        ),
      ),
    );
    asked.end(text);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
