import type { TcpTransport } from './tcp/connection.ts';

/**
 * Everything inferpath touches outside its own memory, as one value made once in the CLI and passed in. Nothing below
 * `cli/` reads `process`, the clock or a random source by itself, so a test of any command is a function call.
 */
export interface Io {
  /** `linux`, `darwin`, `win32` …, as Node names them. */
  platform: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Working directory: relative paths of a command are resolved against it. */
  cwd: string;
  clock: Clock;
  random: Random;
  fs: Files;
  dns: Resolver;
  sockets: Sockets;
  terminal: Terminal;
  signals: Signals;
  log: Log;
}

export interface Clock {
  /** CLOCK_MONOTONIC in milliseconds with sub-microsecond fraction; the only clock for durations. */
  monoMs(): number;
  /** Wall clock, milliseconds since the epoch; for `startedAt` only, never subtracted. */
  wallMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  uuid(): string;
}

export interface Files {
  /** UTF-8 text; rejects with a TypeError when it is not UTF-8, with a RangeError when it is larger than `maxBytes`. */
  readText(path: string, maxBytes?: number): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
  /** Text that only this user may read (mode 0600): old or new after a crash, never half, and on the disk when it resolves. */
  writePrivate(path: string, text: string): Promise<void>;
  /** Makes a folder that only this user may enter, and those above it; nothing when it exists. */
  makeFolder(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** A file or pipe from octet `from` on (default 0), for what may be larger than memory; `chunksOf` gives it piece by piece. */
  openRead(path: string, from?: number): Promise<OpenFile>;
  /** Octets of a file; null of what can be read and is none: a pipe, which has what comes and only once. */
  sizeOf(path: string): Promise<number | null>;
  /** When the file was last written, ms since the epoch. */
  modifiedMs(path: string): Promise<number>;
}

/** Octets for who brings the memory: what is read again and again into the same needs none of its own. */
export interface OpenFile {
  /** Reads on, into `memory`. @returns how many octets; 0: there are no more */
  read(memory: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

export interface ResolvedAddress {
  address: string;
  family: 4 | 6;
}

export interface Resolver {
  /** The operating system's resolver (getaddrinfo), as applications see it; no cache of ours. */
  lookup(host: string, family?: 4 | 6): Promise<ResolvedAddress[]>;
  /** PTR names of an address, one question to the system's DNS servers and two seconds of patience; rejects where there is none. */
  reverse(address: string): Promise<string[]>;
  /** Why nothing may be sent to an address, in this process; null where something may. Absent: there is no such rule. */
  refusal?(address: string): string | null;
}

export interface Sockets {
  /**
   * A way to make TCP connections, with the best stamps that this platform and these privileges give. The caller closes it.
   * @param options.tap also look at segment headers, where allowed: better evidence, more CPU per segment
   */
  openTcp(options: { tap: boolean }): TcpTransport;
}

export interface Terminal {
  /** Writes to stdout: results only. */
  out(text: string): void;
  /** Resolves when all that was written to stdout has left this process: for output larger than memory. */
  flushed(): Promise<void>;
  /** Writes to stderr: progress, warnings, errors. */
  err(text: string): void;
  stdoutIsTty: boolean;
  stderrIsTty: boolean;
  stdinIsTty: boolean;
  columns: number;
  /** Height in lines; 24 where there is no terminal. */
  rows: number;
  /** True only when stdout is a terminal and NO_COLOR is unset. */
  colors: boolean;
  /** One line typed by the user, without its line end; null at end of input. */
  ask(question: string): Promise<string | null>;
  /** Stdin, from where it stands. */
  openInput(): OpenFile;
  /**
   * Takes the terminal over until the returned function is called. However the process ends before that, the terminal gets
   * back what it was: `leave` is written and raw mode ends. For one holder at a time, and only where stderr is a terminal.
   */
  takeOver(hold: TerminalHold): () => void;
}

export interface TerminalHold {
  /** Written to stderr at the begin, and again after the process was stopped (Ctrl-Z) and continued. */
  enter: string;
  /** Written to stderr at the end. */
  leave: string;
  /** Every key by its name (`a`, `A`, `up`, `tab`, `enter`); absent: the keys stay with the terminal. Ctrl-C is none: it interrupts. */
  key?: (name: string) => void;
  /** The size changed, or somebody else may have written here: draw everything again. */
  redraw: () => void;
}

export interface Signals {
  /** Aborted at the first SIGINT or SIGTERM; a second one ends the process at once with 130. */
  interrupted: AbortSignal;
  /** Calls `listener` at every SIGHUP, which ends the process as long as nobody listens. */
  onHangUp(listener: () => void): void;
}

export interface Log {
  debug(message: string): void;
  warn(message: string): void;
  /** Somebody has to do something. */
  error(message: string): void;
}
