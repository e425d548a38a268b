import { mkdir, writeFile } from 'node:fs/promises';
import { startLab } from '../src/lab/lab.ts';
import { captures, captureTopology } from '../test/fixtures/outputs/commands.ts';

// Writes test/fixtures/outputs/debian/ again: runs every stock tool in the lab and keeps what it prints. Needs root (or a user
// namespace) and the tools; the addresses are the lab's own. `tsx scripts/capture-outputs.ts [name…]` runs only some.
const folder = new URL('../test/fixtures/outputs/debian/', import.meta.url);
/** Host and kernel of whoever captures are nobody's business. */
const NAMED = ['unshare', '--uts', 'sh', '-c', 'hostname client && exec "$@"', 'sh'];
const clean = (text: string) => text.replace(/("system_info":\s*)"[^"]*"/, '$1"Linux client"');
const wanted = process.argv.slice(2);
const io = {
  env: { ...process.env, LC_ALL: 'C.UTF-8' },
  cwd: process.cwd(),
  clock: {
    monoMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
  },
};

await mkdir(folder, { recursive: true });
const lab = await startLab(captureTopology, { io });
try {
  for (const { file, command, stderr, on = 'client' } of captures) {
    if (wanted.length > 0 && !wanted.includes(file)) continue;
    const ran = await lab.run(on, [...NAMED, ...command]);
    const text = clean(stderr ? ran.stderr : ran.stdout);
    if (text === '') console.error(`${file}: nothing printed, exit ${ran.code}: ${ran.stderr}`);
    else await writeFile(new URL(file, folder), text);
    console.log(`${file}: ${text.length} characters, exit ${ran.code}`);
  }
} finally {
  await lab.stop();
}
