// Brings a checkout from whatever state it is in to "installed and built", doing only what is missing. Nothing goes to
// stdout: that belongs to the program that runs afterwards. Plain JavaScript without dependencies, because it runs before
// anything is installed, and without new syntax, because it must say "Node is too old" on an old Node.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('..', import.meta.url));
/** In a program of its own, because esbuild is not there before the installation. */
const bundler = fileURLToPath(new URL('bundle.mjs', import.meta.url));
const oldestNode = { major: 20, minor: 19 };

/** What stopped the preparation, in words for the user; printed without a stack. */
export class PrepareError extends Error {}

/**
 * Checks Node, installs and builds what is out of date.
 * @param {string} root the checkout; another one in tests
 * @returns {{ installed: boolean, built: boolean }} what had to be done
 * @throws {PrepareError} Node too old, install or build failed
 */
export function prepare(root = checkout) {
  checkNode(process.versions.node);
  const installed = !isInstalled(root);
  if (installed) install(root);
  return { installed, built: build(root) };
}

/** @param {string} version as in process.versions.node */
export function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldestNode.major || (major === oldestNode.major && minor >= oldestNode.minor)) return;
  throw new PrepareError(
    `Node ${version} is too old: inferpath needs Node ${oldestNode.major}.${oldestNode.minor} or newer (https://nodejs.org/en/download)`,
  );
}

/**
 * Compares the lockfile with npm's own record of what it put into node_modules, which npm writes last. A stamp of ours
 * would not notice an `npm install` by hand, nor an installation that was interrupted.
 * @param {string} root
 */
export function isInstalled(root) {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  return Object.keys(wanted).every((path) => {
    if (path === '') return true;
    // Optional packages are mostly binaries for other platforms, which npm leaves out.
    if (!present[path]) return wanted[path].optional === true;
    return present[path].version === wanted[path].version && present[path].integrity === wanted[path].integrity;
  });
}

/** @param {string} root */
function install(root) {
  say('installing dependencies (npm install) …');
  // No package here needs its install script: koffi's and esbuild's binaries come inside packages of their own.
  // Not `npm ci`, which refuses a lock file that lacks another platform's optional binary (docs/dependencies.md).
  const args = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--include=dev',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
  ];
  const npmScript = process.env['npm_execpath'];
  const status =
    npmScript && /\.c?js$/.test(npmScript)
      ? run(root, process.execPath, [npmScript, ...args])
      : run(root, process.platform === 'win32' ? 'npm.cmd' : 'npm', args, process.platform === 'win32');
  if (status !== 0)
    throw new PrepareError('npm install failed: see its messages above; it needs the npm registry or a full npm cache');
}

/**
 * @param {string} root
 * @returns {boolean} whether a build was needed
 */
function build(root) {
  const stamp = buildStamp(root);
  if (stampOf(join(root, 'dist')) === stamp) return false;
  say('building …');
  // Built beside the old one and swapped in when complete, so that a failed or interrupted build leaves no half `dist`.
  const next = join(root, `dist.${process.pid}`);
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    if (run(root, process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', next]) !== 0)
      throw new PrepareError('the build failed: see the messages of tsc above');
    if (run(root, process.execPath, [bundler, next]) !== 0)
      throw new PrepareError('the build failed: see the messages of esbuild above');
    writeFileSync(join(next, '.stamp'), stamp);
    swapIn(next, join(root, 'dist'), stamp);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
  return true;
}

/**
 * @param {string} next
 * @param {string} dist
 * @param {string} stamp
 */
function swapIn(next, dist, stamp) {
  const old = `${next}.old`;
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(next, dist);
  } catch (error) {
    // Somebody else built at the same time; theirs is as good when it is of the same source.
    if (stampOf(dist) !== stamp) throw error;
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}

/** @param {string} dist */
function stampOf(dist) {
  const file = join(dist, '.stamp');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/**
 * A hash of everything that decides what the build produces: by content, since git gives every file a new mtime.
 * @param {string} root
 */
function buildStamp(root) {
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  const inputs = [...settings.map((name) => join(root, name)), bundler];
  const hash = createHash('sha256');
  for (const file of [...inputs, ...sources(join(root, 'src'))])
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

/**
 * Every file below `folder` that is built, in a fixed order.
 * @param {string} folder
 * @returns {string[]}
 */
function sources(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sources(path);
      return /\.(test|case)\.ts$/.test(entry.name) ? [] : [path];
    });
}

/**
 * Runs to the end with both outputs on our stderr.
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 */
function run(cwd, command, args, shell = false) {
  const result = spawnSync(command, args, { cwd, shell, stdio: ['ignore', 2, 2] });
  if (result.error) throw new PrepareError(`cannot run ${command}: ${result.error.message}`);
  return result.status;
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`inferpath: ${text}\n`);
}

/**
 * Calls `main` and turns a PrepareError into one line and `exitCode`.
 * @param {() => void | Promise<void>} main
 * @param {number} exitCode
 */
export async function guarded(main, exitCode) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    say(error.message);
    process.exitCode = exitCode;
  }
}
