/** A program that waits until it is told to stop, then takes its time to clean up: for tests of signals and pipes. */
import { defineCommand, exitCode } from '../../src/cli/command.ts';
import { createIo } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run.ts';

const wait = defineCommand({
  name: 'wait',
  summary: 'Wait.',
  about: 'Waits.',
  positionals: { name: 'how', about: 'clean, stuck, pour or ask', min: 1, max: 1 },
  flags: {},
  examples: [],
  run: async ({ positionals: [how], io }) => {
    if (how === 'ask') {
      const answers = [
        await io.terminal.ask('one? '),
        await io.terminal.ask('two? '),
        await io.terminal.ask('three? '),
      ];
      io.terminal.out(`${JSON.stringify(answers)}\n`);
      return exitCode.ready;
    }
    io.terminal.out('started\n');
    while (!io.signals.interrupted.aborted) {
      if (how === 'pour') io.terminal.out('more\n'.repeat(10_000));
      await io.clock.sleep(10, io.signals.interrupted).catch(() => undefined);
    }
    io.terminal.out('asked to stop\n');
    if (how === 'stuck') await io.clock.sleep(60_000);
    io.terminal.err('cleaned up\n');
    return exitCode.interrupted;
  },
});

const { io, finish } = createIo(process);
finish(await runCli(process.argv.slice(2), io, [wait]));
