import type { Connection } from '../../gather/connections/connection.ts';
import type { ConnectionReading } from '../../gather/connections/read.ts';
import { printable } from '../../model/outcome.ts';
import { hookOf, linesFor } from '../../secure/drift/judge.ts';
import { startObserving } from '../../secure/flows/observe.ts';
import { packetOf } from '../../secure/flows/packet.ts';
import { flowText } from '../../secure/flows/words.ts';
import type { PolicyMeaning } from '../../secure/policy/policy.ts';
import type { Io } from '../../wire/io.ts';
import { type FlagValues, UsageError } from '../command.ts';
import { openReading, type Seen, type seenFlags, sourceOf } from './seen-connections.ts';
import { chunksOf } from '../../wire/open-file.ts';

/** Formats that have a time on each line; lists of sockets are only known when they end. */
const growing = ['pfirewall', 'conntrack', 'flow-csv'];

type Flags = FlagValues<typeof seenFlags> & { json: boolean };

/**
 * Reads a log from its beginning and then what is added to it, until Ctrl-C. A log that has become shorter was put away, and is read from its
 * beginning again. Each kind of flow outside the policy is told once, when it is first seen.
 */
export async function followLog(file: string, meaning: PolicyMeaning, flags: Flags, io: Io): Promise<Seen> {
  const observing = startObserving();
  const told = new Set<string>();
  const tell = (one: Connection) => {
    const text = outsideText(one, meaning);
    if (text === null || told.has(text) || told.size >= 10_000) return;
    told.add(text);
    if (!flags.json) io.terminal.out(`${one.atMs === null ? '' : `${new Date(one.atMs).toISOString()}  `}${text}\n`);
  };
  const watching = { ...observing, connection: (one: Connection) => (observing.connection(one), tell(one)) };
  const notes: string[] = [];
  let opened: { reading: ConnectionReading; told: string[] } | null = null;
  let at = 0;
  const finish = () => {
    if (!opened) return;
    observing.source(sourceOf(file, opened.reading.end()));
    notes.push(...opened.told);
    opened = null;
  };
  const { interrupted } = io.signals;
  while (!interrupted.aborted) {
    const size = await sizeWanted(file, io, opened === null && at === 0);
    if (size !== null && size < at) {
      finish();
      at = 0;
    }
    if (size !== null && size > at) {
      opened ??= await openReading(file, flags, io, watching);
      for await (const chunk of chunksOf(await io.fs.openRead(file, at))) {
        opened.reading.push(chunk);
        at += chunk.length;
      }
      const format = opened.reading.format();
      if (format !== null && !growing.includes(format))
        throw new UsageError(`--follow: found ${format}; allowed: ${growing.join(', ')}, which say when each line was`);
    }
    await io.clock.sleep(flags.interval * 1000, interrupted).catch(() => undefined);
  }
  finish();
  return { snapshot: observing.snapshot(), ownAddresses: [], notes, interrupted: true };
}

/** Null while the log is away, as it is for a moment when another one takes its place. @throws UsageError when it was never there */
async function sizeWanted(file: string, io: Io, isFirst: boolean): Promise<number | null> {
  try {
    return (await io.fs.sizeOf(file)) ?? 0;
  } catch (error) {
    if (!isFirst) return null;
    throw new UsageError(
      `Cannot read "${printable(file, 300)}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** What is said of a connection outside the policy; null of one inside it, or of which nobody knows. */
function outsideText(one: Connection, meaning: PolicyMeaning): string | null {
  const { direction, local, remote, protocol, state, translatedFrom } = one;
  if (!remote || direction === 'listen' || direction === 'unknown') return null;
  const [from, to] = direction === 'in' ? [remote, local] : [local, remote];
  const flow = { from: from.address, to: to.address, protocol, port: to.port };
  const packet = packetOf(flow);
  if (!packet) return null;
  const hook = hookOf({ direction, ...(translatedFrom ? { translatedFrom } : {}) });
  if (linesFor(packet, hook, meaning).length > 0) return null;
  return `${state === 'denied' ? 'kept out already' : 'would be denied '}  ${flowText(flow)}  ${hook}`;
}
