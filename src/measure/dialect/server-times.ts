import type { ServerReported } from '../../model/inference.ts';
import { decimal, resolutionOfMs, resolutionOfSeconds } from './body-times.ts';

/** Response headers as Node gives them: lower-case names, repeated ones as a list. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

type Unit = 'ms' | 's' | 's-or-ms';

interface TimeHeader {
  name: string;
  covers: ServerReported['covers'];
  by: ServerReported['by'];
  unit: Unit;
}

/**
 * Headers that carry one duration. Headers leave before the first token, so a duration in them ends there, except where a
 * server that does not stream puts the whole computation into them. What a proxy measured includes its own leg to the
 * server and says nothing of what lies behind.
 */
const TIME_HEADERS: readonly TimeHeader[] = [
  { name: 'fireworks-server-time-to-first-token', covers: 'ttft', by: 'server', unit: 's' },
  { name: 'fireworks-server-processing-time', covers: 'total', by: 'server', unit: 's' },
  { name: 'x-amzn-bedrock-invocation-latency', covers: 'total', by: 'server', unit: 'ms' },
  { name: 'openai-processing-ms', covers: 'headers', by: 'server', unit: 'ms' },
  { name: 'x-envoy-upstream-service-time', covers: 'headers', by: 'front-proxy', unit: 'ms' },
  { name: 'cmp-upstream-response-duration', covers: 'headers', by: 'front-proxy', unit: 'ms' },
  { name: 'x-litellm-response-duration-ms', covers: 'headers', by: 'front-proxy', unit: 'ms' },
];

/** `Server-Timing` metrics whose `dur` means something known: Google's front end, CloudFront's wait for the origin. */
const SERVER_TIMINGS: Readonly<Record<string, true>> = { gfet4t7: true, 'cdn-upstream-fbl': true };

/** Every duration that the response headers report. Values that are no plain decimal numbers are ignored. */
export function reportedFromHeaders(headers: ResponseHeaders): ServerReported[] {
  const out: ServerReported[] = [];
  for (const header of TIME_HEADERS) {
    const time = timeOf(headers, header.name, header.unit);
    if (time !== undefined) out.push({ source: header.name, covers: header.covers, by: header.by, ...time });
  }
  out.push(...fromTgi(headers), ...fromKong(headers), ...fromServerTiming(headers));
  return out;
}

interface Time {
  valueMs: number;
  resolutionMs: number;
}

function timeOf(headers: ResponseHeaders, name: string, unit: Unit): Time | undefined {
  const text = first(headers, name)?.trim();
  const value = text === undefined ? undefined : decimal(text);
  if (text === undefined || value === undefined) return undefined;
  // x-compute-time has been written in both units; only seconds come with a fraction.
  const seconds = unit === 's' || (unit === 's-or-ms' && text.includes('.'));
  if (!seconds) return { valueMs: value, resolutionMs: resolutionOfMs([value]) };
  const digits = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
  // A trailing zero is a digit that was written, and lost in the number.
  const resolutionMs = Math.max(0.001, Math.min(resolutionOfSeconds([value]), 1_000 / 10 ** digits));
  return { valueMs: value * 1_000, resolutionMs };
}

/** TGI, and Together and Hugging Face endpoints: non-stream answers only, so the whole computation is in it. */
function fromTgi(headers: ResponseHeaders): ServerReported[] {
  for (const [name, unit] of [
    ['x-total-time', 'ms'],
    ['x-compute-time', 's-or-ms'],
  ] as const) {
    const time = timeOf(headers, name, unit);
    if (time !== undefined) return [{ source: name, covers: 'total', by: 'server', ...time }];
  }
  return [];
}

/** Kong says apart how long it waited for the upstream and how long it worked itself; the interval is the sum. */
function fromKong(headers: ResponseHeaders): ServerReported[] {
  const upstream = timeOf(headers, 'x-kong-upstream-latency', 'ms');
  if (upstream === undefined) return [];
  const own = timeOf(headers, 'x-kong-proxy-latency', 'ms')?.valueMs ?? 0;
  return [
    {
      source: own > 0 ? 'x-kong-upstream-latency + x-kong-proxy-latency' : 'x-kong-upstream-latency',
      covers: 'headers',
      by: 'front-proxy',
      valueMs: upstream.valueMs + own,
      resolutionMs: upstream.resolutionMs,
    },
  ];
}

function fromServerTiming(headers: ResponseHeaders): ServerReported[] {
  const out: ServerReported[] = [];
  for (const metric of serverTiming(headers)) {
    const valueMs = metric.params['dur'] === undefined ? undefined : decimal(metric.params['dur']);
    if (valueMs === undefined || !Object.hasOwn(SERVER_TIMINGS, metric.name)) continue;
    const resolutionMs = resolutionOfMs([valueMs]);
    out.push({ source: `server-timing ${metric.name}`, covers: 'headers', by: 'front-proxy', valueMs, resolutionMs });
  }
  return out;
}

interface ServerTimingMetric {
  name: string;
  params: Record<string, string>;
}

/** The metrics of `Server-Timing` (W3C): `name;dur=12.3;desc="text"`, comma-separated; at most 50 are read. */
function serverTiming(headers: ResponseHeaders): ServerTimingMetric[] {
  const text = all(headers, 'server-timing').join(',').slice(0, 8_000);
  const metrics: ServerTimingMetric[] = [];
  for (const part of splitOutsideQuotes(text, ',').slice(0, 50)) {
    const [name = '', ...rest] = splitOutsideQuotes(part, ';');
    const params: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const param of rest) {
      const equals = param.indexOf('=');
      if (equals > 0) params[param.slice(0, equals).trim().toLowerCase()] = unquote(param.slice(equals + 1).trim());
    }
    metrics.push({ name: name.trim(), params });
  }
  return metrics;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (!quoted && text[at] === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

function unquote(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

const HINT_HEADERS: readonly string[] = [
  'server',
  'via',
  'cf-ray',
  'cf-cache-status',
  'x-served-by',
  'x-amz-cf-pop',
  'x-azure-ref',
  'x-ms-region',
  'x-litellm-version',
  'x-cache',
];

/**
 * Hints at who terminates TCP and TLS, as `name: value` lines. When one of them is a CDN or gateway, the round-trip time
 * of the connection ends there and not at the model.
 */
export function terminatorHints(headers: ResponseHeaders): string[] {
  const hints: string[] = [];
  for (const name of HINT_HEADERS) {
    const value = first(headers, name);
    if (value === undefined) continue;
    const pop = name === 'cf-ray' ? /-([A-Z]{3})$/.exec(value)?.[1] : undefined;
    hints.push(pop === undefined ? `${name}: ${clip(value)}` : `cf-ray: Cloudflare ${pop}`);
  }
  if (first(headers, 'x-envoy-upstream-service-time') !== undefined) hints.push('x-envoy-upstream-service-time: Envoy');
  if (first(headers, 'x-kong-upstream-latency') !== undefined) hints.push('x-kong-upstream-latency: Kong');
  hints.push(...edgeConnectionHints(headers));
  return hints;
}

/** Cloudflare can report the TCP state of this very connection from its own side (`cfL4`); its rtt is in microseconds. */
function edgeConnectionHints(headers: ResponseHeaders): string[] {
  const desc = serverTiming(headers).find((metric) => metric.name === 'cfL4')?.params['desc'];
  if (desc === undefined) return [];
  const query = new URLSearchParams(desc.slice(0, 1_000));
  const rttUs = decimal(query.get('rtt') ?? '');
  return rttUs === undefined
    ? []
    : [`server-timing cfL4: the edge measured rtt ${rttUs / 1_000} ms on this connection`];
}

const RATE_LIMIT = /^(x-ratelimit-|anthropic-ratelimit-|ratelimit|retry-after(-ms)?$)/;

/** Headers about rate limits, with their values as sent: they tell throttling from a slow network. At most 40. */
export function rateLimitHeaders(headers: ResponseHeaders): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    if (Object.keys(found).length >= 40) break;
    const value = RATE_LIMIT.test(name.toLowerCase()) ? first(headers, name) : undefined;
    if (value !== undefined) found[name.toLowerCase().slice(0, 100)] = clip(value);
  }
  return found;
}

const REQUEST_ID_HEADERS: readonly string[] = [
  'x-request-id',
  'request-id',
  'apim-request-id',
  'x-amzn-requestid',
  'x-ms-request-id',
  'x-kong-request-id',
  'x-generation-id',
  'cf-ray',
];

/** The id under which the server's own logs know the request, or null. */
export function requestIdFrom(headers: ResponseHeaders): string | null {
  for (const name of REQUEST_ID_HEADERS) {
    const value = first(headers, name);
    if (value !== undefined) return clip(value);
  }
  return null;
}

function all(headers: ResponseHeaders, name: string): readonly string[] {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function first(headers: ResponseHeaders, name: string): string | undefined {
  const value = all(headers, name)[0]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

function clip(value: string): string {
  return value.slice(0, 200);
}
