import { resolve } from 'node:path';
import * as z from 'zod';
import { sampleKind } from '../../model/sample.ts';
import { printable } from '../../model/outcome.ts';
import { fileFormat, type FileFormat, type StoreInfo, type StoreReport } from '../../model/store-report.ts';
import type { StoreFiles } from '../../store/files.ts';
import type { Io } from '../../wire/io.ts';
import { documentsFlag } from '../documents-place.ts';
import { type NeedsFolder, openFlaggedStore } from '../open-store.ts';
import { storeFlag } from '../store-place.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';

const place = {
  data: {
    schema: z.string().min(1).default('inferpath-data'),
    about: 'Data folder of `inferpath up` or `serve`; default inferpath-data.',
    value: 'DIR',
  },
  store: storeFlag,
  documents: documentsFlag,
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema store).' },
};
const format = {
  schema: fileFormat.optional(),
  about: 'Format of the file: parquet, csv or jsonl; default by its name.',
  value: 'FORMAT',
};
const group = 'What to export';
const time = (about: string) => ({ schema: z.iso.datetime({ offset: true }).optional(), about, value: 'TIME', group });
const name = (about: string) => ({ schema: z.string().min(1).optional(), about, value: 'NAME', group });
const schema = 'inferpath/store@1' as const;

export const storeCommand = defineCommand({
  name: 'store',
  summary: 'Look at, check, export and import what a server has stored',
  about:
    'Works on the data folder itself, while no server runs on it. With --store the samples are those in ClickHouse, and --documents, or ' +
    'the data folder, tells which roll-ups count.',
  actions: {
    info: {
      about: 'Tells what is stored, since when, and how large it is.',
      flags: place,
      examples: [{ line: 'inferpath store info', about: 'what is stored, since when, and how large it is' }],
      run: ({ flags, io }) =>
        withStore(flags, 'in any store', io, async (files) => {
          const info = await files.info();
          return { report: { schema, action: 'info', info }, text: infoText(info) };
        }),
    },
    check: {
      about: 'Looks for contradictions; exit code 1 if there are any.',
      flags: place,
      examples: [
        {
          line: 'inferpath store check --data /var/lib/inferpath',
          about: 'whether it contradicts itself; exit code 1 if so',
        },
        {
          line: 'inferpath store check --store clickhouse://inferpath@db1:8123/inferpath --documents zookeeper://zk1:2181/inferpath',
          about: 'samples in ClickHouse, while the servers run',
        },
      ],
      run: ({ flags, io }) =>
        withStore(flags, 'in any store', io, async (files) => {
          const faults = await files.check();
          const text = faults.map((fault) => `${fault}\n`).join('');
          if (text === '')
            return { report: { schema, action: 'check', faults }, text: 'Nothing contradicts itself.\n' };
          return { report: { schema, action: 'check', faults }, text, code: exitCode.notReady };
        }),
    },
    repair: {
      about: 'Takes a ClickHouse database over when what tells which roll-ups count was lost.',
      flags: place,
      examples: [
        { line: 'inferpath store repair --store clickhouse://db1/inferpath', about: 'its documents are gone' },
      ],
      run: ({ flags, io }) =>
        withStore(flags, 'in the folder', io, async (files) => {
          const repaired = await files.repair();
          return {
            report: { schema, action: 'repair', repaired },
            text: `${repaired ?? 'There was nothing to repair'}.\n`,
          };
        }),
    },
    export: {
      about: 'Writes samples to a file (Parquet, CSV, JSON lines).',
      positionals: { name: 'file', about: 'the file to write', min: 1, max: 1 },
      flags: {
        ...place,
        format,
        from: time('From this time on, ISO 8601 with zone; default from the first.'),
        to: time('Up to this time, without it; default up to the last.'),
        endpoint: name('Samples of this endpoint only.'),
        agent: name('Samples of this agent only.'),
        kind: {
          schema: sampleKind.optional(),
          about: `Samples of this kind only: ${sampleKind.options.join(', ')}.`,
          value: 'KIND',
          group,
        },
      },
      examples: [
        {
          line: 'inferpath store export --from 2026-11-01T00:00:00Z november.parquet',
          about: 'for DuckDB, pandas and others',
        },
      ],
      run({ flags, positionals: [file = ''], io }) {
        const { path, format } = fileOf(file, flags.format, io);
        const { from, to, endpoint, agent, kind } = flags;
        return withStore(flags, 'in the folder', io, async (files) => {
          const samples = await files.exportTo(path, format, {
            ...(from && { fromMs: Date.parse(from) }),
            ...(to && { toMs: Date.parse(to) }),
            ...(endpoint !== undefined && { endpoint }),
            ...(agent !== undefined && { agent }),
            ...(kind && { kind }),
          });
          const report = { schema, action: 'export' as const, file: path, format, samples };
          return { report, text: `${samples} samples written to ${path} (${format}).\n` };
        });
      },
    },
    import: {
      about:
        'Stores the samples of such a file again, here or elsewhere, with the same ids: what is there already is not stored twice.',
      positionals: { name: 'file', about: 'a file that store export wrote', min: 1, max: 1 },
      flags: { ...place, format },
      examples: [{ line: 'inferpath store import november.parquet --data other-data', about: 'into another store' }],
      async run({ flags, positionals: [file = ''], io }) {
        const { path, format } = fileOf(file, flags.format, io);
        if (!(await io.fs.exists(path))) throw new UsageError(`<file>: there is no "${printable(path)}"`);
        return withStore(flags, 'nowhere', io, async (files) => {
          const imported = await files.importFrom(path, format);
          const { samples, batches, duplicates } = imported;
          return {
            report: { schema, action: 'import', file: path, format, ...imported },
            text: `${samples} samples of ${batches - duplicates} batches stored; ${duplicates} batches were there already.\n`,
          };
        });
      },
    },
  },
});

type Flags = FlagValues<typeof place>;

interface Done {
  report: StoreReport;
  text: string;
  code?: ExitCode;
}

function fileOf(name: string, told: FileFormat | undefined, io: Io): { path: string; format: FileFormat } {
  const format = told ?? formatOf(name);
  if (format) return { path: resolve(io.cwd, name), format };
  throw new UsageError(
    `--format: the name "${printable(name)}" does not tell; allowed: ${fileFormat.options.join(', ')}`,
  );
}

function formatOf(path: string): FileFormat | undefined {
  const [, ending = ''] = /\.([a-z]+)$/i.exec(path) ?? [];
  const endings: Record<string, FileFormat> = { parquet: 'parquet', csv: 'csv', jsonl: 'jsonl', ndjson: 'jsonl' };
  return endings[ending.toLowerCase()];
}

/** Opens the store that the flags name for as long as `work` takes, and prints what was done. */
async function withStore(
  flags: Flags,
  needs: NeedsFolder,
  io: Io,
  work: (files: StoreFiles) => Promise<Done>,
): Promise<ExitCode> {
  const opened = await openFlaggedStore(flags, needs, io);
  try {
    const { report, text, code = exitCode.ready } = await work(opened.files);
    io.terminal.out(flags.json ? `${JSON.stringify(report, null, 2)}\n` : text);
    return code;
  } finally {
    await opened.close();
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
