import { asBuffer } from '../../wire/http/line-buffer.ts';
import { asList, asObject, asText, tryJson } from './guards.ts';
import type { JsonObject } from './guards.ts';

export interface ApiError {
  code?: string;
  /** Words of the peer, cut at 1,000 characters, not made printable. */
  message: string;
}

/** More of an error body than this is never looked at. */
const MAX_BODY_BYTES = 256 * 1024;

/**
 * The error inside an event of a stream that was answered with 200, or undefined when the event is none: `error` as an
 * object (OpenAI, Anthropic, Gemini, OpenRouter) or a string (Ollama, TGI, Triton), or `object: "error"` (vLLM).
 */
export function errorInEvent(value: JsonObject): ApiError | undefined {
  const inner = value['error'];
  if (typeof inner === 'string' && inner !== '') {
    return withCode(inner, value['error_type'] ?? value['code'] ?? value['type']);
  }
  const error = asObject(inner) ?? (value['object'] === 'error' || value['type'] === 'error' ? value : undefined);
  if (error === undefined) return undefined;
  return withCode(asText(error['message']) ?? asText(error['error']) ?? 'error without a message', codeOf(error));
}

// The most telling name first: OpenAI's string code, Google's status, the type; a bare number (often just the status) last.
function codeOf(error: JsonObject): unknown {
  const { code, status, type } = error;
  if (typeof code === 'string' && code !== '') return code;
  if (typeof status === 'string' && status !== '') return status;
  return typeof type === 'string' && type !== 'error' && type !== '' ? type : code;
}

/** What the body of an HTTP error says, whoever wrote it: an API, a framework, or a proxy with a page for people. */
export function errorFromBody(status: number, bytes: Uint8Array): ApiError {
  const text = asBuffer(bytes.subarray(0, MAX_BODY_BYTES))
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trim();
  if (text === '') return { message: `HTTP ${status} with an empty body` };
  const json = tryJson(text.startsWith('data:') ? text.slice(5).split(/[\r\n]/, 1)[0]! : text);
  const value = asObject(Array.isArray(json) ? json[0] : json);
  if (value !== undefined) return fromJson(value, status);
  const title = /<title[^>]{0,200}>([^<]{1,300})/i.exec(text.slice(0, 20_000))?.[1]?.trim();
  return { message: title ?? text.slice(0, 300) };
}

function fromJson(value: JsonObject, status: number): ApiError {
  const detail = value['detail'];
  const found =
    errorInEvent(value) ??
    (typeof detail === 'string' ? withCode(detail, value['code']) : undefined) ??
    fromValidation(asList(detail));
  if (found !== undefined) return found;
  const message = asText(value['message']) ?? asText(value['Message']) ?? asText(value['title']);
  if (message === undefined) return { message: `HTTP ${status} with a JSON body that names no error` };
  return withCode(message, value['code'] ?? value['type'] ?? value['__type']);
}

// FastAPI: {"detail":[{"loc":["body","model"],"msg":"field required"}]}
function fromValidation(detail: readonly unknown[]): ApiError | undefined {
  const first = asObject(detail[0]);
  const message = asText(first?.['msg']);
  if (message === undefined) return undefined;
  const where = asList(first?.['loc'])
    .filter((part) => typeof part === 'string' || typeof part === 'number')
    .slice(0, 10)
    .join('.')
    .slice(0, 200);
  return withCode(where === '' ? message : `${where}: ${message}`, first?.['type']);
}

function withCode(message: string, code: unknown): ApiError {
  const text = typeof code === 'number' && Number.isFinite(code) ? String(code) : asText(code, 100);
  return text === undefined ? { message: message.slice(0, 1_000) } : { code: text, message: message.slice(0, 1_000) };
}

/**
 * Some gateways end a stream with the error in a comment (`:408: 408 Request Timeout`). A comment counts as an error when
 * it begins with a 4xx or 5xx status and a colon, or with the word error.
 */
export function errorInComment(text: string): ApiError | undefined {
  const status = /^\s*([45]\d\d):\s*(.*)/.exec(text);
  if (status !== null) return { code: status[1]!, message: status[2] === '' ? `status ${status[1]}` : status[2]! };
  const worded = /^\s*error\b[:\s]*(.*)/i.exec(text);
  return worded === null ? undefined : { message: worded[1] === '' ? 'error' : worded[1]! };
}
