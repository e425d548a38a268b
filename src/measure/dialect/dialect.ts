import type { DialectName, ServerReported } from '../../model/inference.ts';

/**
 * The contract of one wire format. A dialect knows how to ask, and how to read the answer as a flat list of events that
 * means the same for every API; it knows nothing of sockets or clocks. Times are the caller's: it stamps a read, pushes
 * the bytes, and gives that stamp to every event that comes back.
 */
export type DialectEvent =
  /** A non-empty delta: text the user sees, or reasoning, tool-call arguments and special tokens (`visible: false`). */
  | { kind: 'token'; visible: boolean; textBytes: number }
  /** The answer began without a token in it: role chunk, message_start, prompt filter results. At most once. */
  | { kind: 'start' }
  /** A comment or a ping. */
  | { kind: 'keepAlive' }
  /** Token counts by the server; cumulative, the last value of each field counts. `output` includes `reasoning`. */
  | { kind: 'usage'; prompt?: number; cachedPrompt?: number; output?: number; reasoning?: number }
  | { kind: 'model'; model: string }
  | { kind: 'reported'; reported: ServerReported }
  /** Wall clock of the server when it emitted the token just before this event (Ollama `created_at`). */
  | { kind: 'serverStamp'; wallMs: number }
  /** An error inside a stream that began well, or our own complaint: `truncated`, `not-json`, `oversized`. Peer text: print it with `printable()`. */
  | { kind: 'error'; code?: string; message: string }
  | { kind: 'finish'; reason: string }
  /** The end marker of the dialect; whatever follows it is ignored. */
  | { kind: 'end' };

export interface StreamParser {
  /** Takes the bytes of one read, copies what it must keep; never throws. */
  push(bytes: Uint8Array): DialectEvent[];
  /** End of the body: flushes an unterminated last event; without an end marker and without an error of the peer, an `error` with code `truncated`. */
  end(): DialectEvent[];
  /** Output tokens that the first token event carried, when the server says so. */
  readonly firstTokenEventTokens?: number | undefined;
}

export interface BuildInput {
  url: URL;
  model: string | undefined;
  prompt: string;
  maxTokens: number;
  apiKey: string | undefined;
  /** Name of the header that carries the key; undefined = what the dialect uses. */
  authHeader: string | undefined;
  stream: true;
}

export interface BuiltRequest {
  url: URL;
  method: 'POST';
  headers: Record<string, string>;
  body: string;
}

export interface Dialect {
  name: DialectName;
  about: string;
  /** What a stream of it is served as, the usual one first. */
  contentTypes: readonly string[];
  /** How likely the URL speaks this dialect, 0 to 1, by path, host and port. */
  recognises(url: URL): number;
  /** Completes the URL (an origin or a base path gets the default path) and builds headers and body. */
  request(input: BuildInput): BuiltRequest;
  parser(): StreamParser;
  /** Parses the body of an endpoint that ignored `stream: true` into the same events; never throws. */
  parseWhole(body: Uint8Array): DialectEvent[];
}
