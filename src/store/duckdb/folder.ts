import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes the data directory, for its owner alone, and says where the database in it lies. Straight through node:fs, like
 * the engine itself: what lies here is no file of the user's that a test could fake.
 */
export async function prepareFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return storeFile(folder);
}

/** Where the database of a folder lies. */
export const storeFile = (folder: string) => join(folder, 'inferpath.duckdb');
