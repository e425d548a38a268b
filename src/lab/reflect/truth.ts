import { createWriteStream } from 'node:fs';
import * as z from 'zod';

const mono = z.number().meta({ description: 'CLOCK_MONOTONIC of this machine, ms.' });

/** What really happened to one request, by the clock of the server. One line of the truth file. */
export const truthRow = z
  .object({
    requestId: z.string().meta({ description: 'x-request-id of the request, or the one made for it.' }),
    dialect: z.string(),
    stream: z.boolean(),
    httpVersion: z.string(),
    startedAt: z.string().meta({ description: 'Wall clock when the request head had been read, ISO 8601.' }),
    requestHeadMs: mono.meta({ description: 'Request head (request line and headers) read.' }),
    requestReadMs: mono.meta({ description: 'Last byte of the request body read: where server time begins.' }),
    firstByteMs: mono.nullable().meta({ description: 'First response byte handed to the kernel.' }),
    firstTokenMs: mono.nullable().meta({ description: 'First token handed to the kernel.' }),
    lastTokenMs: mono.nullable().meta({ description: 'Last token handed to the kernel.' }),
    endMs: mono.meta({ description: 'End of the response handed to the kernel, or the moment it was given up.' }),
    queueMs: z.number().meta({ description: 'Planned time in the queue.' }),
    prefillMs: z.number().meta({ description: 'Planned prompt processing.' }),
    tokens: z.number().int().meta({ description: 'Tokens written.' }),
    tokenMs: z
      .array(mono)
      .meta({ description: 'One per token event: just before the write that handed it to the kernel.' }),
    tokenCounts: z.array(z.number().int()).meta({ description: 'Tokens in each event.' }),
    scheduledMs: z.array(mono).meta({ description: 'When each event was due.' }),
    backpressuredEvents: z.array(z.number().int()).meta({
      description: 'Events that the kernel did not take at once: their stamp is the moment it had taken them.',
    }),
    backpressured: z.boolean(),
    stalls: z.array(z.object({ beforeToken: z.number().int(), beforeEvent: z.number().int(), ms: z.number() })),
    promptTokens: z.number().int(),
    bytesRead: z.number().int().meta({ description: 'Bytes of the request body.' }),
    aborted: z.boolean().meta({ description: 'The client went away, or the server stopped, before the end.' }),
    connection: z.number().int().meta({ description: 'Port of the client.' }),
    reused: z.boolean().meta({ description: 'The connection had carried a request before.' }),
  })
  .meta({ description: 'What really happened to one request, by the clock of the server.' });
export type TruthRow = z.infer<typeof truthRow>;

/** Where truth rows go. */
export interface TruthSink {
  write(row: TruthRow): void;
  /** Resolves when every row is with the operating system. @throws the first error of the file. */
  close(): Promise<void>;
}

/**
 * Appends rows to a file as JSON lines, buffered by a stream so that a slow disk never delays a token. Uses node:fs itself
 * because Io's files are whole texts. @throws (from close) when the file cannot be written.
 */
export async function openTruthFile(path: string): Promise<TruthSink> {
  const stream = createWriteStream(path, { flags: 'a' });
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve());
    stream.once('error', reject);
  });
  let failure: Error | undefined;
  stream.on('error', (error) => (failure ??= error));
  return {
    write: (row) => {
      if (!failure) stream.write(`${JSON.stringify(row)}\n`);
    },
    close: () =>
      new Promise((resolve, reject) => {
        stream.once('close', () => (failure ? reject(failure) : resolve()));
        stream.end();
      }),
  };
}
