// Mutated packets and files through the whole of `inferpath capture`: no crash, no hang, no growing memory. See README.md.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { forms, throughCommand } from '../../test/fixtures/capture-fuzz.ts';
import { drawFrom, madeUp, mutantOf, type Pack, packsOf } from '../../test/fixtures/capture-mutants.ts';
import { sharedData } from '../../test/shared-data.ts';

const wanted = Number(process.argv[2] ?? 100_000);
const firstSeed = Number(process.argv[3] ?? 1);
/** Longer than this for a file of some hundred packets is a hang, on any machine. */
const patienceMs = 10_000;

const sources: { name: string; packs: Pack[] }[] = [];
for (const folder of ['captures/public', 'captures/truth'].map(sharedData))
  for (const name of folder === null ? [] : readdirSync(folder).filter((one) => /\.pcap(ng)?(\.gz)?$/.test(one))) {
    const file = readFileSync(join(folder!, name));
    const packs = packsOf(name.endsWith('.gz') ? gunzipSync(file) : file, 5000);
    if (packs.length > 0) sources.push({ name, packs });
  }
const fixture = new URL('../../test/fixtures/captures/lost-and-late.pcapng.gz', import.meta.url);
sources.push({ name: 'lost-and-late', packs: packsOf(gunzipSync(readFileSync(fixture))) });

const totals = { files: 0, packets: 0, changed: 0, broken: 0, faults: 0, slowestMs: 0, slowest: '' };
const codes: Record<number, number> = {};
const begun = performance.now();
let toldAt = 0;
for (let seed = firstSeed; totals.changed + totals.broken < wanted; seed++) {
  const draw = drawFrom(seed);
  const pick = draw(sources.length + 4);
  const { name, packs } = sources[pick] ?? { name: 'made up', packs: madeUp(draw, 400) };
  const mutant = mutantOf(packs, draw);
  const form = forms[draw(forms.length)]!;
  const { elapsedMs, code, fault } = await throughCommand(mutant.file, form, draw);
  totals.files += 1;
  totals.packets += mutant.packets;
  totals.changed += mutant.changed;
  totals.broken += mutant.isBroken ? 1 : 0;
  codes[code] = (codes[code] ?? 0) + 1;
  if (elapsedMs > totals.slowestMs) [totals.slowestMs, totals.slowest] = [elapsedMs, `seed ${seed}, ${name}`];
  if (fault !== null || elapsedMs > patienceMs) {
    totals.faults += 1;
    const kept = join(tmpdir(), `capture-fuzz-${seed}`);
    writeFileSync(kept, mutant.file);
    console.log(
      `seed ${seed}, ${name}, ${form.join(' ')}: ${fault ?? `took ${elapsedMs.toFixed(0)} ms`}; kept as ${kept}`,
    );
  }
  if (performance.now() - toldAt < 10_000) continue;
  toldAt = performance.now();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const mb = (octets: number) => `${(octets / 1e6).toFixed(0)} MB`;
  console.error(
    `${totals.changed + totals.broken} mutated, heap ${mb(heapUsed)}, external ${mb(external)}, RSS ${mb(rss)}, ${totals.faults} faults`,
  );
}
console.log(JSON.stringify({ ...totals, codes, seconds: Math.round((performance.now() - begun) / 1000) }));
process.exitCode = totals.faults > 0 ? 1 : 0;
