import type { Clock } from '../../wire/io.ts';
import { RequestFault, type JsonObject } from './dialects/dialect.ts';

/** What reading needs from a request of either HTTP version. */
export interface ReadableRequest {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end' | 'aborted' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  resume(): unknown;
}

export interface RequestBody {
  bytes: Buffer;
  /** When the last byte had been read by us, on the monotonic clock. */
  readMs: number;
}

export interface BodyLimits {
  /** Larger bodies are refused with 413. */
  maxBytes: number;
  /** A body that takes longer is refused with 408: a client that trickles bytes must not hold a slot for ever. */
  deadlineMs: number;
}

/**
 * Reads a request to its end. @throws RequestFault (413 too large, 408 too slow, 400 cut short). The rest of a refused body
 * is discarded by the caller's closing of the connection.
 */
export function readBody(request: ReadableRequest, clock: Clock, limits: BodyLimits): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let settled = false;
    const settle = (act: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      act();
    };
    const refuse = (status: number, message: string): void =>
      settle(() => {
        chunks.length = 0;
        reject(new RequestFault(status, message));
      });
    const timer = setTimeout(
      () => refuse(408, `Request body not complete after ${limits.deadlineMs} ms`),
      limits.deadlineMs,
    );
    timer.unref();
    request.on('data', (chunk) => {
      if (settled) return;
      size += chunk.length;
      if (size > limits.maxBytes) refuse(413, `Request body above ${limits.maxBytes} bytes`);
      else chunks.push(chunk);
    });
    request.on('end', () => {
      const readMs = clock.monoMs();
      settle(() => resolve({ bytes: Buffer.concat(chunks, size), readMs }));
    });
    const cut = (): void => refuse(400, 'Request body cut short');
    request.on('aborted', cut);
    request.on('close', cut);
    request.on('error', cut);
  });
}

/** The body as a JSON object. @throws RequestFault 400 on anything else. */
export function parseJsonObject(bytes: Buffer): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new RequestFault(400, 'Request body is not valid JSON in UTF-8');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new RequestFault(400, 'Request body has to be a JSON object');
  return value as JsonObject;
}
