import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Session } from 'node:http2';

/**
 * The server of draft-ietf-ippm-responsiveness: a configuration, an object of one octet, one that never ends, and a sink. Bounded in
 * what runs at once; what a client does not read is not made.
 */
const paths = {
  config: '/.well-known/nq',
  small: '/nq/small',
  large: '/nq/large',
  upload: '/nq/upload',
} as const;

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

/** "Larger than 8 GB", says the draft: a load has to outlast every test. */
export const largeBytes = 8_000_000_000;
/** Small, because a request on the same connection waits behind what is queued of it. */
const chunk = Buffer.alloc(16 << 10);
/** Bulk transfers at once; MNP is 16, and both directions may run. */
const maxBulk = 64;
/** A transfer that nobody ended by then is cut. */
const maxBulkMs = 300_000;
/** Receive window of a connection and of a stream: more than a fast, long path holds. */
export const windowBytes = 16 << 20;

export class ResponsivenessService {
  #bulk = 0;

  /** Answers the request when it is one of ours. Never throws. */
  accept(request: AnyRequest, response: AnyResponse): boolean {
    const path = (request.url ?? '').split('?', 1)[0];
    const { method } = request;
    const reading = method === 'GET' || method === 'HEAD';
    if (path === paths.config && reading) sendText(response, 'application/json', config(request));
    else if (path === paths.small && reading) sendText(response, 'application/octet-stream', 'x');
    else if (path === paths.large && reading) this.#load(response, () => stream(response, method === 'HEAD'));
    else if (path === paths.upload && method === 'POST') this.#load(response, () => swallow(request, response));
    else return false;
    if (path !== paths.upload) request.resume();
    return true;
  }

  /** A client that uploads must not wait for windows of 64 KiB. */
  widen(session: ServerHttp2Session): void {
    session.setLocalWindowSize(windowBytes);
  }

  #load(response: AnyResponse, begin: () => void): void {
    if (this.#bulk >= maxBulk) return sendText(response, 'text/plain', `Already ${maxBulk} transfers\n`, 503);
    this.#bulk++;
    const late = setTimeout(() => response.destroy(), maxBulkMs);
    response.once('close', () => {
      clearTimeout(late);
      this.#bulk--;
    });
    begin();
  }
}

/** What the draft calls the test configuration. The authority is the one that the client asked. */
function config(request: AnyRequest): string {
  const authority = ('authority' in request ? request.authority : undefined) ?? request.headers.host ?? 'localhost';
  const origin = `https://${authority.slice(0, 300)}`;
  return JSON.stringify({
    version: 1,
    urls: {
      small_download_url: `${origin}${paths.small}`,
      large_download_url: `${origin}${paths.large}`,
      upload_url: `${origin}${paths.upload}`,
    },
  });
}

function sendText(response: AnyResponse, type: string, text: string, status = 200): void {
  const headers = {
    'content-type': type,
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
  };
  (response as ServerResponse).writeHead(status, headers).end(text);
}

/** Zeros without end, each chunk when the last one is taken. Nothing compresses them: the encoding is identity. */
function stream(response: AnyResponse, headOnly: boolean): void {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(largeBytes),
    'cache-control': 'no-store, no-transform',
  };
  const out = response as ServerResponse;
  out.writeHead(200, headers);
  if (headOnly) return void out.end();
  let left = largeBytes;
  const more = (): void => {
    while (left > 0 && !out.destroyed) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
      left -= part.length;
      if (!out.write(part)) return void out.once('drain', more);
    }
    if (left <= 0) out.end();
  };
  more();
}

function swallow(request: AnyRequest, response: AnyResponse): void {
  request.on('data', () => undefined);
  request.once('end', () => sendText(response, 'application/json', '{}'));
}
