import { isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { sampleKind } from '../../model/sample.ts';
import { printable } from '../../model/outcome.ts';
import { fileFormat, type FileFormat, type StoreInfo, type StoreReport } from '../../model/store-report.ts';
import type { StoreFiles } from '../../store/files.ts';
import { isClickHouseError, isStoreBusy, openStore, storeFile } from '../../store/open.ts';
import type { Io } from '../../wire/io.ts';
import { connectDocuments, documentsFlag } from '../documents-place.ts';
import { storeFlag, storePlace } from '../store-place.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';

const actions = ['info', 'check', 'repair', 'export', 'import'] as const;
type Action = (typeof actions)[number];

const flags = {
  data: {
    schema: z.string().min(1).default('inferpath-data'),
    about: 'Data folder of `inferpath up` or `serve`; default inferpath-data.',
    value: 'DIR',
  },
  store: storeFlag,
  documents: documentsFlag,
  format: {
    schema: fileFormat.optional(),
    about: 'Format of the file: parquet, csv or jsonl; default by its name.',
    value: 'FORMAT',
  },
  from: {
    schema: z.iso.datetime({ offset: true }).optional(),
    about: 'Export from this time on, ISO 8601 with zone; default from the first.',
    value: 'TIME',
    group: 'What to export',
  },
  to: {
    schema: z.iso.datetime({ offset: true }).optional(),
    about: 'Export up to this time, without it; default up to the last.',
    value: 'TIME',
    group: 'What to export',
  },
  endpoint: {
    schema: z.string().min(1).optional(),
    about: 'Export samples of this endpoint only.',
    value: 'NAME',
    group: 'What to export',
  },
  agent: {
    schema: z.string().min(1).optional(),
    about: 'Export samples of this agent only.',
    value: 'NAME',
    group: 'What to export',
  },
  kind: {
    schema: sampleKind.optional(),
    about: `Export samples of this kind only: ${sampleKind.options.join(', ')}.`,
    value: 'KIND',
    group: 'What to export',
  },
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema store).' },
};
type Flags = FlagValues<typeof flags>;

export const storeCommand = defineCommand({
  name: 'store',
  summary: 'Look at, check, export and import what a server has stored',
  about:
    'Works on the data folder itself, while no server runs on it: info tells what is in it, check looks for contradictions, export ' +
    'writes samples to a file (Parquet, CSV, JSON lines), import stores them again, here or elsewhere, with the same ids: what is there ' +
    'already is not stored twice. With --store the samples are those in ClickHouse, and --documents, or the data folder, tells which roll-ups ' +
    'count; repair takes such a database over when that was lost.',
  positionals: { name: 'action', about: 'info, check, repair, export FILE or import FILE.', min: 1, max: 2 },
  flags,
  examples: [
    { line: 'inferpath store info', about: 'what is stored, since when, and how large it is' },
    {
      line: 'inferpath store check --data /var/lib/inferpath',
      about: 'whether it contradicts itself; exit code 1 if so',
    },
    {
      line: 'inferpath store export --from 2026-11-01T00:00:00Z november.parquet',
      about: 'for DuckDB, pandas and others',
    },
    {
      line: 'inferpath store check --store clickhouse://inferpath@db1:8123/inferpath --documents zookeeper://zk1:2181/inferpath',
      about: 'samples in ClickHouse, while the servers run',
    },
    { line: 'inferpath store import november.parquet --data other-data', about: 'into another store' },
  ],
  run: async ({ flags, positionals: [action = '', file], io }) => {
    const order = orderOf(action, file, flags, io);
    const place = await storePlace(flags.store, io);
    if (flags.documents && !place.clickhouse)
      throw new UsageError('--documents: found without --store; samples in the data folder have their documents there');
    const folder = join(isAbsolute(flags.data) ? flags.data : join(io.cwd, flags.data), 'store');
    if (
      needsFolder(order.action, place.clickhouse !== undefined) &&
      !flags.documents &&
      !(await io.fs.exists(storeFile(folder)))
    )
      throw new UsageError(
        `--data: there is no store in "${flags.data}"`,
        place.clickhouse
          ? 'which roll-ups count is in the data folder of the server (--data), or where --documents tells'
          : 'it is made by inferpath up, serve or store import',
      );
    const documents = flags.documents && (await connectDocuments(flags.documents, io));
    try {
      const options = { ...place, allowLostLedger: true, ...(documents && { documents }) };
      const opened = await openStore(folder, io, options).catch((error: unknown) => {
        if (isClickHouseError(error)) throw new UsageError(`--store: ${error.message}`);
        if (!isStoreBusy(error)) throw error;
        throw new UsageError(error.message, 'stop the server first, or ask it over its HTTP API');
      });
      try {
        return await work(order, opened.files, flags, io);
      } finally {
        await opened.close();
      }
    } finally {
      await documents?.close();
    }
  },
});

/** Whether there is nothing to work on without what the folder of a server holds. */
function needsFolder(action: Action, isElsewhere: boolean): boolean {
  return (
    action === 'info' ||
    action === 'check' ||
    (action === 'export' && !isElsewhere) ||
    (action === 'repair' && !isElsewhere)
  );
}

interface Order {
  action: Action;
  path: string;
  format: FileFormat;
}

function orderOf(action: string, file: string | undefined, flags: Flags, io: Io): Order {
  const mistakes: string[] = [];
  const needsFile = action === 'export' || action === 'import';
  if (!actions.includes(action as Action))
    mistakes.push(`<action>: found "${printable(action)}"; allowed: ${actions.join(', ')}`);
  else if (needsFile && file === undefined) mistakes.push(`<file>: ${action} needs a file`);
  else if (!needsFile && file !== undefined) mistakes.push(`<file>: ${action} takes none; found "${printable(file)}"`);
  const path = file === undefined ? '' : isAbsolute(file) ? file : join(io.cwd, file);
  const format = flags.format ?? formatOf(path);
  if (needsFile && file !== undefined && !format)
    mistakes.push(`--format: the name "${printable(file)}" does not tell; allowed: ${fileFormat.options.join(', ')}`);
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return { action: action as Action, path, format: format ?? 'parquet' };
}

function formatOf(path: string): FileFormat | undefined {
  const [, ending = ''] = /\.([a-z]+)$/i.exec(path) ?? [];
  const endings: Record<string, FileFormat> = { parquet: 'parquet', csv: 'csv', jsonl: 'jsonl', ndjson: 'jsonl' };
  return endings[ending.toLowerCase()];
}

async function work({ action, path, format }: Order, files: StoreFiles, flags: Flags, io: Io): Promise<ExitCode> {
  const schema = 'inferpath/store@1';
  const say = (report: StoreReport, text: string) =>
    io.terminal.out(flags.json ? `${JSON.stringify(report, null, 2)}\n` : text);
  switch (action) {
    case 'info': {
      const info = await files.info();
      say({ schema, action, info }, infoText(info));
      return exitCode.ready;
    }
    case 'check': {
      const faults = await files.check();
      say(
        { schema, action, faults },
        faults.length === 0 ? 'Nothing contradicts itself.\n' : faults.map((fault) => `${fault}\n`).join(''),
      );
      return faults.length === 0 ? exitCode.ready : exitCode.notReady;
    }
    case 'repair': {
      const repaired = await files.repair();
      say({ schema, action, repaired }, repaired === null ? 'There was nothing to repair.\n' : `${repaired}.\n`);
      return exitCode.ready;
    }
    case 'export': {
      const { from, to, endpoint, agent, kind } = flags;
      const exported = await files.exportTo(path, format, {
        ...(from && { fromMs: Date.parse(from) }),
        ...(to && { toMs: Date.parse(to) }),
        ...(endpoint !== undefined && { endpoint }),
        ...(agent !== undefined && { agent }),
        ...(kind && { kind }),
      });
      say(
        { schema, action, file: path, format, samples: exported },
        `${exported} samples written to ${path} (${format}).\n`,
      );
      return exitCode.ready;
    }
    case 'import': {
      if (!(await io.fs.exists(path))) throw new UsageError(`<file>: there is no "${printable(path)}"`);
      const imported = await files.importFrom(path, format);
      const { samples, batches, duplicates } = imported;
      say(
        { schema, action, file: path, format, ...imported },
        `${samples} samples of ${batches - duplicates} batches stored; ${duplicates} batches were there already.\n`,
      );
      return exitCode.ready;
    }
  }
}

function infoText(info: StoreInfo): string {
  const rows: [string, string][] = [
    ['file', printable(info.path)],
    ['size', `${(info.bytes / 1e6).toFixed(1)} MB, format ${info.format}`],
    ['samples', `${info.samples} in ${info.batches} batches; ${info.notRolledUp} not rolled up yet`],
    ['from', info.firstAt ?? '-'],
    ['to', info.lastAt ?? '-'],
    ['agents', String(info.agents)],
    ['endpoints', String(info.endpoints)],
    ['roll-ups', `${info.minutes} rows by minute, ${info.hours} by hour`],
    ['documents', String(info.documents)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(11)}${value}\n`).join('');
}
