import { loadCommands } from '../../src/cli/commands/index.ts';
import { cliReference } from './cli.ts';
import { metricsReference } from './metrics.ts';
import { networkFileReference } from './network-file.ts';
import { workloadReference } from './workloads.ts';

/** Every generated page: path from the root of the repository → text. */
export async function referenceFiles(): Promise<Map<string, string>> {
  return new Map([
    ['docs/reference/cli.md', cliReference(await loadCommands())],
    ['docs/reference/metrics.md', metricsReference()],
    ['docs/reference/network-file.md', networkFileReference()],
    ['docs/reference/workloads.md', workloadReference()],
  ]);
}
