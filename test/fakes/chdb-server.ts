import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A Python that has chdb: the one of .ci/run, or `CHDB_PYTHON`. */
const python = process.env['CHDB_PYTHON'] ?? join(homedir(), '.cache/inferpath-ci/linters/bin/python');

/** Why the engine of a current ClickHouse cannot be had; undefined where it can. */
export function whyNoChdb(): string | undefined {
  const { CI, INFERPATH_CI_LACKS: lacks = '' } = process.env;
  if (CI === 'true' && !lacks.split(' ').includes('chdb')) return undefined;
  const isThere = spawnSync(python, ['-c', 'import chdb']).status === 0;
  return isThere ? undefined : 'wants a Python with chdb-core, named by CHDB_PYTHON';
}

/** One server with the engine of a current ClickHouse. It has no users, and no other nodes. */
export async function chdbServer(): Promise<{ url: string; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-chdb-'));
  const script = fileURLToPath(new URL('chdb-server.py', import.meta.url));
  const child = spawn(python, [script, folder], { stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)));
  const over = once(child, 'exit').then(() => {
    throw new Error(`chdb ended: ${errors}`);
  });
  over.catch(() => undefined);
  const [port] = (await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), over])) as [string];
  return {
    url: `http://127.0.0.1:${port.trim()}`,
    close: async () => {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
