import * as z from 'zod';
import { connectionFormats } from '../../gather/connections/connection.ts';
import { ownAddresses4, ownAddresses6 } from '../../gather/connections/own-addresses.ts';
import { type ConnectionReading, type ReadCounts, startReading } from '../../gather/connections/read.ts';
import { mistakeText } from '../../gather/topology/parsed.ts';
import { printable } from '../../model/outcome.ts';
import type { Snapshot } from '../../model/secure/snapshot.ts';
import { type Observing, startObserving } from '../../secure/flows/observe.ts';
import type { Io } from '../../wire/io.ts';
import { type FlagValues, UsageError } from '../command.ts';
import { counter, planProgress } from '../plan/progress.ts';
import { offsetMinutes } from '../../gather/stamp.ts';
import { chunksOf } from '../../wire/open-file.ts';

/** How connections are come by: from files, or from this host's own lists. */
export const seenFlags = {
  samples: {
    schema: z.coerce.number().int().min(1).max(1_000_000).default(1),
    about: 'Looks at the sockets of this host, where no file is given; default 1.',
    value: 'N',
    group: 'Looking',
  },
  interval: {
    schema: z.coerce.number().min(0.1).max(86_400).default(5),
    about: 'Time between two looks, s; default 5. Connections that are shorter can stay unseen.',
    value: 'S',
    group: 'Looking',
  },
  format: {
    schema: z.enum(connectionFormats).optional(),
    about: 'Of the files: taken without looking; default: found out.',
    value: 'FORMAT',
    group: 'Looking',
  },
  zone: {
    schema: z
      .string()
      .regex(/^(?:Z|UTC|[+-]\d{2}:?\d{2})$/, 'Z or an offset like +01:00')
      .default('Z'),
    about: 'Zone of times that name none (pfirewall.log), as +01:00; default Z.',
    value: 'OFFSET',
    group: 'Looking',
  },
} as const;

export interface Seen {
  snapshot: Snapshot;
  /** Addresses of this host, where it was looked at itself. */
  ownAddresses: string[];
  notes: string[];
  interrupted: boolean;
}

/** Looks at this host, or reads the files. @throws UsageError naming every file that cannot be read and every line that has nothing in it */
export function seeConnections(files: readonly string[], flags: FlagValues<typeof seenFlags>, io: Io): Promise<Seen> {
  return files.length === 0 ? lookHere(flags, io) : readFiles(files, flags, io);
}

async function readFiles(files: readonly string[], flags: FlagValues<typeof seenFlags>, io: Io): Promise<Seen> {
  const observing = startObserving();
  const notes: string[] = [];
  const problems: string[] = [];
  const live = planProgress(io, undefined);
  const progress = counter('files', io);
  for (const [i, file] of files.entries()) {
    if (io.signals.interrupted.aborted) break;
    live.show(progress(i, files.length));
    const { reading, told } = await openReading(file, flags, io, observing);
    try {
      for await (const chunk of chunksOf(file === '-' ? io.terminal.openInput() : await io.fs.openRead(file))) {
        if (io.signals.interrupted.aborted) break;
        reading.push(chunk);
      }
    } catch (error) {
      problems.push(`Cannot read "${printable(file, 300)}": ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    const counts = reading.end();
    observing.source(sourceOf(file, counts));
    if (counts.connections === 0 && counts.mistakes > 0) problems.push(...told.slice(0, 20));
    else notes.push(...told, ...moreMistakes(file, counts, told.length));
    if (counts.lines === 0) notes.push(`${printable(file, 300)}: is empty`);
  }
  live.end();
  if (problems.length > 0)
    throw new UsageError(problems.join('\n'), `--format forces one of ${connectionFormats.join(', ')}`);
  return { snapshot: observing.snapshot(), ownAddresses: [], notes, interrupted: io.signals.interrupted.aborted };
}

/** A reading whose mistakes, notes and gaps become lines that name the place. */
export async function openReading(
  file: string,
  flags: FlagValues<typeof seenFlags>,
  io: Io,
  observing: Observing,
): Promise<{ reading: ConnectionReading; told: string[] }> {
  const told: string[] = [];
  const name = file === '-' ? 'stdin' : file;
  const atMs = file === '-' ? io.clock.wallMs() : await io.fs.modifiedMs(file).catch(() => null);
  const context = {
    source: printable(name, 200),
    atMs,
    zoneMinutes: offsetMinutes(flags.zone),
    ...(flags.format === undefined ? {} : { format: flags.format }),
  };
  const place = (line: number) => `${printable(name, 300)}${line > 0 ? `:${line}` : ''}`;
  const reading = startReading(context, {
    connection: (one) => observing.connection(one),
    mistake: (one) => void told.push(mistakeText(name, one)),
    note: ({ line, message }) => void (told.length < 100 && told.push(`${place(line)}: ${message}`)),
    gap: ({ line, message }) => void (told.length < 100 && told.push(`${place(line)}: gap: ${message}`)),
  });
  return { reading, told };
}

function moreMistakes(file: string, { mistakes, lines }: ReadCounts, told: number): string[] {
  return mistakes > told ? [`${printable(file, 300)}: ${mistakes} of ${lines} lines were not understood`] : [];
}

export function sourceOf(
  name: string,
  { format, connections, mistakes, gaps }: ReadCounts,
): Snapshot['sources'][number] {
  return { name: name.slice(0, 300), format: format ?? 'none', connections, mistakes, gaps };
}

const lists = ['/proc/net/tcp', '/proc/net/tcp6', '/proc/net/udp', '/proc/net/udp6'] as const;

/** Looks at the sockets of this host, `samples` times; Ctrl-C ends the looking and keeps what was seen. */
async function lookHere(flags: FlagValues<typeof seenFlags>, io: Io): Promise<Seen> {
  if (io.platform !== 'linux')
    throw new UsageError(
      `Cannot look at the sockets of a system called ${io.platform}: it needs /proc/net of Linux`,
      'on Windows: Get-NetTCPConnection | Select-Object LocalAddress,LocalPort,RemoteAddress,RemotePort,State,OwningProcess,CreationTime | ConvertTo-Json > connections.json, then give that file',
    );
  const { samples, interval } = flags;
  const observing = startObserving(samples > 1 ? interval : null);
  const total = { name: '/proc/net', format: 'proc-net', connections: 0, mistakes: 0, gaps: 0 };
  const live = planProgress(io, undefined);
  const progress = counter('samples', io);
  const beganMs = io.clock.monoMs();
  const { interrupted } = io.signals;
  let taken = 0;
  while (taken < samples && !interrupted.aborted) {
    const counts = await lookOnce(io, observing);
    total.connections += counts.connections;
    total.mistakes += counts.mistakes;
    live.show(progress(++taken, samples));
    // By the clock and not after each other, so that the time a look takes does not stretch the interval.
    const restMs = beganMs + taken * interval * 1000 - io.clock.monoMs();
    if (taken < samples && restMs > 0) await io.clock.sleep(restMs, interrupted).catch(() => undefined);
  }
  live.end();
  observing.source(total);
  return {
    snapshot: observing.snapshot(),
    ownAddresses: await ownAddresses(io),
    notes: [],
    interrupted: interrupted.aborted,
  };
}

async function lookOnce(io: Io, observing: Observing): Promise<ReadCounts> {
  const texts = await Promise.all(lists.map((path) => io.fs.readText(path).catch(() => '')));
  if (texts.every((text) => text === ''))
    throw new UsageError(`Cannot read any of ${lists.join(', ')}: /proc is needed to look at the sockets of this host`);
  const reading = startReading(
    { source: '/proc/net', atMs: io.clock.wallMs(), zoneMinutes: 0, format: 'proc-net' },
    { connection: (one) => observing.connection(one) },
  );
  for (const text of texts) reading.push(new TextEncoder().encode(text));
  observing.sampled();
  return reading.end();
}

async function ownAddresses(io: Io): Promise<string[]> {
  const [trie, list] = await Promise.all(
    ['/proc/net/fib_trie', '/proc/net/if_inet6'].map((path) => io.fs.readText(path).catch(() => '')),
  );
  return [...ownAddresses4(trie ?? ''), ...ownAddresses6(list ?? '')];
}
