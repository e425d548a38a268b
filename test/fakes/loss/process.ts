import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** An end that nobody asked for. */
export interface Crash {
  name: string;
  words: string;
}

/** A program that is started again whenever it ends, as a service manager does, until it is stopped. */
export class Supervised {
  readonly name: string;
  readonly #args: () => readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #onCrash: (crash: Crash) => void;
  readonly #onLine: (line: string) => void;
  #child: ChildProcess | null = null;
  #isWanted = false;
  #ready: Promise<void> = Promise.resolve();
  /** What it said on stderr, all lives together; the end of it. */
  told = '';
  starts = 0;

  constructor(
    name: string,
    args: () => readonly string[],
    options: { env?: NodeJS.ProcessEnv; onCrash?: (crash: Crash) => void; onLine?: (line: string) => void } = {},
  ) {
    this.name = name;
    this.#args = args;
    this.#env = options.env ?? {};
    this.#onCrash = options.onCrash ?? (() => undefined);
    this.#onLine = options.onLine ?? (() => undefined);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it has said its first line, in this life or a later one. */
  start(): Promise<void> {
    this.#isWanted = true;
    this.#ready = new Promise((ready) => void this.#live(ready));
    return this.#ready;
  }

  /** Kills it and resolves when it is gone; it is not started again before `start`. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  async #live(ready: () => void): Promise<void> {
    while (this.#isWanted) {
      this.starts++;
      const child = spawn(process.execPath, this.#args(), {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...this.#env },
      });
      this.#child = child;
      let words = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-2000);
        this.told = (this.told + text).slice(-200_000);
      });
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        this.#onLine(text);
        ready();
      });
      await once(child, 'exit');
      if (!this.#isWanted) return;
      this.#onCrash({ name: this.name, words: `${child.exitCode ?? child.signalCode}: ${words.trim()}` });
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}
