/** A program that does nothing but read a network file through the real Io, as `inferpath assess FILE` begins. */
import { createIo } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run.ts';
import { assessStandIn } from './assess.ts';

const { io, finish } = createIo(process);
finish(await runCli(['assess', ...process.argv.slice(2)], io, [assessStandIn]));
