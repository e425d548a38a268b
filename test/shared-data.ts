import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where a file or folder of the reference data lies: `shared/data` beside the project or above it. Other people's data with
 * licences of their own, so it is not part of the project; null where it is absent, and tests then skip.
 */
export function sharedData(path: string): string | null {
  const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
  for (let folder = projectRoot; ; folder = dirname(folder)) {
    const found = join(folder, '..', 'shared', 'data', path);
    if (existsSync(found)) return found;
    if (dirname(folder) === folder) return null;
  }
}
