import { access, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isatty } from 'node:tty';
import type { Clock, Files, Io, Log, Resolver, Signals, Terminal } from '../wire/io.ts';
import { openTransport } from '../wire/tcp/open.ts';
import { withoutSecrets } from '../model/secrets.ts';
import { exitCode } from './command.ts';
import { openStdin } from './stdin.ts';
import { takeOver } from './take-over.ts';

/** Largest text that is read when the caller gives no bound of its own. */
const maxTextBytes = 64 * 1024 * 1024;

/** A signal this soon after another one is the same wish. */
const echoMs = 300;

/**
 * Makes the one `Io` of this process. `finish` ends the process after stdout is flushed, whatever handles are still open.
 */
export function createIo(proc: NodeJS.Process): { io: Io; finish: (code: number) => void } {
  const stop = new AbortController();
  const closed = handleClosedStdout(proc, stop);
  const signals = handleSignals(proc, stop, () => clock.monoMs());
  const terminal = createTerminal(proc, closed, signals.interrupted);
  const io: Io = {
    platform: proc.platform,
    env: proc.env,
    cwd: proc.cwd(),
    clock,
    random: { next: Math.random, uuid: () => crypto.randomUUID() },
    fs: files(proc.cwd()),
    dns: resolver,
    sockets: {
      openTcp: ({ tap }) => openTransport({ platform: proc.platform, tap, monoMs: () => clock.monoMs() }),
    },
    terminal,
    signals,
    log: createLog(terminal, proc.env['INFERPATH_DEBUG'] === '1'),
  };
  const finish = (code: number) => {
    // Who closed our output early has seen enough: that is no failure of this run.
    const quiet = closed() && code === exitCode.interrupted;
    if (closed()) proc.exit(quiet ? exitCode.ready : code);
    else proc.stdout.write('', () => proc.stderr.write('', () => proc.exit(code)));
  };
  return { io, finish };
}

const clock: Clock = {
  monoMs: () => {
    // Seconds and nanoseconds apart, because one double loses nanoseconds after 104 days of uptime.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((done, fail) => {
      if (signal?.aborted) {
        fail(signal.reason as Error);
        return;
      }
      const abort = () => {
        clearTimeout(timer);
        fail(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        done();
      }, ms);
      signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** Files relative to `cwd`; text is UTF-8 and nothing else, so that a wrong file is told and not shown as garbage. */
export function files(cwd: string): Files {
  return {
    readText: (path, maxBytes = maxTextBytes) => readBounded(resolve(cwd, path), maxBytes),
    writeText: (path, text) => writeFile(resolve(cwd, path), text),
    writePrivate: (path, text) => writePrivate(resolve(cwd, path), text),
    makeFolder: async (path) => void (await mkdir(resolve(cwd, path), { recursive: true, mode: 0o700 })),
    exists: (path) =>
      access(resolve(cwd, path)).then(
        () => true,
        () => false,
      ),
    openRead: async (path, from = 0) => {
      const file = await open(resolve(cwd, path), 'r');
      // Without a place of its own the first read stands where the file was opened, and a pipe has no places.
      let at = from === 0 ? null : from;
      return {
        read: async (memory) => {
          const { bytesRead } = await file.read(memory, 0, memory.length, at);
          if (at !== null) at += bytesRead;
          return bytesRead;
        },
        close: () => file.close(),
      };
    },
    sizeOf: async (path) => {
      const found = await stat(resolve(cwd, path));
      return found.isFIFO() || found.isCharacterDevice() ? null : found.size;
    },
    modifiedMs: async (path) => (await stat(resolve(cwd, path))).mtimeMs,
  };
}

/** Written beside, flushed, swapped in; the folder is flushed, too, or a crash could undo the swap. */
async function writePrivate(path: string, text: string): Promise<void> {
  const beside = `${path}.${crypto.randomUUID()}`;
  try {
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  // Windows has no handles of folders.
  const folder = await open(dirname(path), 'r').catch(() => null);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function readBounded(path: string, maxBytes: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    // Read piecewise: devices and pipes have no size to ask for beforehand.
    while (size <= maxBytes) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024), 0, 64 * 1024);
      if (bytesRead === 0) return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
      chunks.push(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    throw new RangeError(`larger than ${maxBytes} bytes`);
  } finally {
    await handle.close();
  }
}

// Modules that not every command needs are loaded when they are: node:crypto, node:dns and node:readline take 10 to 20 ms.
const resolver: Resolver = {
  lookup: async (host, family) => {
    const { lookup } = await import('node:dns/promises');
    const found = await lookup(host, { all: true, verbatim: true, family: family ?? 0 });
    return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
  },
  reverse: async (address) => {
    const { Resolver: DnsResolver } = await import('node:dns/promises');
    return new DnsResolver({ timeout: 2000, tries: 1 }).reverse(address);
  },
};

/**
 * First SIGINT or SIGTERM asks the run to stop, the second one ends the process at once. One that follows the first
 * within 300 ms is its echo: what goes to the whole process group comes directly and once more through scripts/start.mjs,
 * and no finger is that fast.
 */
export function handleSignals(
  proc: Pick<NodeJS.Process, 'on' | 'exit'>,
  stop: AbortController,
  monoMs: () => number,
): Signals {
  let firstMs: number | undefined;
  const onSignal = () => {
    if (firstMs !== undefined && monoMs() - firstMs >= echoMs) proc.exit(exitCode.interrupted);
    firstMs ??= monoMs();
    stop.abort(new DOMException('interrupted', 'AbortError'));
  };
  proc.on('SIGINT', onSignal);
  proc.on('SIGTERM', onSignal);
  return { interrupted: stop.signal, onHangUp: (listener) => void proc.on('SIGHUP', listener) };
}

/** A reader that goes away (`| head`) stops the run as Ctrl-C does, so that everything is still cleaned up. */
function handleClosedStdout(proc: NodeJS.Process, stop: AbortController): () => boolean {
  let closed = false;
  proc.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
    stop.abort(new DOMException('stdout was closed', 'AbortError'));
  });
  proc.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return () => closed;
}

function createTerminal(proc: NodeJS.Process, closed: () => boolean, interrupted: AbortSignal): Terminal {
  const { stdout, stderr, env } = proc;
  return {
    out: (text) => {
      if (!closed()) stdout.write(text);
    },
    flushed: () => new Promise((done) => (closed() ? done() : stdout.write('', () => done()))),
    err: (text) => {
      stderr.write(text);
    },
    stdoutIsTty: isatty(stdout.fd),
    stderrIsTty: isatty(stderr.fd),
    // Not by the stream: it would begin to hold stdin as soon as it is asked for.
    stdinIsTty: isatty(0),
    get columns() {
      return stdout.columns ?? stderr.columns ?? (Number(env['COLUMNS']) || 80);
    },
    get rows() {
      return stdout.rows ?? stderr.rows ?? (Number(env['LINES']) || 24);
    },
    colors: wantsColors(env, isatty(stdout.fd)),
    ask: lineReader(proc, interrupted),
    openInput: () => openStdin(proc),
    takeOver: (hold) => takeOver(proc, hold),
  };
}

/** NO_COLOR (any value) beats FORCE_COLOR, which beats what the terminal is. */
export function wantsColors(env: Io['env'], isTty: boolean): boolean {
  if (env['NO_COLOR']) return false;
  const force = env['FORCE_COLOR'];
  if (force === undefined || force === '') return isTty && env['TERM'] !== 'dumb';
  return force !== '0' && force !== 'false';
}

/** Lines of stdin, one per question. One reader for all questions: a new one would lose what the old one had read ahead. */
function lineReader(proc: NodeJS.Process, interrupted: AbortSignal): Terminal['ask'] {
  let lines: AsyncIterator<string> | undefined;
  const stopped = new Promise<null>((done) => interrupted.addEventListener('abort', () => done(null), { once: true }));
  return async (question) => {
    proc.stderr.write(question);
    const { createInterface } = await import('node:readline');
    // Without terminal mode the kernel keeps turning Ctrl-C into SIGINT.
    lines ??= createInterface({ input: proc.stdin, terminal: false })[Symbol.asyncIterator]();
    const next = await Promise.race([lines.next(), stopped]);
    return next === null || next.done ? null : next.value;
  };
}

function createLog(terminal: Terminal, debug: boolean): Log {
  const tell = (level: string, message: string) => terminal.err(`${level}: ${withoutSecrets(message)}\n`);
  return {
    debug: (message) => {
      if (debug) tell('debug', message);
    },
    warn: (message) => tell('warning', message),
    error: (message) => tell('error', message),
  };
}
