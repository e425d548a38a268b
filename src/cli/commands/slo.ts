import * as z from 'zod';
import { parseAllDocuments, stringify } from 'yaml';
import { importOpenSlo, type OpenSloDocument } from '../../gather/openslo.ts';
import { badToFire, burnPairs } from '../../model/burn.ts';
import type { Network } from '../../model/network.ts';
import { printable } from '../../model/outcome.ts';
import type { SloRow } from '../../model/slo-report.ts';
import { durationMs } from '../../model/watch.ts';
import { endpointsOfSlo, jobsOf, probeOfSlo } from '../../model/watch-plan.ts';
import { grafanaFiles } from '../../report/grafana.ts';
import { openSloDocuments } from '../../report/openslo.ts';
import { prometheusRules } from '../../report/slo-rules.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, type ExitCode, exitCode, UsageError } from '../command.ts';
import { loadNetworkFile } from '../network-file.ts';

const maxFileBytes = 1024 * 1024;

const json = {
  schema: z.boolean().default(false),
  about: 'One JSON document on stdout (inferpath schema slo-check and others).',
};
const networkFile = { name: 'network.yaml', about: 'the network file', min: 1, max: 1 };

export const slo = defineCommand({
  name: 'slo',
  summary: 'Read objectives from OpenSLO, check them, write rules for Prometheus, dashboards for Grafana',
  about: 'Objectives for what a server watches: from other tools, for other tools, and what they come to.',
  actions: {
    import: {
      about: 'Reads OpenSLO v1 files and prints entries for watch.slos; what had to be guessed is told on stderr.',
      positionals: { name: 'file', about: 'OpenSLO files', min: 1, max: 1000 },
      flags: {
        json,
        network: {
          schema: z.string().min(1).optional(),
          about: 'Network file whose endpoints the services are; default: services are endpoints of their name.',
          value: 'FILE',
        },
      },
      examples: [{ line: 'inferpath slo import --network network.yaml openslo.yaml', about: 'prints watch.slos.' }],
      run: ({ flags, positionals, io }) => importFiles(positionals, flags, io),
    },
    check: {
      about:
        'Says what the objectives of a network file come to: events in each window, bad ones that make a rule fire, and how long an ' +
        'outage has to last for that.',
      positionals: networkFile,
      flags: { json },
      examples: [{ line: 'inferpath slo check network.yaml', about: 'shows when each rule would fire.' }],
      async run({ flags, positionals: [file = ''], io }) {
        io.terminal.out(check(await networkWithSlos(file, io), flags.json));
        return exitCode.ready;
      },
    },
    export: {
      about:
        'Prints recording and alerting rules for Prometheus, or the objectives as OpenSLO, or writes dashboards for Grafana with a file ' +
        'that provisions them.',
      positionals: networkFile,
      flags: {
        json,
        format: {
          schema: z.enum(['prometheus', 'openslo', 'grafana']).default('prometheus'),
          about: 'What to write: prometheus, openslo or grafana; default prometheus.',
          value: 'FORMAT',
        },
        out: {
          schema: z.string().min(1).optional(),
          about: 'For --format grafana: folder for its files; it is made. With --json they are also, or only, printed.',
          value: 'DIR',
        },
      },
      examples: [
        { line: 'inferpath slo export network.yaml > inferpath-rules.yml', about: 'writes rules for Prometheus.' },
        {
          line: 'inferpath slo export network.yaml --format grafana --out grafana',
          about: 'writes two dashboards, and a file that provisions them.',
        },
      ],
      async run({ flags: { format, out, json }, positionals: [file = ''], io }) {
        const isGrafana = format === 'grafana';
        if (isGrafana === (out === undefined) && !(isGrafana && json))
          throw new UsageError(
            '--format grafana and --out DIR go together',
            'slo export NETWORK --format grafana --out DIR, or --json in place of --out',
          );
        if (isGrafana) return exportGrafana(await loadNetworkFile(file, io), out, json, io);
        io.terminal.out((format === 'openslo' ? exportOpenSlo : exportRules)(await networkWithSlos(file, io), json));
        return exitCode.ready;
      },
    },
  },
});

async function networkWithSlos(file: string, io: Io): Promise<Network> {
  const network = await loadNetworkFile(file, io);
  if ((network.watch?.slos ?? []).length > 0) return network;
  throw new UsageError(
    `${file}: watch.slos is empty`,
    'examples/watch.yaml shows objectives; slo import reads OpenSLO',
  );
}

async function importFiles(files: readonly string[], flags: { network?: string | undefined; json: boolean }, io: Io) {
  const network = flags.network === undefined ? null : await loadNetworkFile(flags.network, io);
  const endpoints = network && network.endpoints.map(({ name }) => name);
  const documents: OpenSloDocument[] = [];
  for (const file of files) documents.push(...(await readDocuments(file, io)));
  const { slos, notes } = importOpenSlo(documents, endpoints);
  if (flags.json) io.terminal.out(`${JSON.stringify({ schema: 'inferpath/slo-import@1', slos, notes }, null, 2)}\n`);
  else {
    if (slos.length > 0) io.terminal.out(stringify({ watch: { slos } }));
    for (const { file, about, message } of notes) io.terminal.err(`${printable(file)}: ${about} ${message}\n`);
  }
  return slos.length > 0 ? exitCode.ready : exitCode.couldNotMeasure;
}

async function readDocuments(file: string, io: Io): Promise<OpenSloDocument[]> {
  try {
    const text = await io.fs.readText(file, maxFileBytes);
    const parsed = parseAllDocuments(text, { logLevel: 'error', uniqueKeys: false });
    return [...parsed].map((one) => {
      const [error] = one.errors;
      if (error) throw new Error(printable(error.message, 300));
      return { file, value: one.toJS({ maxAliasCount: 100 }) as unknown };
    });
  } catch (error) {
    throw new UsageError(`Cannot read "${printable(file)}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

function exportRules(network: Network, json: boolean): string {
  const rules = prometheusRules(network);
  return json ? `${JSON.stringify(rules, null, 2)}\n` : stringify(rules, { lineWidth: 0 });
}

function exportOpenSlo(network: Network, json: boolean): string {
  const documents = openSloDocuments(network);
  return json
    ? `${JSON.stringify(documents, null, 2)}\n`
    : documents.map((one) => stringify(one, { lineWidth: 0 })).join('---\n');
}

/** The files by name as one document, or in a folder, or both. */
async function exportGrafana(network: Network, folder: string | undefined, json: boolean, io: Io): Promise<ExitCode> {
  const files = grafanaFiles(network);
  if (folder !== undefined) await writeGrafana(files, folder, json, io);
  if (json)
    io.terminal.out(`${JSON.stringify(Object.fromEntries(files.map(({ name, value }) => [name, value])), null, 2)}\n`);
  return exitCode.ready;
}

/** Grafana runs as a user of its own, so these are not private. */
async function writeGrafana(
  files: ReturnType<typeof grafanaFiles>,
  folder: string,
  isQuiet: boolean,
  io: Io,
): Promise<void> {
  try {
    await io.fs.makeFolder(folder);
    for (const { name, value } of files) {
      const path = `${folder}/${name}`;
      await io.fs.writeText(path, name.endsWith('.json') ? `${JSON.stringify(value, null, 2)}\n` : stringify(value));
      if (!isQuiet) io.terminal.out(`${path}\n`);
    }
  } catch (error) {
    throw new UsageError(`--out: cannot write to ${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

function check(network: Network, json: boolean): string {
  const rows = rowsOf(network);
  if (json) return `${JSON.stringify({ schema: 'inferpath/slo-check@1', slos: rows }, null, 2)}\n`;
  return rows
    .map(({ slo, endpoint, objective, agents, rules }) => {
      const lines = rules.map(
        ({ severity, longMs, shortMs, factor, events, badToFire, outageMs }) =>
          `  ${severity.padEnd(6)}  ${`${words(longMs)} and ${words(shortMs)}`.padEnd(16)}  ${`${factor} times`.padStart(10)}  ${`${badToFire} of ${Math.floor(events)}`.padStart(14)} bad  outage of ${words(outageMs)}\n`,
      );
      return `${slo} ${endpoint}: ${Number((objective * 100).toFixed(6))} % good, ${agents === 1 ? '1 agent' : `${agents} agents`}\n${lines.join('')}`;
    })
    .join('\n');
}

function rowsOf(network: Network): SloRow[] {
  const jobs = jobsOf(network);
  return (network.watch?.slos ?? []).flatMap((slo) =>
    endpointsOfSlo(network.endpoints, slo).map(({ name }): SloRow => {
      const mine = jobs.filter((job) => job.endpoint === name && job.probe === probeOfSlo(slo));
      const perMs =
        slo.method === 'timeslices' ? 1 / durationMs(slo.slice) : mine.reduce((sum, job) => sum + 1 / job.everyMs, 0);
      const rules = burnPairs(durationMs(slo.window)).map((pair) => {
        const events = pair.longMs * perMs;
        const bad = badToFire(events, pair.factor, slo.objective);
        return { ...pair, events, badToFire: bad, outageMs: Math.ceil(bad / perMs / 1000) * 1000 };
      });
      return { slo: slo.name, endpoint: name, objective: slo.objective, agents: mine.length, rules };
    }),
  );
}

function words(ms: number): string {
  if (ms % 86_400_000 === 0) return `${ms / 86_400_000} d`;
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms < 120_000 ? `${ms / 1000} s` : `${Math.round(ms / 6000) / 10} min`;
}
