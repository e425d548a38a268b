import { dirname, join, resolve } from 'node:path';
import type { NamedText } from '../../gather/topology/gnpy/read.ts';
import type { Mistake } from '../../gather/topology/json-place.ts';
import { configNames, type GnpyFiles, type OpticalCase, readGnpy } from '../../plan/optical/from-gnpy/from-gnpy.ts';
import { type Lightpath, lightpath } from '../../plan/optical/lightpath.ts';
import { closingModes } from '../../plan/optical/modes.ts';
import { publishedModes } from '../../plan/optical/mode-table.ts';
import { opticalReportOf } from '../../plan/optical/report.ts';
import { DesignError } from '../../plan/optical/system.ts';
import { OutOfCurve } from '../../plan/optical/fibre.ts';
import { clip } from '../../report/ansi.ts';
import { prettyJson } from '../../report/json.ts';
import { renderOpticalText } from '../../report/plan/optical-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { nearest } from '../suggest.ts';
import { readInput } from '../input-file.ts';
import { planFile, planFlags } from './flags.ts';
import { ofNetwork } from './optical-network.ts';

/** Largest file that is read: several times the largest published topology. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Mistakes that are printed; more only scroll the first ones away. */
const MAX_SHOWN = 50;

const file = (about: string, value = 'FILE') => ({ schema: planFlags.from.schema, about, value });

const flags = {
  gnpy: file('Optical topology as GNPy has it, JSON.'),
  equipment: file('Equipment library of the topology, JSON.'),
  simParams: file(
    'Simulation parameters (Raman scattering, model of interference), JSON; default: GN model, no scattering.',
  ),
  spectrum: file(
    "Channels to send: GNPy's initial spectrum or {channels:[…]}, JSON; default: the SI of the equipment file.",
  ),
  from: planFlags.from,
  to: planFlags.to,
  timeLimit: planFlags.timeLimit,
  json: planFlags.json,
} as const;

type OpticalFlags = FlagValues<typeof flags>;

export const planOptical = defineAction({
  about:
    'Does the light close? Signal to noise of every channel (GN model on fibre, amplifiers, ROADMs, Raman scattering), latency, and which transceiver modes ' +
    'from 100 Gbit/s to 1.6 Tbit/s close with how much margin. Of a network file: each link whose fibre is yours to light, and the wavelengths and slots ' +
    'that the traffic needs. Of a GNPy topology: one lightpath; amplifiers that it leaves out or open are designed.',
  positionals: planFile,
  flags,
  examples: [
    { line: 'inferpath plan optical network.yaml', about: 'own fibre of a network file, and the wavelengths on it' },
    {
      line: 'inferpath plan optical --gnpy topology.json --equipment eqpt_config.json --from trx-A --to trx-B',
      about: 'one lightpath of a GNPy topology',
    },
    {
      line: 'inferpath plan optical --gnpy t.json --equipment e.json --spectrum s.json --from A --to B --json | jq .worstGsnrDb01nm',
      about: 'with channels of your own, a number for a script',
    },
  ],
  run: ({ flags, positionals: [file], io }) =>
    file === undefined ? ofGnpy(flags, io) : ofNetwork(file, outsideRefused(flags), io),
});

/** @throws UsageError where a flag asks for an outside topology beside a network file */
function outsideRefused(flags: OpticalFlags): OpticalFlags {
  const outside = (['gnpy', 'equipment', 'simParams', 'spectrum', 'from', 'to'] as const).find(
    (key) => flags[key] !== undefined,
  );
  if (outside === undefined) return flags;
  throw new UsageError(`--${outside}: cannot go with a network file; allowed: one of the two`);
}

async function ofGnpy(flags: OpticalFlags, io: Io): Promise<ExitCode> {
  const optical = await readCase(flags, io);
  const ends = endsOf(flags, optical);
  const path = await compute(optical, ends, io);
  if (!path) return exitCode.interrupted;
  const verdicts = closingModes({ ...optical, path: path.path }, publishedModes);
  const report = opticalReportOf(path, ends, verdicts, optical.simulation);
  const { columns, colors } = io.terminal;
  io.terminal.out(flags.json ? prettyJson(report) : renderOpticalText(report, { columns, colors }));
  return exitCode.ready;
}

async function readCase(flags: OpticalFlags, io: Io): Promise<OpticalCase> {
  const { gnpy, equipment, simParams, spectrum } = flags;
  if (gnpy === undefined || equipment === undefined)
    throw new UsageError(
      `${gnpy === undefined ? '--gnpy' : '--equipment'}: is required`,
      'inferpath plan optical network.yaml, or --gnpy topology.json --equipment eqpt_config.json --from A --to B',
    );
  const read = async (name: string): Promise<NamedText> => ({ name, text: await readInput(name, MAX_FILE_BYTES, io) });
  const files: GnpyFiles = { topology: await read(gnpy), equipment: await read(equipment), configs: new Map() };
  if (simParams !== undefined) files.simParams = await read(simParams);
  if (spectrum !== undefined) files.spectrum = await read(spectrum);
  files.configs = await configsBeside(files.equipment, io);
  const reading = readGnpy(files);
  if (reading.ok) return reading.value;
  throw mistakesError(reading.mistakes);
}

/** The files that amplifiers name, where they lie beside the equipment file. */
async function configsBeside(equipment: NamedText, io: Io): Promise<Map<string, NamedText>> {
  const configs = new Map<string, NamedText>();
  for (const name of configNames(equipment)) {
    const path = join(dirname(equipment.name), name);
    // A library may not lead to files elsewhere.
    if (!/^[\w .-]+\.json$/.test(name) || !(await io.fs.exists(resolve(io.cwd, path)))) continue;
    configs.set(name, { name: path, text: await readInput(path, MAX_FILE_BYTES, io) });
  }
  return configs;
}

function mistakesError(mistakes: readonly Mistake[]): UsageError {
  const lines = mistakes
    .slice(0, MAX_SHOWN)
    .map(
      ({ file, line, column, key, message }) => `${file}:${line}:${column}: ${key === '' ? 'file' : key}: ${message}`,
    );
  const more = mistakes.length - lines.length;
  return new UsageError(
    [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'),
    undefined,
    'the optical network has mistakes',
  );
}

/** Both ends by name; where a flag is absent and the topology has but two transceivers, these. */
function endsOf({ from, to }: OpticalFlags, { system }: OpticalCase): { from: string; to: string } {
  const names = [...system.elements.values()].filter(({ kind }) => kind === 'transceiver').map(({ uid }) => uid);
  const check = (flag: string, name: string | undefined): string => {
    if (name === undefined) throw new UsageError(`${flag}: is required; transceivers: ${list(names)}`);
    if (names.includes(name)) return name;
    const meant = nearest(name, names);
    throw new UsageError(
      `${flag}: ${name} is no transceiver of the topology`,
      meant === undefined ? `transceivers: ${list(names)}` : `did you mean ${meant}?`,
    );
  };
  const two = names.length === 2;
  const ends = {
    from: check('--from', from ?? (two ? names[0] : undefined)),
    to: check('--to', to ?? (two ? names[1] : undefined)),
  };
  if (ends.from === ends.to) throw new UsageError('--to: is the same place as --from');
  return ends;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ');
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

const REDRAW_MS = 200;

/** The lightpath; null when the user stopped it. */
async function compute(optical: OpticalCase, ends: { from: string; to: string }, io: Io): Promise<Lightpath | null> {
  let drawnMs = io.clock.monoMs();
  const line = (text: string) => {
    if (io.terminal.stderrIsTty) io.terminal.err(`\r\u001b[2K${clip(text, Math.max(20, io.terminal.columns - 3))}`);
  };
  try {
    const steps = lightpath(optical, ends.from, ends.to);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value;
      if (io.clock.monoMs() - drawnMs < REDRAW_MS) continue;
      line(`element ${step.value.at} of ${step.value.of}: ${step.value.uid}`);
      await io.clock.sleep(0);
      drawnMs = io.clock.monoMs();
      if (!io.signals.interrupted.aborted) continue;
      io.terminal.err(`stopped before ${step.value.uid}; there is no result for a part of the way\n`);
      return null;
    }
  } catch (error) {
    if (error instanceof DesignError || error instanceof OutOfCurve) throw new UsageError(error.message);
    throw error;
  } finally {
    line('');
  }
}
