// `node scripts/bundle.mjs FOLDER` in a checkout: writes the JavaScript of the package into FOLDER; types are checked and
// declared by tsc. Bundled because start-up counts: file by file, Node needs longer to load the modules of a command, and the
// eighty of zod, than `ping` needs for ten thousand targets.
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [outdir = 'dist'] = process.argv.slice(2);
const zod = fileURLToPath(import.meta.resolve('zod'));

/** @type {import('esbuild').BuildOptions} */
const common = {
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Dependencies stay packages of their own: koffi is a binary, the others belong to few commands.
  packages: 'external',
  // Half the octets to parse, while names stay readable in a stack.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
};

// The command line: commands stay apart (commands/index.ts), what they share is in chunks. All lie in one folder, two levels
// below package.json like their source, so that paths from import.meta.url hold wherever code ends up.
await build({
  ...common,
  entryPoints: { 'cli/main': 'src/cli/main.ts' },
  splitting: true,
  chunkNames: 'cli/[name]-[hash]',
  alias: { zod },
});
copyFileSync(join(dirname(zod), 'LICENSE'), join(outdir, 'cli', 'zod.LICENSE'));
// What is called: it may not be bundled into a module.
copyFileSync('src/cli/inferpath.cjs', join(outdir, 'cli', 'inferpath.cjs'));

// Each thread in one file, so that starting it reads one.
const workers = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.worker.ts'));
await build({
  ...common,
  entryPoints: workers.map((path) => ({ in: join('src', path), out: join('cli', basename(path, '.ts')) })),
});

// The library leaves zod to whoever imports both, so that there is one.
if (existsSync('src/index.ts')) await build({ ...common, entryPoints: { index: 'src/index.ts' } });
