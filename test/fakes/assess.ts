import { defineCommand, exitCode } from '../../src/cli/command.ts';
import { loadNetworkFile } from '../../src/cli/network-file.ts';

/** The part of `inferpath assess` that reads its network file. */
export const assessStandIn = defineCommand({
  name: 'assess',
  summary: 'Reads a network file.',
  about: 'Reads a network file.',
  positionals: { name: 'file', about: 'the network file', min: 1, max: 1 },
  flags: {},
  examples: [],
  run: async ({ positionals: [path = ''], io }) => {
    await loadNetworkFile(path, io);
    return exitCode.ready;
  },
});
