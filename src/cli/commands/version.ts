import { defineCommand, exitCode } from '../command.ts';
import { version as number } from '../version.ts';

/** `inferpath version`: the same as `inferpath --version`. */
export const version = defineCommand({
  name: 'version',
  summary: 'Print the version of inferpath.',
  about: 'Prints the version of inferpath and nothing else.',
  flags: {},
  examples: [{ line: 'inferpath version', about: 'prints one line.' }],
  run: ({ io }) => {
    io.terminal.out(`inferpath ${number}\n`);
    return Promise.resolve(exitCode.ready);
  },
});
