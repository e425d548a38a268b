import { type AmplifierModel, noiseFigureDb } from '../amplifier.ts';
import { DesignError } from '../system.ts';

/** What an amplifier has to do. */
export interface Task {
  gainDb: number;
  /** Total output power. */
  powerDbm: number;
  extendedGainDb: number;
  ramanAllowed: boolean;
}

interface Candidate {
  model: AmplifierModel;
  /** Power that it has in reserve; negative where it cannot reach the target. */
  reserveDb: number;
  nfDb: number;
}

/** How far below its least gain an amplifier may be set, behind an attenuator of its own. */
const BELOW_LEAST_GAIN_DB = 3;
/** Amplifiers that come this near to the strongest one are still considered when none is strong enough. */
const NEAR_STRONGEST_DB = 0.3;
/** The load at which noise figures are compared, where they depend on it. */
const COMPARED_AT = { inputDbm: 0, count: 88, slotHz: 50e9 };

/** The amplifiers that can do a task, or come nearest. */
export function capable(uid: string, models: readonly AmplifierModel[], task: Task): Candidate[] {
  if (!Number.isFinite(task.gainDb) || !Number.isFinite(task.powerDbm))
    throw new DesignError(uid, 'the power here is no number; see the losses before it');
  const plain = models.filter(({ raman }) => !raman);
  const raman = task.ramanAllowed ? models.filter((model) => model.raman) : [];
  const candidate = (model: AmplifierModel): Candidate => {
    const strongest = task.powerDbm - task.gainDb + model.gainFlatMaxDb + task.extendedGainDb;
    return {
      model,
      reserveDb: Math.min(strongest, model.maxPowerDbm) - task.powerDbm,
      nfDb: noiseFigureDb(model, task.gainDb, COMPARED_AT),
    };
  };
  const gentle = [...plain, ...raman]
    .filter((model) => task.gainDb + (model.raman ? 0 : BELOW_LEAST_GAIN_DB) - model.gainMinDb > 0)
    .map(candidate);
  const able = gentle.length > 0 ? gentle : plain.map(candidate);
  if (able.length === 0)
    throw new DesignError(
      uid,
      `no amplifier of the equipment file may be set to a gain of ${task.gainDb.toFixed(1)} dB`,
    );
  const strong = able.filter(({ reserveDb }) => reserveDb > 0);
  if (strong.length > 0) return strong;
  const best = Math.max(...able.map(({ reserveDb }) => reserveDb));
  return able.filter(({ reserveDb }) => reserveDb - best > -NEAR_STRONGEST_DB);
}

/** The quietest of the amplifiers that can do a task; the first in the order of the library where two are equal. */
export function choose(
  uid: string,
  models: readonly AmplifierModel[],
  task: Task,
): { model: AmplifierModel; missingDb: number } {
  const [first, ...others] = capable(uid, models, task);
  const best = others.reduce((quiet, one) => (one.nfDb < quiet.nfDb ? one : quiet), first!);
  return { model: best.model, missingDb: Math.min(best.reserveDb, 0) };
}
