import type { Amplifier, AmplifierModel, MultiBandAmplifier } from '../amplifier.ts';
import { type DesignBand, equalisationOf, targetDbm } from '../roadm.ts';
import type { RamanSettings } from '../srs.ts';
import { channelCount, DesignError, type Element, type Library, type Settings } from '../system.ts';
import { roundToStep, toDb } from '../units.ts';
import { byName, bandShifts, type BandShift } from './tilt.ts';
import { capable, choose, type Task } from './choose.ts';
import { bandName, lineBands } from './bands.ts';
import { estimateRamanGainDb, firstJoined, type Line, spanLossDb } from './losses.ts';
import { undesigned } from './insert.ts';

export interface DesignInput {
  library: Library;
  settings: Settings;
  raman: RamanSettings;
}

/** Where the power of one band stands along a line, against the reference power of a channel. */
interface BandState {
  band: DesignBand;
  /** Total power of the reference channels at 0 dB. */
  totalDbm: number;
  deltaPDb: number;
  voaDb: number;
}

/** Chooses and sets the amplifiers of one line: `line.elements` from its start, a ROADM or a transceiver, to the end. In place. */
export function setAmplifiers(line: Line, input: DesignInput): void {
  const { elements } = line;
  const start = elements[0]!;
  const between = elements.slice(1, -1);
  if (between.length === 0) return;
  const bands = lineBands(start, between, input.library, input.settings);
  const states = new Map(
    [...byName(bands)].map(([name, band]) => [name, firstState(start, between[0]!.uid, band, input)]),
  );
  for (const [k, element] of between.entries()) {
    const at = k + 1;
    estimateRaman(line, at, states.values().next().value, input);
    if (element.kind === 'amplifier') {
      const first = states.values().next().value;
      if (!first) throw new DesignError(element.uid, 'there is no band to design it for');
      const names = candidatesOf(element, elements, at, [first.band], input);
      setOne(element, { line, at, state: first, names, shift: { deviationDb: 0, tiltDb: 0 }, input });
    } else if (element.kind === 'multi-band') setSeveral(element, line, at, states, input);
  }
}

/** What the pumps at a place and right behind it give, with the power that the line has there. */
function estimateRaman(line: Line, at: number, state: BandState | undefined, { settings }: DesignInput): void {
  const reference = settings.spectra[0]!;
  for (const element of line.elements.slice(at, at + 2))
    if (element.kind === 'fibre' && element.pumps.length > 0 && !line.ramanGainDb.has(element)) {
      const powerDbm = reference.powerDbm + (state?.deltaPDb ?? 0);
      line.ramanGainDb.set(element, estimateRamanGainDb(element, reference, powerDbm));
    }
}

function firstState(start: Element, degree: string, band: DesignBand, { settings }: DesignInput): BandState {
  const reference = settings.spectra[0]!;
  const counted = reference.countForDesign ? reference : band;
  const spacingHz = counted.spacingHz ?? reference.spacingHz;
  const count = channelCount(counted.minHz, counted.maxHz, spacingHz);
  const outDbm =
    start.kind === 'roadm'
      ? targetDbm(equalisationOf(start, degree), reference.baudHz, reference.spacingHz)
      : (reference.txPowerDbm ?? reference.powerDbm);
  const totalDbm = reference.powerDbm + toDb(count);
  return { band, totalDbm, deltaPDb: outDbm - reference.powerDbm, voaDb: 0 };
}

/** Names of the single amplifiers that may stand at a place, for the bands they have to carry. */
function candidatesOf(
  element: Amplifier,
  elements: readonly Element[],
  at: number,
  [band]: readonly DesignBand[],
  { library }: DesignInput,
): readonly string[] {
  if (element.model) return [element.model.name];
  const wanted = restrictionsAt(element, elements, at);
  const names = [...library.amplifiers.values()]
    .filter((model) => carries(model, band!) && (wanted.length > 0 ? wanted.includes(model.name) : model.forDesign))
    .map(({ name }) => name);
  if (names.length > 0) return names;
  const range = `${(band!.minHz / 1e12).toFixed(3)} to ${(band!.maxHz / 1e12).toFixed(3)} THz`;
  const limits = wanted.length > 0 ? `that is one of ${wanted.join(', ')}` : 'that is allowed_for_design';
  throw new DesignError(element.uid, `the equipment file has no amplifier for ${range} ${limits}`);
}

function carries({ band }: AmplifierModel, { minHz, maxHz }: DesignBand): boolean {
  return band.minHz <= minHz && band.maxHz >= maxHz;
}

/** What the element, the ROADM before it or the ROADM behind it allows; nothing for everything. */
function restrictionsAt(
  element: Amplifier | MultiBandAmplifier,
  elements: readonly Element[],
  at: number,
): readonly string[] {
  const [before, after] = [elements[at - 1]!, elements[at + 1]!];
  if (element.allowed.length > 0) return element.allowed;
  if (before.kind === 'roadm' && before.boosters.length > 0) return before.boosters;
  return after.kind === 'roadm' ? after.preamps : [];
}

interface Setting {
  line: Line;
  at: number;
  state: BandState;
  names: readonly string[];
  shift: BandShift;
  input: DesignInput;
}

interface Target {
  gainDb: number;
  powerDbm: number;
  deltaPDb: number;
  spanLossDb: number;
}

/**
 * The gain at which an amplifier gives a channel its power: in power mode from the rule that long spans get more light (about a third of a
 * decibel per decibel, Augé, Curri and Le Rouzic, OFC 2019), or as the file says.
 */
function targetOf(amplifier: Amplifier, { line, at, state, shift, input }: Setting): Target {
  const rules = input.settings.span;
  const lossDb = spanLossDb(line, at - 1);
  const voaDb = amplifier.outVoaDb ?? 0;
  let deltaPDb = amplifier.deltaPDb ?? launchRule(line, at + 1, shift.deviationDb, input) + voaDb;
  let gainDb = amplifier.gainDb;
  if (gainDb === undefined || rules.powerMode)
    gainDb = lossDb + shift.deviationDb + deltaPDb - state.deltaPDb + state.voaDb + amplifier.inVoaDb;
  else deltaPDb = state.deltaPDb - (lossDb + shift.deviationDb) - state.voaDb + gainDb - amplifier.inVoaDb;
  return { gainDb, powerDbm: state.totalDbm + deltaPDb, deltaPDb, spanLossDb: lossDb };
}

function launchRule(line: Line, at: number, deviationDb: number, { settings: { span } }: DesignInput): number {
  if (line.elements[at]!.kind === 'roadm') return 0;
  const [least, most, step] = span.deltaPowerDb;
  const lossDb = spanLossDb(line, at) + deviationDb;
  return Math.min(most, Math.max(least, roundToStep((lossDb - span.referenceLossDb) * span.powerSlope, step)));
}

/** Chooses the model where it is open and sets gain, power, tilt and attenuator; moves the state of the band on. */
function setOne(amplifier: Amplifier, setting: Setting): void {
  const { state, input, shift, names } = setting;
  const { span } = input.settings;
  const target = targetOf(amplifier, setting);
  let { gainDb, deltaPDb } = target;
  let missingDb: number;
  if (amplifier.model) {
    const outDbm = span.powerMode
      ? state.totalDbm + deltaPDb
      : state.totalDbm + state.deltaPDb - target.spanLossDb - state.voaDb + gainDb;
    missingDb = Math.min(0, amplifier.model.maxPowerDbm - outDbm);
  } else {
    const models = names.map((name) => input.library.amplifiers.get(name)!);
    ({ model: amplifier.model, missingDb } = choose(amplifier.uid, models, taskOf(setting, target)));
  }
  deltaPDb += missingDb;
  gainDb += missingDb;
  const voaDb = amplifier.outVoaDb ?? 0;
  amplifier.tiltDb ??= -shift.tiltDb;
  amplifier.gainDb = gainDb;
  amplifier.deltaPDb = deltaPDb;
  if (amplifier.outVoaDb === undefined) {
    const autoDb =
      span.powerMode && amplifier.model.autoVoa ? autoVoaDb(amplifier.model, gainDb, target.powerDbm, input) : 0;
    amplifier.deltaPDb += autoDb;
    amplifier.gainDb += autoDb;
    amplifier.outVoaDb = autoDb;
  }
  [state.deltaPDb, state.voaDb] = [deltaPDb, voaDb];
}

function autoVoaDb(
  model: AmplifierModel,
  gainDb: number,
  powerDbm: number,
  { settings: { span } }: DesignInput,
): number {
  const room = Math.min(model.maxPowerDbm - powerDbm, model.gainFlatMaxDb - gainDb);
  return Math.max(roundToStep(room, span.voaStepDb) - span.voaMarginDb, 0);
}

function taskOf({ line, at, input }: Setting, { gainDb, powerDbm }: Target): Task {
  const { span } = input.settings;
  const before = line.elements[at - 1]!;
  const ramanAllowed =
    before.kind === 'fibre' && before.glass.lossDbPerM.value.every((loss) => loss < span.maxLossPerMForRamanDb);
  return { gainDb, powerDbm, extendedGainDb: span.extendedGainDb, ramanAllowed };
}

/** The amplifiers of several bands at one place; together they must be one of the library's multi-band amplifiers. */
function setSeveral(
  element: MultiBandAmplifier,
  line: Line,
  at: number,
  states: ReadonlyMap<string, BandState>,
  input: DesignInput,
): void {
  const { library } = input;
  if (element.bands.length === 0)
    element.bands = [...states.keys()].map((name) => undesigned(`${element.uid} ${name}`, undefined));
  const names = [...states.keys()];
  const parts = element.bands.map((amplifier, i) => {
    const name = amplifier.model ? bandName(amplifier.model.band) : names[i]!;
    const state = states.get(name);
    if (!state)
      throw new DesignError(element.uid, `has an amplifier for band ${name}, for which the line is not designed`);
    return { amplifier, state };
  });
  const shifts = shiftsBefore(line, at, states, input);
  const settingOf = ({ state }: (typeof parts)[number], allowed: readonly string[]): Setting => ({
    line,
    at,
    state,
    input,
    shift: shifts.get(state)!,
    names: allowed.filter((name) => carries(library.amplifiers.get(name)!, state.band)),
  });
  const allowed = element.model ? library.multiBand.get(element.model)!.amplifiers : preselect();
  for (const part of parts) {
    const setting = settingOf(part, allowed);
    if (!part.amplifier.model && setting.names.length === 0)
      throw new DesignError(element.uid, 'the equipment file has no multi-band amplifier for the bands of the line');
    setOne(part.amplifier, setting);
  }
  const chosen = parts.map(({ amplifier }) => amplifier.model!.name);
  const model = [...library.multiBand.values()].find(({ amplifiers }) =>
    chosen.every((name) => amplifiers.includes(name)),
  );
  if (!model) throw new DesignError(element.uid, `${chosen.join(' and ')} are not parts of one multi-band amplifier`);
  element.model = model.name;

  /** Members of those multi-band amplifiers that still can do the task after each band is looked at. */
  function preselect(): string[] {
    let models = multiBandsAt(
      element,
      line.elements,
      at,
      [...states.values()].map(({ band }) => band),
      input,
    );
    for (const part of parts) {
      const members = models.flatMap((name) => library.multiBand.get(name)!.amplifiers);
      const setting = settingOf(part, [...new Set(members)]);
      const able = capable(
        element.uid,
        setting.names.map((name) => library.amplifiers.get(name)!),
        { ...taskOf(setting, targetOf(part.amplifier, setting)), ramanAllowed: true },
      ).map((candidate) => candidate.model.name);
      models = [...library.multiBand.values()]
        .filter(({ amplifiers }) => amplifiers.some((name) => able.includes(name)))
        .map(({ name }) => name);
    }
    return [...new Set(models.flatMap((name) => library.multiBand.get(name)!.amplifiers))];
  }
}

function multiBandsAt(
  element: MultiBandAmplifier,
  elements: readonly Element[],
  at: number,
  bands: readonly DesignBand[],
  { library }: DesignInput,
): string[] {
  const wanted = restrictionsAt(element, elements, at);
  const fits = (name: string) => bands.some((band) => carries(library.amplifiers.get(name)!, band));
  return [...library.multiBand.values()]
    .filter(({ name, forDesign }) => (wanted.length > 0 ? wanted.includes(name) : forDesign))
    .filter(({ amplifiers }) => amplifiers.every(fits))
    .map(({ name }) => name);
}

function shiftsBefore(
  { elements }: Line,
  at: number,
  states: ReadonlyMap<string, BandState>,
  { settings, raman }: DesignInput,
): Map<BandState, BandShift> {
  const list = [...states.values()];
  const reference = settings.spectra[0]!;
  const span = elements.slice(firstJoined(elements, at - 1), at);
  const powers = list.map(({ deltaPDb, voaDb }) => reference.powerDbm + deltaPDb - voaDb);
  const shifts = bandShifts(
    span,
    list.map(({ band }) => band),
    powers,
    reference,
    raman,
  );
  return new Map(list.map((state, i) => [state, shifts[i]!]));
}
