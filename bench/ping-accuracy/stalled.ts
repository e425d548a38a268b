/** `inferpath …` in a process whose event loop is blocked for 40 ms of every 50. */
import { createIo } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run.ts';

const STALL_MS = 40;
const stall = setInterval(() => {
  const until = performance.now() + STALL_MS;
  while (performance.now() < until);
}, STALL_MS + 10);
const { io, finish } = createIo(process);
const code = await runCli(process.argv.slice(2), io);
clearInterval(stall);
finish(code);
