// Made-up conversations that are full of what the rules are about, by both. See README.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, describe } from '../../test/compat/compare.ts';
import { conversations } from '../../test/compat/conversations.ts';

const rounds = Number(process.argv[2] ?? 20);
const firstSeed = Number(process.argv[3] ?? 1);
const folder = mkdtempSync(join(tmpdir(), 'compat-'));
const totals = { packets: 0, tcp: 0, flags: 0, different: 0 };
for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
  const file = join(folder, `${seed}.pcap`);
  writeFileSync(file, conversations(seed));
  const { packets, tcp, flags, differences, missing } = await compare(file);
  totals.packets += packets;
  totals.tcp += tcp;
  totals.flags += flags;
  totals.different += differences.length + missing;
  if (differences.length > 0) console.log(`seed ${seed}: ${differences.length} of ${packets}, kept as ${file}`);
  else rmSync(file);
  for (const difference of differences.slice(0, 4)) console.log(describe(difference));
}
if (totals.different === 0) rmSync(folder, { recursive: true });
console.log(JSON.stringify(totals));
