import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A throw-away checkout with our scripts and settings and a source tree of one's own; the installed packages are
 * borrowed. Disposing of it removes it.
 */
export class MiniCheckout implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'inferpath-checkout-'));

  /** @param copied what to take from the repository, besides package.json and node_modules */
  constructor(copied: readonly string[]) {
    for (const name of ['package.json', ...copied])
      cpSync(join(repository, name), join(this.root, name), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), join(this.root, 'node_modules'));
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true });
      writeFileSync(this.path(name), text);
    }
  }

  /** Runs a command in it, to its end. */
  run(command: string, args: readonly string[]): Finished {
    return runIn(this.root, command, args);
  }

  /** Runs a tool of node_modules/.bin. */
  tool(name: string, args: readonly string[]): Finished {
    return runTool(this.root, name, args);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command in a folder, to its end. */
export function runIn(cwd: string, command: string, args: readonly string[]): Finished {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: cleanEnv(), encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Runs a tool of node_modules/.bin in a folder, to its end. */
export function runTool(cwd: string, name: string, args: readonly string[]): Finished {
  return runIn(cwd, join(repository, 'node_modules', '.bin', name), args);
}

/** The environment without what npm and vitest put there for us: it would steer the npm or vitest under test. */
export function cleanEnv(): NodeJS.ProcessEnv {
  const ours = /^(npm_|VITEST|TEST$|NODE_ENV$|CI$|DEV$|PROD$|MODE$|BASE_URL$|SSR$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
