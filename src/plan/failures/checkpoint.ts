import { createHash } from 'node:crypto';
import * as z from 'zod';
import { effectsBytes, makeEffects } from './effects.ts';
import type { Simulation } from './simulate.ts';
import type { Question } from './source.ts';

const checkpoint = z.object({
  schema: z.literal('inferpath/failures-checkpoint@1'),
  question: z.string(),
  done: z.array(z.number().int().min(0)),
  effects: z.base64(),
});

/** What a simulation has come to, as text for a file. */
export function checkpointText(question: Question, { effects, done }: Simulation): string {
  const { buffer, byteOffset } = effects.extra;
  const bytes = Buffer.from(buffer, byteOffset, effectsBytes(effects.count, effects.doubles));
  const schema = 'inferpath/failures-checkpoint@1';
  return `${JSON.stringify({ schema, question: fingerprint(question), done, effects: bytes.toString('base64') })}\n`;
}

/** The simulation that a text holds, or why it cannot be gone on with. */
export function readCheckpoint(
  text: string,
  question: Question,
  sources: readonly number[],
): Simulation | { error: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { error: 'is no JSON' };
  }
  const parsed = checkpoint.safeParse(json);
  if (!parsed.success) return { error: 'is no checkpoint of plan failures' };
  const { done, effects } = parsed.data;
  if (parsed.data.question !== fingerprint(question)) return { error: 'belongs to another network or other flags' };
  const bytes = Buffer.from(effects, 'base64');
  const { count } = question.table;
  const asked = new Set(sources);
  if (
    bytes.length !== effectsBytes(count, question.doubles) ||
    new Set(done).size !== done.length ||
    done.some((v) => !asked.has(v))
  )
    return { error: 'is damaged' };
  const room = new ArrayBuffer(bytes.length);
  new Uint8Array(room).set(bytes);
  return { done, effects: makeEffects(count, question.doubles, room) };
}

/** Whatever changes a number of the result changes this. */
function fingerprint({ graph, table, isEnd, limit, doubles }: Question): string {
  const hash = createHash('sha256');
  const { links, nodes } = table;
  const columns = [graph.from, graph.to, graph.length, links.offset, links.item, nodes.offset, nodes.item, isEnd];
  for (const column of columns) hash.update(`${column.length} `).update(column);
  return hash.update(`${graph.nodes} ${limit} ${doubles}`).digest('hex');
}
