import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts the worker whose file stands beside its caller: `.js` when built, `.ts` when run from source (tsx, vitest). Node 20
 * cannot load TypeScript in a worker by a flag, so there the loader is registered inside the worker first.
 * @param base `import.meta.url` of the caller
 * @param path relative path without extension, e.g. `./kernel.worker`
 */
export function startWorker(base: string, path: string, options: WorkerOptions): Worker {
  const fromSource = base.endsWith('.ts');
  const url = new URL(`${path}${fromSource ? '.ts' : '.js'}`, base);
  if (!fromSource) return new Worker(url, { ...options, execArgv: [] });
  const loader = new URL('dist/esm/api/index.mjs', pathToFileURL(createRequire(base).resolve('tsx/package.json')));
  const code = `import(${JSON.stringify(loader.href)}).then(({ register }) => { register(); return import(${JSON.stringify(url.href)}); });`;
  return new Worker(code, { ...options, execArgv: [], eval: true });
}
