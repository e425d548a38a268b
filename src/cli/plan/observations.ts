import * as z from 'zod';
import { type Observation, observation } from '../../model/observation.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';

const maxBytes = 256 * 1024 * 1024;
const document = z.object({ observations: z.array(observation) });

/**
 * Observations of the documents that `assess --json` and `import --json` print.
 * @throws UsageError naming the file and what is wrong with it
 */
export async function readObservations(files: readonly string[], io: Io): Promise<Observation[]> {
  const all: Observation[] = [];
  for (const file of files) all.push(...parse(file, await read(file, io)));
  return all;
}

async function read(file: string, io: Io): Promise<string> {
  try {
    return await io.fs.readText(file, maxBytes);
  } catch (error) {
    throw new UsageError(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parse(file: string, text: string): Observation[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`${file}: found no JSON; allowed: what inferpath assess --json or import --json prints`);
  }
  const parsed = document.safeParse(value);
  if (parsed.success) return parsed.data.observations;
  const [first] = parsed.error.issues;
  throw new UsageError(
    `${file}: ${first?.path.join('.') || 'document'}: ${first?.message ?? 'not understood'}; allowed: what inferpath assess --json or import --json prints`,
  );
}
