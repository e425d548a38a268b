import { resolve } from 'node:path';
import { fileOf } from '../../src/wire/open-file.ts';
import type { Io, OpenFile, ResolvedAddress, TerminalHold } from '../../src/wire/io.ts';
import { openTransport } from '../../src/wire/tcp/open.ts';

/** What a test may choose about the outside world; everything else is quiet and empty. */
export interface FakeIoOptions {
  platform?: string;
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** path → text; relative ones to `cwd`. */
  files?: Record<string, string>;
  /** Lines that `terminal.ask` gets, in order; null and past the end mean end of input. */
  answers?: readonly (string | null)[];
  /** host → addresses; an unknown host rejects with ENOTFOUND. */
  hosts?: Record<string, readonly ResolvedAddress[]>;
  /** What `terminal.input` gives. */
  stdin?: string | Uint8Array;
  /** When files were last written; default: a minute before the wall clock at the start. */
  modifiedMs?: number;
  /** address → PTR names; an unknown address rejects with ENOTFOUND. */
  ptr?: Record<string, readonly string[]>;
  stdinIsTty?: boolean;
  stdoutIsTty?: boolean;
  columns?: number;
  rows?: number;
  colors?: boolean;
  /** Seed of `random`; the same seed gives the same numbers and ids. */
  seed?: number;
  /** Wall clock at the start, ms since the epoch. */
  wallMs?: number;
  /** Sleep for real instead of jumping the clock; for tests with real sockets. */
  realClock?: boolean;
}

export interface FakeIo extends Io {
  /** Everything written to stdout and stderr so far. */
  stdout(): string;
  stderr(): string;
  /** Files as they are now. */
  written: Map<string, string>;
  /** Questions that were asked. */
  asked: string[];
  /** Moves the fake clock forward. */
  advance(ms: number): void;
  /** What Ctrl-C does. */
  interrupt(): void;
  /** Presses a key; nobody hears it while the terminal is not taken over. */
  press(key: string): void;
  resize(columns: number, rows: number): void;
  /** Whether somebody has taken the terminal over and not given it back. */
  isTakenOver(): boolean;
}

/** An `Io` without an outside world: captured output, files in memory, scripted answers, seeded random, a clock that jumps. */
export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const { answers = [], hosts = {}, seed = 1, wallMs = Date.UTC(2026, 0, 2, 3, 4, 5), realClock = false } = options;
  const [out, err, asked]: [string[], string[], string[]] = [[], [], []];
  const written = new Map(Object.entries(options.files ?? {}));
  const cwd = options.cwd ?? '/home/test';
  /** The key that a path is stored under, whichever way either was written. */
  const stored = (path: string) =>
    written.has(path) ? path : ([...written.keys()].find((key) => resolve(cwd, key) === resolve(cwd, path)) ?? path);
  const stop = new AbortController();
  const next = mulberry32(seed);
  let nowMs = 0;
  let size = { columns: options.columns ?? 80, rows: options.rows ?? 24 };
  let held: TerminalHold | null = null;
  // The scale of kernel stamps: CLOCK_MONOTONIC, not the time since this process began.
  const realMs = () => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  };
  const startedMs = realMs();
  return {
    platform: options.platform ?? 'linux',
    env: options.env ?? {},
    cwd,
    clock: {
      monoMs: () => (realClock ? realMs() : nowMs),
      wallMs: () => wallMs + (realClock ? realMs() - startedMs : nowMs),
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        if (realClock) await realSleep(ms, signal);
        else {
          nowMs += ms;
          await new Promise((done) => setImmediate(done));
        }
        signal?.throwIfAborted();
      },
    },
    random: { next, uuid: () => fakeUuid(next) },
    fs: {
      readText: (path, maxBytes = Infinity) => {
        const text = written.get(stored(path));
        if (text === undefined) return Promise.reject(noSuchFile(path));
        if (Buffer.byteLength(text) > maxBytes) return Promise.reject(new RangeError(`larger than ${maxBytes} bytes`));
        return Promise.resolve(text);
      },
      writeText: (path, text) => {
        written.set(stored(path), text);
        return Promise.resolve();
      },
      writePrivate: (path, text) => {
        written.set(stored(path), text);
        return Promise.resolve();
      },
      makeFolder: () => Promise.resolve(),
      exists: (path) => Promise.resolve(written.has(stored(path))),
      openRead: (path, from = 0) => {
        const text = written.get(stored(path));
        return text === undefined
          ? Promise.reject(noSuchFile(path))
          : Promise.resolve(openedOctets(Buffer.from(text).subarray(from)));
      },
      sizeOf: (path) => {
        const text = written.get(stored(path));
        return text === undefined ? Promise.reject(noSuchFile(path)) : Promise.resolve(Buffer.byteLength(text));
      },
      modifiedMs: (path) =>
        written.has(stored(path))
          ? Promise.resolve(options.modifiedMs ?? wallMs - 60_000)
          : Promise.reject(noSuchFile(path)),
    },
    sockets: {
      openTcp: ({ tap }) => openTransport({ platform: options.platform ?? process.platform, tap, monoMs: realMs }),
    },
    dns: {
      lookup: (host, family) => {
        const found = (hosts[host] ?? []).filter((a) => family === undefined || a.family === family);
        return found.length > 0 ? Promise.resolve([...found]) : Promise.reject(noSuchHost(host));
      },
      reverse: (address) => {
        const names = options.ptr?.[address];
        return names ? Promise.resolve([...names]) : Promise.reject(noSuchHost(address));
      },
    },
    terminal: {
      out: (text) => out.push(text),
      flushed: () => Promise.resolve(),
      openInput: () => openedOctets(Buffer.from(options.stdin ?? '')),
      err: (text) => err.push(text),
      stdoutIsTty: options.stdoutIsTty ?? false,
      stderrIsTty: options.stdoutIsTty ?? false,
      stdinIsTty: options.stdinIsTty ?? false,
      get columns() {
        return size.columns;
      },
      get rows() {
        return size.rows;
      },
      colors: options.colors ?? false,
      ask: (question) => Promise.resolve(answers[asked.push(question) - 1] ?? null),
      takeOver: (hold) => {
        if (held) throw new Error('the terminal is taken over already');
        held = hold;
        err.push(hold.enter);
        return () => {
          if (held !== hold) return;
          held = null;
          err.push(hold.leave);
        };
      },
    },
    signals: { interrupted: stop.signal, onHangUp: () => undefined },
    log: {
      debug: () => undefined,
      warn: (message) => err.push(`warning: ${message}\n`),
      error: (message) => err.push(`error: ${message}\n`),
    },
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    written,
    asked,
    advance: (ms) => {
      nowMs += ms;
    },
    press: (key) => held?.key?.(key),
    resize: (columns, rows) => {
      size = { columns, rows };
      held?.redraw();
    },
    isTakenOver: () => held !== null,
    interrupt: () => stop.abort(new DOMException('interrupted', 'AbortError')),
  };
}

function realSleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** Small seeded generator (public-domain algorithm by Tommy Ettinger): 32 bits of state, uniform in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function fakeUuid(next: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(next() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function noSuchFile(path: string): NodeJS.ErrnoException {
  const error = new Error(`ENOENT: no such file or directory, open '${path}'`);
  return Object.assign(error, { code: 'ENOENT', syscall: 'open', path });
}

function noSuchHost(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
}

/** A file that has these octets. */
export function openedOctets(octets: Uint8Array): OpenFile {
  return fileOf(
    (async function* () {
      yield await Promise.resolve(octets);
    })(),
  );
}
