import type { SampleKind } from '../../model/sample.ts';
import { mostFailures, type Run } from '../store.ts';
import { sliceOf } from './append.ts';
import type { Server } from './server.ts';
import { float } from './sql.ts';

/** How the newest results of each series went. Times twice by a batch that was sent twice are one failure. */
export async function runs(server: Server, sinceMs: number): Promise<Run[]> {
  const where = `slice >= ${sliceOf(sinceMs)} AND at_ms >= ${float(sinceMs)} AND verdict < 2`;
  const answer = await server.ask(
    `SELECT endpoint, agent, kind, max(at_ms), max(if(verdict = 0, at_ms, -inf)),
        arraySlice(arrayReverseSort(groupUniqArrayIf(at_ms, verdict = 1)), 1, ${mostFailures})
      FROM ${server.name('samples')} WHERE ${where} GROUP BY endpoint, agent, kind`,
  );
  const [endpoint, agent, kind] = [answer.texts(0), answer.texts(1), answer.texts(2)];
  const [last, ok, failures] = [answer.numbers(3), answer.numbers(4), answer.lists(5)];
  return Array.from({ length: answer.rows }, (_, i) => ({
    endpoint: endpoint[i]!,
    agent: agent[i]!,
    kind: kind[i] as SampleKind,
    lastMs: last[i]!,
    badMs: failures[i]!.filter((ms) => ms > ok[i]!).reverse(),
  }));
}
