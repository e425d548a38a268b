// `--compat wireshark` and the decoder against tshark, packet by packet and field by field. See README.md.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sharedData } from '../../test/shared-data.ts';
import { compare, describe } from '../../test/compat/compare.ts';

const given = process.argv.slice(2);
const folder = process.env['CAPTURES'] ?? sharedData('captures/public');
if (given.length === 0 && folder === null)
  throw new Error('no captures: name files or set CAPTURES to a folder of them');
const isCapture = (name: string) => /\.(pcap|pcapng|cap|dmp)(\.gz)?$/.test(name);
const files =
  given.length > 0
    ? given
    : readdirSync(folder!, { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder!, name))
        .filter((name) => isCapture(name) && existsSync(name) && statSync(name).isFile())
        .sort();
const shown = Number(process.env['SHOW'] ?? 5);
const totals = { files: 0, packets: 0, tcp: 0, flags: 0, different: 0, filesDifferent: 0 };
for (const file of files) {
  const { packets, tcp, flags, differences, missing, read } = await compare(file);
  totals.files++;
  totals.packets += packets;
  totals.tcp += tcp;
  totals.flags += flags;
  totals.different += differences.length + missing;
  if (differences.length + missing === 0) continue;
  totals.filesDifferent++;
  console.log(
    `${file}: ${differences.length} of ${packets} packets differ, ${missing} missing; ${JSON.stringify(read.end)}`,
  );
  for (const difference of differences.slice(0, shown)) console.log(describe(difference));
}
console.log(JSON.stringify(totals));
