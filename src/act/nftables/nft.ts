import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { printable } from '../../model/outcome.ts';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

const places = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft', '/usr/local/sbin/nft'];
const maxOutput = 64_000_000;
const patienceMs = 60_000;

/** Where nft is; null where it is not installed. PATH is not asked: what runs as root is not what a PATH says. */
export function findNft(): string | null {
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK);
      return place;
    } catch {
      continue;
    }
  }
  return null;
}

/** Runs a program with its words as they are (no shell), hands it `input`, and collects what it says, bounded in size and time. */
export function run(program: string, words: readonly string[], input = ''): Promise<Ran> {
  return new Promise((done) => {
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], timeout: patienceMs, env: { LC_ALL: 'C' } });
    const heard = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (heard[name].length < maxOutput) heard[name] += text;
      });
    child.once('error', (error) => done({ code: -1, stdout: '', stderr: error.message }));
    child.once('close', (code) => done({ code: code ?? -1, ...heard }));
    // A program that ends without reading all is told by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The kernel's rules as far as this needs them. */
export interface Nft {
  /** Whether the kernel would take the text; null, or nft's own words. */
  check(text: string): Promise<string | null>;
  /** Loads the text as one transaction; null, or nft's own words, and then nothing was changed. */
  load(text: string): Promise<string | null>;
  /** A table as nft prints it; null where there is none. @throws Error when the kernel cannot be asked */
  table(family: string, name: string): Promise<string | null>;
}

/** The rules of the network namespace that this process is in. */
export function nftOf(program: string): Nft {
  const take = async (words: readonly string[], text: string) => {
    const { code, stderr } = await run(program, [...words, '-f', '-'], text);
    return code === 0 ? null : printable(stderr.trim() || `nft ended with ${code}`, 2000);
  };
  return {
    check: (text) => take(['-c'], text),
    load: (text) => take([], text),
    table: async (family, name) => {
      const tables = await run(program, ['list', 'tables']);
      if (tables.code !== 0) throw new Error(`Cannot list tables: ${printable(tables.stderr.trim(), 300)}`);
      if (!tables.stdout.split('\n').includes(`table ${family} ${name}`)) return null;
      const { code, stdout, stderr } = await run(program, ['list', 'table', family, name]);
      if (code !== 0) throw new Error(`Cannot list table ${family} ${name}: ${printable(stderr.trim(), 300)}`);
      return stdout;
    },
  };
}
