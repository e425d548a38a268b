import { type BatchBody, batchBody } from '../model/agent-protocol.ts';
import { named } from '../model/patterns.ts';
import { outcome } from '../model/outcome.ts';
import { sampleKind, sampleMetrics, sampleVerdict } from '../model/sample.ts';
import { agentLifeMs, skewMs } from './pki/authority.ts';
import { Problem } from './problem.ts';

/**
 * Samples from further in the future than this are a broken clock of the agent, not a measurement. Were it ours, which is behind by so
 * much, it would not know the agent either, who then keeps its results: a certificate begins two days before it was made, and lives for
 * one. So a server without a clock of its own that starts in the past refuses nothing for good.
 */
const futureMs = skewMs + agentLifeMs;

const outcomeKinds = new Set<string>(outcome.options.map((o) => o.shape.kind.value));
const kinds = new Set<string>(sampleKind.options);
const metricNames = new Set<string>(sampleMetrics);
const required = [
  'version',
  'key',
  'count',
  'endpoints',
  'kinds',
  'outcomes',
  'states',
  'atMs',
  'endpoint',
  'kind',
  'outcome',
  'verdict',
  'state',
  'metrics',
];
const maxRows = 50_000;
/** JSON can write half a character, UTF-8 cannot. */
const halfCharacter = /\p{Surrogate}/u;

/**
 * A batch as it came, checked column by column in flat loops: ten times as fast as its schema, which says the same (a test holds
 * both against each other).
 * @throws Problem naming the column and row
 */
export function checkBatch(value: unknown): BatchBody {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('', 'expected an object');
  const body = value as Record<string, unknown>;
  for (const name of required) if (!Object.hasOwn(body, name)) throw wrong(name, 'is missing');
  for (const name of Object.keys(body))
    if (name !== 'detail' && !required.includes(name)) throw wrong(name, 'is unknown');
  if (body['version'] !== 1) throw wrong('version', 'expected 1');
  const { key, count } = body;
  if (typeof key !== 'string' || !batchBody.shape.key.safeParse(key).success)
    throw wrong('key', 'expected 8 to 128 of A-Z, a-z, 0-9 and ._:-');
  if (!Number.isInteger(count) || (count as number) < 1 || (count as number) > maxRows)
    throw wrong('count', `expected 1 to ${maxRows}`);
  const n = count as number;
  const endpoints = texts(body, 'endpoints', maxRows, (t) => t.length <= 256);
  const kindNames = texts(body, 'kinds', 32, (t) => kinds.has(t));
  const outcomes = texts(body, 'outcomes', 32, (t) => t.length <= 32);
  const states = texts(body, 'states', maxRows, (t) => t.length <= 4096);
  times(body, n);
  indexes(body, 'endpoint', n, endpoints, false);
  indexes(body, 'kind', n, kindNames, false);
  indexes(body, 'outcome', n, outcomes, false);
  indexes(body, 'verdict', n, sampleVerdict.options.length, false);
  indexes(body, 'state', n, states, true);
  metrics(body['metrics'], n);
  details(body, n);
  return value as BatchBody;
}

/** What only this server knows: endpoints of the network file, now or before, and outcomes that exist. */
export function checkMeaning(body: BatchBody, knows: (endpoint: string) => boolean, agent: string): void {
  body.endpoints.forEach((name, i) => {
    if (name !== agent && !(knows(name) && named.name.pattern.test(name)))
      throw wrong(`endpoints/${i}`, 'is no endpoint of the network file');
  });
  body.outcomes.forEach((kind, i) => {
    if (!outcomeKinds.has(kind)) throw wrong(`outcomes/${i}`, 'is no kind of outcome');
  });
}

/**
 * A batch without the rows that lie more than three days ahead, which are a broken clock and no measurements: one such moment must not
 * cost all that was measured before and after it. The others keep their numbers.
 */
export function withoutFuture(
  body: BatchBody,
  nowMs: number,
): { columns: BatchBody; rows?: number[]; refused: number } {
  const latestMs = nowMs + futureMs;
  if (!body.atMs.some((at) => at > latestMs)) return { columns: body, refused: 0 };
  const rows = body.atMs.flatMap((at, row) => (at > latestMs ? [] : [row]));
  const refused = body.count - rows.length;
  const pick = <T>(column: readonly T[]): T[] => rows.map((row) => column[row] as T);
  const { atMs, endpoint, kind, outcome, verdict, state, detail, metrics } = body;
  const columns: BatchBody = {
    ...body,
    count: rows.length,
    atMs: pick(atMs),
    endpoint: pick(endpoint),
    kind: pick(kind),
    outcome: pick(outcome),
    verdict: pick(verdict),
    state: pick(state),
    ...(detail && { detail: pick(detail) }),
    metrics: Object.fromEntries(Object.entries(metrics).map(([metric, column]) => [metric, pick(column)])),
  };
  return { columns, rows, refused };
}

function texts(body: Record<string, unknown>, name: string, most: number, isGood: (text: string) => boolean): number {
  const list = body[name];
  if (!Array.isArray(list) || list.length > most) throw wrong(name, `expected a list of at most ${most} texts`);
  for (let i = 0; i < list.length; i++) {
    const text: unknown = list[i];
    if (typeof text !== 'string' || !isGood(text)) throw wrong(`${name}/${i}`, 'expected a shorter or another text');
  }
  // All at once: asked of each, this costs more than all other checks.
  if (halfCharacter.test(list.join('\n'))) throw wrong(name, 'has half a character');
  return list.length;
}

function column(value: unknown, name: string, n: number): unknown[] {
  if (!Array.isArray(value) || value.length !== n) throw wrong(name, `expected a list of ${n} entries`);
  return value;
}

function times(body: Record<string, unknown>, n: number): void {
  const list = column(body['atMs'], 'atMs', n);
  for (let i = 0; i < n; i++) {
    const at = list[i];
    // Date's own bound (ECMA-262 §21.4.1.1), from the epoch on.
    if (typeof at !== 'number' || !(at >= 0 && at <= 8.64e15))
      throw wrong(`atMs/${i}`, 'expected milliseconds since the epoch');
  }
}

function indexes(body: Record<string, unknown>, name: string, n: number, size: number, mayBeNull: boolean): void {
  const list = column(body[name], name, n);
  for (let i = 0; i < n; i++) {
    const index = list[i];
    if (index === null && mayBeNull) continue;
    if (typeof index !== 'number' || !(index >= 0 && index < size) || Math.floor(index) !== index)
      throw wrong(`${name}/${i}`, `expected an index below ${size}`);
  }
}

function metrics(value: unknown, n: number): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('metrics', 'expected an object');
  for (const [name, list] of Object.entries(value)) {
    if (!metricNames.has(name)) throw wrong('metrics', 'has a metric that is unknown');
    const numbers = column(list, `metrics/${name}`, n);
    for (let i = 0; i < n; i++) {
      const number = numbers[i];
      if (number !== null && typeof number !== 'number')
        throw wrong(`metrics/${name}/${i}`, 'expected a number or null');
      // 1e999 is JSON, and is Infinity.
      if (number !== null && !Number.isFinite(number)) throw wrong(`metrics/${name}/${i}`, 'expected a finite number');
    }
  }
}

function details(body: Record<string, unknown>, n: number): void {
  if (!Object.hasOwn(body, 'detail')) return;
  const list = column(body['detail'], 'detail', n);
  for (let i = 0; i < n; i++) {
    const text = list[i];
    if (text !== null && (typeof text !== 'string' || text.length > 1_048_576 || halfCharacter.test(text)))
      throw wrong(`detail/${i}`, 'expected a text of at most 1 MiB, or null');
  }
}

function wrong(pointer: string, detail: string): Problem {
  return new Problem('invalid-input', `${pointer || 'the body'} ${detail}`, {
    errors: [{ pointer: `/${pointer}`, detail }],
  });
}
