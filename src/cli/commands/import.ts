import * as z from 'zod';
import { startImport, type ImportOptions, type ImportResult } from '../../gather/import.ts';
import { importers } from '../../gather/importers.ts';
import { offsetMinutes } from '../../gather/stamp.ts';
import { type ImportedFile, importFormats, type ImportWarning } from '../../model/import.ts';
import type { Observation } from '../../model/observation.ts';
import { printable } from '../../model/outcome.ts';
import { renderImportText } from '../../report/import-text.ts';
import { clip } from '../../report/ansi.ts';
import { plural } from '../../report/format.ts';
import type { Io } from '../../wire/io.ts';
import { bufferedOutput } from '../buffered-output.ts';
import { defineAction, defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { importTopology } from '../import-topology.ts';
import { version } from '../version.ts';
import { chunksOf } from '../../wire/open-file.ts';

const flags = {
  format: {
    schema: z.enum(importFormats).optional(),
    about: 'Read every file as this, without looking; default: found out for each file.',
    value: 'FORMAT',
  },
  from: {
    schema: z.string().min(1).optional(),
    about: 'Where it was measured; default: the file’s own words, else "unnamed".',
    value: 'NAME',
  },
  to: {
    schema: z.string().min(1).optional(),
    about: 'Name of the endpoint that was measured; default: the target as the file calls it.',
    value: 'NAME',
  },
  at: {
    schema: z.iso.datetime({ offset: true, local: false }).optional(),
    about:
      'When the measurement began, for output without times, ISO 8601 with zone; default: the file’s time as its end.',
    value: 'TIME',
    group: 'Time',
  },
  interval: {
    schema: z.coerce.number().positive().max(86_400).optional(),
    about: 'Time between two probes, s, for output without times; default: worked out where the file allows.',
    value: 'S',
    group: 'Time',
  },
  zone: {
    schema: z
      .string()
      .regex(/^(?:Z|UTC|[+-]\d{2}:?\d{2})$/, 'Z or an offset like +01:00')
      .default('Z'),
    about: 'Zone of times that name none, as +01:00; default Z.',
    value: 'OFFSET',
    group: 'Time',
  },
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema import).' },
};

const observations = defineAction({
  about:
    'Reads what the stock tools print and makes the same observations of it that inferpath’s own probes make, each saying where it ' +
    'came from. The format is found out by looking. Nothing is lost in silence: every line that is not understood is named.\n\n' +
    `Reads: ${importers.map(({ about }) => about).join('; ')}.`,
  positionals: { name: 'file…', about: 'Files with the output of one tool each; - is stdin', min: 1, max: 10_000 },
  flags,
  examples: [
    { line: 'ping -D -c 100 10.0.0.5 | inferpath import -', about: 'what ping prints, as it ends' },
    { line: 'inferpath import --to gateway --zone +01:00 ping-t.log', about: 'a Windows log with local times' },
    { line: 'inferpath import --json logs/*.txt > observations.json', about: 'many files, one document' },
  ],
  run: async ({ flags, positionals, io }) => runImport(flags, positionals, io),
});

export const importCommand = defineCommand({
  name: 'import',
  summary: 'Turn the output of ping, mtr, traceroute, fping and others into observations, and maps into network files',
  about: observations.about,
  whole: observations,
  actions: { topology: importTopology },
});

type Flags = FlagValues<typeof flags>;

/** What happened to one file: read, or why not. */
type Reading = ImportResult | { ok: false; error: string };

async function runImport(flags: Flags, paths: readonly string[], io: Io): Promise<ExitCode> {
  const files: ImportedFile[] = [];
  const warnings: ImportWarning[] = [];
  const mistakes: string[] = [];
  const output = observationList(flags.json, io);
  const live = liveImport(io);
  for (const path of paths) {
    if (io.signals.interrupted.aborted) break;
    const result = await readOne(path, flags, io, {
      observation: output.add,
      warning: (one) => warnings.push(one),
      progress: live.show,
    });
    if (result.ok) files.push(result.file);
    else if ('error' in result) mistakes.push(`Cannot read "${printable(path)}": ${result.error}`);
    else if (result.lines === 0) warnings.push({ file: path, line: null, message: 'is empty' });
    else mistakes.push(unrecognised(path, result));
  }
  live.end();
  const interrupted = io.signals.interrupted.aborted;
  if (flags.json) output.end({ files, warnings, interrupted });
  else if (files.length > 0 || warnings.length > 0)
    io.terminal.out(renderImportText(files, warnings, { columns: io.terminal.columns, colors: io.terminal.colors }));
  if (interrupted) return exitCode.interrupted;
  if (mistakes.length > 0)
    throw new UsageError(mistakes.join('\n'), `--format forces one of ${importFormats.join(', ')}`);
  return output.count() === 0 ? exitCode.couldNotMeasure : exitCode.ready;
}

function unrecognised(path: string, { nearest }: Extract<ImportResult, { ok: false }>): string {
  const guess = nearest
    ? `; nearest is ${nearest.format}, for ${nearest.why}`
    : '; nothing in it looks like any of the formats';
  return `Cannot recognise "${printable(path)}"${guess}`;
}

interface Handlers {
  observation(one: Observation): void;
  warning(one: ImportWarning): void;
  progress(path: string, bytes: number): void;
}

async function readOne(path: string, flags: Flags, io: Io, handlers: Handlers): Promise<Reading> {
  try {
    const reading = startImport(await optionsFor(path, flags, io), handlers);
    let bytes = 0;
    const file = path === '-' ? io.terminal.openInput() : await io.fs.openRead(path);
    for await (const chunk of untilInterrupted(chunksOf(file), io)) {
      reading.push(chunk);
      bytes += chunk.length;
      handlers.progress(path, bytes);
      await io.terminal.flushed();
    }
    return reading.end();
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function optionsFor(path: string, flags: Flags, io: Io): Promise<ImportOptions> {
  const { format, from, to, at, interval, zone } = flags;
  // A pipe ends now; a file ended when it was last written.
  const endMs = path === '-' ? io.clock.wallMs() : await io.fs.modifiedMs(path);
  return {
    name: path === '-' ? 'stdin' : path,
    clock: at === undefined ? { ms: endMs, of: 'end' } : { ms: Date.parse(at), of: 'start' },
    zoneMinutes: offsetMinutes(zone),
    ...(format === undefined ? {} : { format }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(interval === undefined ? {} : { intervalMs: interval * 1000 }),
  };
}

/** The pieces until the end or Ctrl-C, whichever is first: a pipe may be silent for ever. */
async function* untilInterrupted(chunks: AsyncIterable<Uint8Array>, io: Io): AsyncGenerator<Uint8Array> {
  const { interrupted } = io.signals;
  const iterator = chunks[Symbol.asyncIterator]();
  let stop: (ended: null) => void = () => undefined;
  const onAbort = () => stop(null);
  interrupted.addEventListener('abort', onAbort);
  try {
    while (!interrupted.aborted) {
      // A promise of its own for each piece: one for all would remember every race.
      const stopped = new Promise<null>((done) => (stop = done));
      const next = await Promise.race([iterator.next(), stopped]);
      if (next === null || next.done) return;
      yield next.value;
    }
  } finally {
    interrupted.removeEventListener('abort', onAbort);
  }
}

/** The observations of a JSON document, written as they come: there may be more of them than memory holds. */
function observationList(json: boolean, io: Io) {
  let count = 0;
  const output = bufferedOutput(io);
  if (json) output.write(`{"schema":"inferpath/import@1","version":${JSON.stringify(version)},"observations":[`);
  return {
    add: (one: Observation) => {
      count++;
      if (json) output.write(`${count === 1 ? '' : ','}\n${JSON.stringify(one)}`);
    },
    count: () => count,
    end: (rest: { files: ImportedFile[]; warnings: ImportWarning[]; interrupted: boolean }) => {
      output.write(`\n],${JSON.stringify(rest).slice(1)}\n`);
      output.flush();
    },
  };
}

/** How far a long file is, on a terminal, from the second second on. */
function liveImport(io: Io) {
  const beganMs = io.clock.monoMs();
  let drawnMs = beganMs + 900;
  let drawn = false;
  return {
    show: (path: string, bytes: number) => {
      const nowMs = io.clock.monoMs();
      if (!io.terminal.stderrIsTty || nowMs - drawnMs < 100) return;
      [drawnMs, drawn] = [nowMs, true];
      const line = `${printable(path, 60)}: ${plural(Math.round(bytes / 1e6), 'MB', 'MB')}`;
      io.terminal.err(`\r\u001b[2K${clip(line, Math.max(20, io.terminal.columns - 3))}`);
    },
    end: () => {
      if (drawn) io.terminal.err('\r\u001b[2K');
    },
  };
}
