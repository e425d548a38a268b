// `store-writer FOLDER LIFE`: stores batches, commits documents and rolls up, all at once, until it
// is killed. Says each promise on a line of its own: `+ key` a batch that is stored, `= n` a counter that is committed.
import { writeSync } from 'node:fs';
import { columnsOf } from '../../src/store/columns.ts';
import { openStore } from '../../src/store/open.ts';

const [folder = '', life = '0'] = process.argv.slice(2);
const ROWS = 40;
const start = 1_700_000_000_000;

const { store, documents } = await openStore(
  folder,
  { clock: { wallMs: () => start } },
  {
    memoryLimitMb: 128,
    retention: { rawMs: 1e15, minutesMs: 1e15, hoursMs: 1e15 },
  },
);
const say = (line: string) => writeSync(1, `${line}\n`);

let n = 0;
async function storeBatches(lane: number): Promise<never> {
  for (;;) {
    const i = n++;
    const key = `life-${life}-lane-${lane}-${i}`;
    const samples = Array.from({ length: ROWS }, (_, row) => ({
      atMs: start + i * 1000 + row,
      endpoint: `endpoint-${row % 3}`,
      kind: 'tcp' as const,
      outcome: 'answered' as const,
      verdict: 'ok' as const,
      metrics: { rttMs: row },
      state: row === 0 ? `state ${i}` : null,
      detail: null,
    }));
    const batch = { key, agent: `agent-${lane}`, columns: columnsOf(samples) };
    const [result] = await store.append([batch]);
    if (result !== 'stored') say(`! ${key} was known`);
    say(`+ ${key}`);
    // What an agent does whose server died with the answer on its way.
    if (i % 7 === 0 && (await store.append([batch]))[0] !== 'duplicate') say(`! ${key} was forgotten`);
  }
}

async function count(): Promise<never> {
  for (;;) {
    const known = await documents.get('counter', 'one');
    const next = ((known?.body as number | undefined) ?? 0) + 1;
    const put = (id: string) => ({ put: { collection: 'counter', id, body: next }, version: known?.version ?? 0 });
    if (!(await documents.commit([put('one'), put('two')]))) say('! counter changed by nobody');
    say(`= ${next}`);
  }
}

async function maintain(): Promise<never> {
  // A clock that runs fast enough for all of it to be due each time.
  for (let nowMs = start; ; nowMs += 3_600_000) {
    await store.maintain(nowMs);
    await new Promise((done) => setTimeout(done, 5));
  }
}

say('ready');
await Promise.all([storeBatches(0), storeBatches(1), storeBatches(2), count(), maintain()]);
