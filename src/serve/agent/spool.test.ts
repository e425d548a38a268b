import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeDisk } from '../../../test/fakes/durable-files.ts';
import { type EncodedBatch, encodeBatchFile } from './batch-file.ts';
import { type Appended, Spool, type SpoolEntry, type SpoolLimits } from './spool.ts';

const roomy: SpoolLimits = { maxBytes: 1e9, maxMemoryBytes: 1e9, maxQuarantineBytes: 1e9 };
const makeBatch = (n: number, octets = 50): EncodedBatch => ({
  key: `agent-1.${String(n).padStart(6, '0')}`,
  samples: n + 1,
  encoding: 'identity',
  payload: Buffer.alloc(octets, n & 0xff),
});
const sizeOf = (octets = 50) => encodeBatchFile(makeBatch(0, octets)).length;

/** Takes everything, oldest first. */
async function drain(spool: Spool): Promise<EncodedBatch[]> {
  const all: EncodedBatch[] = [];
  for (let entry = spool.take(); entry; entry = spool.take()) {
    const batch = await spool.read(entry);
    if (batch) all.push(batch);
  }
  return all;
}
const keysOf = (batches: readonly { key: string }[]) => batches.map(({ key }) => key);
const settled = () => new Promise<void>((done) => setImmediate(done));

describe('spool', () => {
  test('gives back what was put in, oldest first, also after it was opened again', async () => {
    const disk = fakeDisk();
    const spool = await Spool.open(disk, '/spool', roomy);
    for (let n = 0; n < 5; n++) expect(await spool.append(makeBatch(n))).toBe('durable');
    const again = await Spool.open(disk, '/spool', roomy);
    expect(again.figures()).toMatchObject({ batches: 5, samples: 15, bytes: 5 * sizeOf(), memoryBatches: 0 });
    const all = await drain(again);
    expect(keysOf(all)).toEqual([0, 1, 2, 3, 4].map((n) => makeBatch(n).key));
    expect(Buffer.from(all[3]!.payload)).toEqual(Buffer.alloc(50, 3));
  });

  test('what was acknowledged is gone, what was put back comes again', async () => {
    const spool = await Spool.open(fakeDisk(), '/spool', roomy);
    for (let n = 0; n < 3; n++) await spool.append(makeBatch(n));
    const [first, second] = [spool.take()!, spool.take()!];
    await spool.acknowledge(second);
    spool.putBack(first);
    expect(keysOf(await drain(spool))).toEqual([makeBatch(0).key, makeBatch(2).key]);
  });

  test('when it is full the oldest whole batches go and are counted, but none that is on its way', async () => {
    const disk = fakeDisk();
    const limits = { ...roomy, maxBytes: 3 * sizeOf() };
    const spool = await Spool.open(disk, '/spool', limits);
    for (let n = 0; n < 3; n++) await spool.append(makeBatch(n));
    const onItsWay = spool.take()!;
    expect(await spool.append(makeBatch(3))).toBe('durable');
    expect(spool.figures().dropped).toEqual({ batches: 1, samples: 2 });
    spool.putBack(onItsWay);
    expect(keysOf(await drain(spool))).toEqual([0, 2, 3].map((n) => makeBatch(n).key));
    expect(await spool.append(makeBatch(4))).toBe('dropped');
    expect((await Spool.open(disk, '/spool', limits)).figures().dropped).toEqual({ batches: 2, samples: 2 + 5 });
  });

  test('a batch larger than the whole spool is dropped by itself', async () => {
    const spool = await Spool.open(fakeDisk(), '/spool', { ...roomy, maxBytes: 3 * sizeOf() });
    await spool.append(makeBatch(0));
    expect(await spool.append(makeBatch(1, 1000))).toBe('dropped');
    expect(keysOf(await drain(spool))).toEqual([makeBatch(0).key]);
  });

  test('on a full disk batches wait in memory, bounded, can be sent from there, and go to disk when there is room', async () => {
    const disk = fakeDisk();
    disk.capacity = sizeOf() + 50;
    const spool = await Spool.open(disk, '/spool', { ...roomy, maxMemoryBytes: 3 * sizeOf() });
    const answers: Appended[] = [];
    for (let n = 0; n < 6; n++) answers.push(await spool.append(makeBatch(n)));
    expect(answers).toEqual(['durable', 'memory', 'memory', 'memory', 'memory', 'memory']);
    expect(spool.figures()).toMatchObject({
      batches: 4,
      memoryBatches: 3,
      diskFault: 'ENOSPC',
      dropped: { batches: 2, samples: 2 + 3 },
    });
    await spool.acknowledge(spool.take()!);
    await spool.acknowledge(spool.take()!);
    disk.capacity = Infinity;
    await spool.flush();
    expect(spool.figures()).toMatchObject({ batches: 2, memoryBatches: 0, diskFault: null });
    expect(keysOf(await drain(await Spool.open(disk, '/spool', roomy)))).toEqual([4, 5].map((n) => makeBatch(n).key));
  });

  test('what the server refuses is kept apart with the reason, counted, and bounded', async () => {
    const disk = fakeDisk();
    const spool = await Spool.open(disk, '/spool', { ...roomy, maxQuarantineBytes: 2 * sizeOf() });
    for (let n = 0; n < 4; n++) await spool.append(makeBatch(n));
    for (let n = 0; n < 3; n++) await spool.quarantine(spool.take()!, `HTTP 422 number ${n}`);
    expect(spool.figures()).toMatchObject({ batches: 1, quarantined: { batches: 3, samples: 6 } });
    const kept = [...disk.contents()].filter(([path]) => path.includes('/quarantine/'));
    expect(kept.map(([path]) => path.endsWith('.txt'))).toEqual([false, true, false, true]);
    expect(kept[1]![1].toString()).toBe('HTTP 422 number 1\n');
  });

  test('a file that the medium has spoiled is kept apart, and those behind it go on', async () => {
    const disk = fakeDisk();
    const spool = await Spool.open(disk, '/spool', roomy);
    for (let n = 0; n < 3; n++) await spool.append(makeBatch(n));
    disk.spoil(
      [...disk.contents().keys()].find((path) => path.includes(makeBatch(1).key))!,
      40,
    );
    expect(keysOf(await drain(await Spool.open(disk, '/spool', roomy)))).toEqual([0, 2].map((n) => makeBatch(n).key));
  });

  test('an error of reading that may pass leaves the batch where it is', async () => {
    const disk = fakeDisk();
    const spool = await Spool.open(disk, '/spool', roomy);
    await spool.append(makeBatch(0));
    const read = disk.read;
    disk.read = () => Promise.reject(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }));
    const entry = spool.take()!;
    await expect(spool.read(entry)).rejects.toThrow('EMFILE');
    disk.read = read;
    expect((await spool.read(entry))?.key).toBe(makeBatch(0).key);
  });
});

type Step = { do: 'append'; octets: number } | { do: 'take' | 'acknowledge' | 'putBack' | 'quarantine' | 'flush' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), octets: fc.nat(120) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('take', 'acknowledge', 'acknowledge', 'putBack', 'quarantine', 'flush'),
    }),
  },
) as fc.Arbitrary<Step>;

/** What must be true of the spool, kept by nothing cleverer than sets of keys. */
interface Model {
  next: number;
  durable: Set<string>;
  memory: Set<string>;
  gone: Set<string>;
  refused: Set<string>;
  /** Asked for and not answered when the crash came: may be there or not. */
  open: Set<string>;
}

async function play(spool: Spool, steps: readonly Step[], model: Model, isDead: () => boolean): Promise<void> {
  const taken: SpoolEntry[] = [];
  for (const step of steps) {
    if (isDead()) return;
    if (step.do === 'append') {
      const batch = makeBatch(model.next++, step.octets);
      model.open.add(batch.key);
      const answer = await orDead(spool.append(batch), isDead);
      if (answer === dead) return;
      model.open.delete(batch.key);
      if (answer === 'durable') model.durable.add(batch.key);
      else if (answer === 'memory') model.memory.add(batch.key);
      continue;
    }
    if (step.do === 'take') {
      const entry = spool.take();
      if (entry) taken.push(entry);
      continue;
    }
    if (step.do === 'flush') {
      await orDead(spool.flush(), isDead);
      continue;
    }
    const entry = taken.shift();
    if (!entry) continue;
    if (step.do === 'putBack') spool.putBack(entry);
    else {
      (step.do === 'acknowledge' ? model.gone : model.refused).add(entry.key);
      await orDead(step.do === 'acknowledge' ? spool.acknowledge(entry) : spool.quarantine(entry, 'why'), isDead);
    }
  }
}

const dead = Symbol('dead');
/** A crashed disk never answers: that is how we see it. */
async function orDead<T>(work: Promise<T>, isDead: () => boolean): Promise<T | typeof dead> {
  const answers: T[] = [];
  void work.then((value) => answers.push(value));
  while (answers.length === 0 && !isDead()) await settled();
  return answers.length > 0 ? answers[0]! : dead;
}

describe('spool through crashes', () => {
  for (const loses of ['process', 'power'] as const)
    test(`no promised batch is lost, torn or doubled when the ${loses} dies between any two steps`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              steps: fc.array(step, { maxLength: 25 }),
              crashAfter: fc.nat(60),
              torn: fc.double({ min: 0, max: 1, noNaN: true }),
              kept: fc.double({ min: 0, max: 1, noNaN: true }),
              isFull: fc.boolean(),
            }),
            { minLength: 1, maxLength: 4 },
          ),
          async (lives) => {
            const disk = fakeDisk();
            const model: Model = {
              next: 0,
              durable: new Set(),
              memory: new Set(),
              gone: new Set(),
              refused: new Set(),
              open: new Set(),
            };
            for (const { steps, crashAfter, torn, kept, isFull } of lives) {
              const used = [...disk.contents().values()].reduce((sum, { length }) => sum + length, 0);
              disk.capacity = isFull ? used + 400 : Infinity;
              disk.crashAfter(crashAfter, torn);
              const spool = await orDead(Spool.open(disk, '/spool', roomy), () => disk.crashed);
              if (spool !== dead) await play(spool, steps, model, () => disk.crashed);
              disk.reboot(loses, kept);
              await expectKept(disk, model);
            }
          },
        ),
        { numRuns: 150 },
      );
    });

  test('every batch is sent, dropped or there: the count of the dropped is right whenever the process dies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.nat(300), async (appends, crashAfter) => {
        const disk = fakeDisk();
        const limits = { ...roomy, maxBytes: 4 * sizeOf() };
        disk.crashAfter(crashAfter);
        const spool = await orDead(Spool.open(disk, '/spool', limits), () => disk.crashed);
        let promised = 0;
        for (let n = 0; n < (spool === dead ? 0 : appends) && !disk.crashed; n++)
          if ((await orDead((spool as Spool).append(makeBatch(n)), () => disk.crashed)) === 'durable') promised++;
        disk.reboot('process');
        const { batches, dropped } = (await Spool.open(disk, '/spool', limits)).figures();
        // The one that was being written may be there without having been promised.
        expect(batches + dropped.batches - promised).toBeGreaterThanOrEqual(0);
        expect(batches + dropped.batches - promised).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });
});

async function expectKept(disk: ReturnType<typeof fakeDisk>, model: Model): Promise<void> {
  const spool = await Spool.open(disk, '/spool', roomy);
  const found = await drain(spool);
  const keys = keysOf(found);
  expect(new Set(keys).size, 'doubled').toBe(keys.length);
  expect(keys, 'out of order').toEqual(keys.toSorted());
  const quarantine = [...disk.contents().keys()].filter((path) => path.includes('/quarantine/')).join(' ');
  for (const key of model.durable)
    if (!model.gone.has(key))
      expect(keys.includes(key) || (model.refused.has(key) && quarantine.includes(key)), `lost ${key}`).toBe(true);
  const known = new Set([...model.durable, ...model.memory, ...model.open]);
  for (const batch of found) {
    expect(known.has(batch.key), `invented ${batch.key}`).toBe(true);
    const n = Number(batch.key.slice(-6));
    expect(Buffer.from(batch.payload)).toEqual(Buffer.alloc(batch.payload.length, n & 0xff));
  }
  // The next life begins with what is there; the takes of this look are forgotten with its spool.
  for (const key of keys) model.durable.add(key);
  model.memory.clear();
}
