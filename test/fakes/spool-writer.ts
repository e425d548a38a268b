import { durableFiles } from '../../src/wire/durable-files.ts';
import { Spool } from '../../src/serve/agent/spool.ts';

/**
 * A process that fills a spool until it is killed, and tells on stdout what it was promised (`+ key`) and what it has handed over
 * (`- key`). Argument: directory, number of this life.
 */
const [, , directory = '', life = ''] = process.argv;
const spool = await Spool.open(durableFiles, directory, {
  maxBytes: 1e9,
  maxMemoryBytes: 1e9,
  maxQuarantineBytes: 1e9,
});
for (let n = 0; ; n++) {
  const key = `life-${life}.${String(n).padStart(6, '0')}`;
  const payload = Buffer.alloc(2000 + (n % 7) * 900, n & 0xff);
  const where = await spool.append({ key, samples: n + 1, encoding: 'identity', payload });
  process.stdout.write(`${where === 'durable' ? '+' : '?'} ${key}\n`);
  if (n % 3 !== 2) continue;
  const entry = spool.take();
  if (!entry) continue;
  const batch = await spool.read(entry);
  // Told before it is removed, as a server would know of it before the agent does.
  process.stdout.write(`${batch ? '-' : '!'} ${entry.key}\n`);
  await spool.acknowledge(entry);
}
