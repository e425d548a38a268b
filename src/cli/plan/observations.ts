import * as z from 'zod';
import { type Observation, observation } from '../../model/observation.ts';
import type { Io } from '../../wire/io.ts';
import { readJsonInputs } from '../input-file.ts';

const input = {
  schema: z.object({ observations: z.array(observation) }),
  maxBytes: 256 * 1024 * 1024,
  allowed: 'what inferpath assess --json or import --json prints',
};

/**
 * Observations of the documents that `assess --json` and `import --json` print.
 * @throws UsageError naming each file and what is wrong with it
 */
export async function readObservations(files: readonly string[], io: Io): Promise<Observation[]> {
  return (await readJsonInputs(files, input, io)).flatMap(({ observations }) => observations);
}
