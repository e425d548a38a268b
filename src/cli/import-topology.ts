import * as z from 'zod';
import { type CsvTable, parseTopologyCsv } from '../gather/topology/csv.ts';
import type { Draft } from '../gather/topology/draft.ts';
import { draftOfGnpy } from '../gather/topology/gnpy-draft.ts';
import { readJson } from '../gather/topology/gnpy/read.ts';
import { gnpyTopologySchema } from '../gather/topology/gnpy/topology.ts';
import { parseGraphml } from '../gather/topology/graphml.ts';
import { mistakeText } from '../gather/topology/parsed.ts';
import { parseRepetitaDemands, parseRepetitaGraph } from '../gather/topology/repetita.ts';
import { parseSndlib } from '../gather/topology/sndlib.ts';
import { draftOfCsv, draftOfMap, draftOfRepetita, draftOfSndlib, type RateUnit } from '../gather/topology/to-draft.ts';
import { plannedNetwork } from '../model/network.ts';
import { printable } from '../model/outcome.ts';
import { renderDraftYaml } from '../report/draft-yaml.ts';
import type { Io } from '../wire/io.ts';
import { defineAction, type ExitCode, exitCode, UsageError } from './command.ts';
import { parsedOrMistakes, readInput } from './input-file.ts';
import { NetworkFileError, parseNetwork } from './network-file.ts';

const maxBytes = 256 * 1024 * 1024;

/** `inferpath import topology`: other tools' maps as a network file. */
export const importTopology = defineAction({
  about:
    'Prints a network file made of GraphML, SNDlib, REPETITA, GNPy or CSV files. What the file does not say is not invented: it is left out, ' +
    'or guessed and said so in a comment.',
  positionals: {
    name: 'file…',
    about: 'One topology; for REPETITA the graph and its demands; of CSV tables of sites, links and demands',
    min: 1,
    max: 10,
  },
  flags: {
    unit: {
      schema: z.enum(['kbps', 'mbps', 'gbps']).optional(),
      about:
        'Unit of capacities and demands where the file names none: kbps, mbps, gbps; default: kbps for REPETITA, mbps for SNDlib.',
      value: 'UNIT',
    },
  },
  examples: [
    { line: 'inferpath import topology abilene.txt > network.yaml', about: 'a network of SNDlib' },
    {
      line: 'inferpath import topology Abilene.graph Abilene.0000.demands',
      about: 'a graph of REPETITA with its demands',
    },
    { line: 'inferpath import topology sites.csv links.csv demands.csv', about: 'tables of your own' },
  ],
  run: ({ flags, positionals, io }) => run(positionals, flags.unit, io),
});

interface Named {
  path: string;
  text: string;
}

async function run(paths: readonly string[], unit: RateUnit | undefined, io: Io): Promise<ExitCode> {
  const files: Named[] = [];
  for (const path of paths) files.push({ path, text: await readInput(path, maxBytes, io) });
  const draft = draftOf(files, unit);
  const text = renderDraftYaml(draft, paths.map((path) => path.split(/[\\/]/).at(-1)).join(', '));
  const checked = parseNetwork(text, plannedNetwork);
  // A number out of the range of network files, or more entries than they may have.
  if ('mistakes' in checked) throw new NetworkFileError('the network file made of it', checked.mistakes);
  io.terminal.out(text);
  for (const note of draft.notes) io.terminal.err(`${printable(note, 400)}\n`);
  return exitCode.ready;
}

type Format = 'sndlib' | 'graphml' | 'repetita graph' | 'repetita demands' | 'gnpy' | 'csv';

/** By the first words, not by the name. */
function formatOf(text: string): Format {
  const head = text
    .slice(0, 2000)
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (head.startsWith('?SNDlib')) return 'sndlib';
  if (head.startsWith('<')) return 'graphml';
  if (head.startsWith('{')) return 'gnpy';
  if (/^NODES\s+\d+\s*[\r\n]/.test(head)) return 'repetita graph';
  return /^DEMANDS\s+\d+\s*[\r\n]/.test(head) ? 'repetita demands' : 'csv';
}

function draftOf(files: readonly Named[], unit: RateUnit | undefined): Draft {
  const formats = files.map(({ text }) => formatOf(text));
  if (formats.every((format) => format === 'csv')) return draftOfCsv(files.map(csvTable));
  const kinds = formats.toSorted().join(', ');
  const [graph, demands] = ['repetita graph', 'repetita demands'].map(
    (format) => files[formats.indexOf(format as Format)],
  );
  if (kinds === 'repetita graph' || kinds === 'repetita demands, repetita graph') {
    const read = parsedOrMistakes(graph!.path, parseRepetitaGraph(graph!.text)).value;
    return draftOfRepetita(
      read,
      demands ? parsedOrMistakes(demands.path, parseRepetitaDemands(demands.text, read.nodes.length)).value : [],
      unit,
    );
  }
  const [only, ...others] = files;
  if (others.length > 0 || formats[0] === 'repetita demands')
    throw new UsageError(
      `file…: found ${kinds}; allowed: one topology, a graph of REPETITA with its demands, or CSV tables`,
    );
  if (formats[0] === 'sndlib') return draftOfSndlib(parsedOrMistakes(only!.path, parseSndlib(only!.text)).value, unit);
  if (formats[0] === 'graphml') return draftOfMap(parsedOrMistakes(only!.path, parseGraphml(only!.text)).value);
  return gnpyDraft(only!);
}

function csvTable(file: Named): CsvTable {
  return parsedOrMistakes(file.path, parseTopologyCsv(file.text)).value;
}

function gnpyDraft({ path, text }: Named): Draft {
  const reading = readJson({ name: path, text }, gnpyTopologySchema);
  if (reading.ok) return draftOfGnpy(reading.value);
  throw new UsageError(
    reading.mistakes
      .map(({ line, key, message }) => mistakeText(path, { line, key: key === '' ? 'file' : key, message }))
      .join('\n'),
  );
}
