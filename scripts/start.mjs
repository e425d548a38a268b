// `npm start [-- args]`: install and build what is out of date, then become the CLI.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { guarded, prepare } from './prepare.mjs';

const main = fileURLToPath(new URL('../dist/cli/inferpath.cjs', import.meta.url));
/** Exit code 3 of the CLI: could not measure. */
const couldNotMeasure = 3;

await guarded(() => {
  prepare();
  const given = process.argv.slice(2);
  // Without arguments: the embedded example, which ends with 0 because its verdicts are meant to differ.
  become([main, ...(given.length > 0 ? given : ['assess', '--demo'])]);
}, couldNotMeasure);

/** @param {string[]} args */
function become(args) {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  forward('SIGINT', child);
  forward('SIGTERM', child);
  forward('SIGHUP', child);
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
  });
}

/**
 * Ctrl-C in a terminal reaches the child by itself, and npm sends us a second copy: passing either on would look like
 * a second Ctrl-C, which means "stop at once". Without a terminal the first copy is passed on and its echoes are not.
 * @param {NodeJS.Signals} signal
 * @param {import('node:child_process').ChildProcess} child
 */
function forward(signal, child) {
  const fromTerminal = signal === 'SIGINT' && (process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  let lastMs = -Infinity;
  process.on(signal, () => {
    const echo = performance.now() - lastMs < 300;
    lastMs = performance.now();
    if (!fromTerminal && !echo) child.kill(signal);
  });
}
