import type { OpticalReport } from '../../model/plan/optical.ts';
import type { Lightpath } from './lightpath.ts';
import type { ModeVerdict } from './modes.ts';
import type { Passage, Simulation } from './propagate.ts';
import { receive } from './receive.ts';

/** A lightpath and the modes on it as `--json` prints them. */
export function opticalReportOf(
  path: Lightpath,
  ends: { from: string; to: string },
  verdicts: readonly ModeVerdict[],
  simulation: Simulation,
): OpticalReport {
  const channels = receive(path).map(({ frequencyHz, baudHz, slotHz, osnrAseDb01nm, osnrNliDb01nm, ...rest }) => ({
    frequencyThz: frequencyHz / 1e12,
    baudRateGbd: baudHz / 1e9,
    slotWidthGhz: slotHz / 1e9,
    ...rest,
    osnrAseDb01nm: bounded(osnrAseDb01nm),
    osnrNliDb01nm: bounded(osnrNliDb01nm),
  }));
  const gsnr = channels.map(({ gsnrDb01nm }) => gsnrDb01nm);
  return {
    schema: 'inferpath/optical@1',
    ...ends,
    lengthKm: path.passages.reduce((sum, { lengthM = 0 }) => sum + lengthM, 0) / 1e3,
    latencyMs: path.comb.latencyS * 1e3,
    worstGsnrDb01nm: Math.min(...gsnr),
    meanGsnrDb01nm: gsnr.reduce((sum, db) => sum + db, 0) / gsnr.length,
    channels,
    notCarriedThz: path.left.map(({ frequencyHz }) => frequencyHz / 1e12),
    elements: path.passages.map(elementOf),
    modes: verdicts.map(modeOf),
    how: howOf(simulation),
  };
}

/** JSON has no infinity. */
function bounded(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function elementOf({
  uid,
  kind,
  model,
  lengthM,
  outputDbm,
  lossDb,
  amplifier,
}: Passage): OpticalReport['elements'][number] {
  if (kind === 'transceiver') throw new Error(`${uid} is inside a path`);
  return {
    uid,
    kind,
    ...(model === undefined ? {} : { model }),
    ...(lengthM === undefined ? {} : { lengthKm: lengthM / 1e3 }),
    outputDbm,
    lossDb,
    ...(amplifier
      ? {
          gainDb: amplifier.gainDb,
          nfDb: bounded(amplifier.nfDb),
          saturated: amplifier.saturated,
          overGainDb: amplifier.overGainDb,
        }
      : {}),
  };
}

function modeOf({ mode, channels, closes, why, ...numbers }: ModeVerdict): OpticalReport['modes'][number] {
  return {
    name: mode.name,
    gbps: mode.gbps,
    format: mode.format,
    baudRateGbd: mode.baudHz / 1e9,
    slotWidthGhz: mode.slotHz / 1e9,
    requiredOsnrDb: mode.requiredOsnrDb,
    channels,
    closes,
    marginDb: bounded(numbers.marginDb),
    gsnrDb01nm: bounded(numbers.gsnrDb01nm),
    penaltyDb: bounded(numbers.penaltyDb),
    why,
    how: mode.how,
    source: mode.source,
  };
}

const nliWords = {
  gn_model_analytic: 'GN model in closed form',
  ggn_spectrally_separated: 'generalised GN model, integrated',
  ggn_approx: 'generalised GN model, other channels in closed form',
} as const;

function howOf({ nli, raman }: Simulation): string {
  const scattering = raman.on
    ? `stimulated Raman scattering (${raman.method}, steps of ${raman.solverStepM} m)`
    : 'no Raman scattering';
  return `${nliWords[nli.method]}; ${scattering}; spans add up incoherently; full load; modes: GN model in closed form`;
}
