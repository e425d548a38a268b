import type { Channel } from './comb.ts';
import { interpolate } from './curve.ts';
import { send } from './lightpath.ts';
import { receive, type Received } from './receive.ts';
import { channelCount, DesignError, type Element, type Library, type Settings } from './system.ts';
import type { Simulation } from './propagate.ts';
import { fromDbm, toDb } from './units.ts';

/** Points of impairment and penalty in dB, rising; beyond the last the mode does not work. */
export type PenaltyTable = readonly (readonly [impairment: number, penaltyDb: number])[];

export interface Penalties {
  cdPsPerNm: PenaltyTable;
  pmdPs: PenaltyTable;
  pdlDb: PenaltyTable;
}

/** One way in which a transceiver can send. */
export interface TransceiverMode {
  name: string;
  gbps: number;
  format: string;
  baudHz: number;
  slotHz: number;
  rollOff: number;
  /** In-band OSNR of the transmitter, dB in 0.1 nm. */
  txOsnrDb: number;
  requiredOsnrDb: number;
  penalties: Penalties;
  source: string;
  how: 'sourced' | 'entered' | 'assumed';
}

/** How a mode does on a path: on the worst of its channels. */
export interface ModeVerdict {
  mode: TransceiverMode;
  /** Channels that fit into the band of the path. */
  channels: number;
  /** Of the worst channel; −∞ where an impairment is beyond what the mode bears. */
  marginDb: number;
  gsnrDb01nm: number;
  penaltyDb: number;
  closes: boolean;
  /** What it fails on, in words; empty where it closes. */
  why: string;
}

/** Penalty at an impairment, by straight lines; ∞ beyond the table. The sign of dispersion does not matter. */
export function penaltyAt(table: PenaltyTable, impairment: number): number {
  if (table.length === 0) return 0;
  const size = Math.abs(impairment);
  const points = table[0]![0] > 0 ? [[0, 0] as const, ...table] : table;
  if (size > points.at(-1)![0]) return Number.POSITIVE_INFINITY;
  return interpolate(
    points.map(([x]) => x),
    points.map(([, y]) => y),
    size,
  );
}

export function penaltiesOf(
  { penalties }: TransceiverMode,
  at: Received,
): { cdDb: number; pmdDb: number; pdlDb: number } {
  return {
    cdDb: penaltyAt(penalties.cdPsPerNm, at.cdPsPerNm),
    pmdDb: penaltyAt(penalties.pmdPs, at.pmdPs),
    pdlDb: penaltyAt(penalties.pdlDb, at.pdlDb),
  };
}

interface Line {
  path: readonly Element[];
  library: Library;
  settings: Settings;
  simulation: Simulation;
}

/**
 * Each mode on a designed path that is filled with channels of it, at the power density for which the path is designed: the whole
 * power on the line stays what it was. Interference by the closed GN model; margin is what GSNR is above required OSNR, penalties and
 * system margin.
 */
export function closingModes(line: Line, modes: readonly TransceiverMode[]): ModeVerdict[] {
  const simulation = quick(line.simulation);
  return modes.map((mode) => {
    const channels = fill(mode, line.settings);
    try {
      const arrival = send(line.path, { ...line, simulation, channels });
      return verdictOf(mode, receive(arrival), line.settings.spectra[0]!.marginDb);
    } catch (error) {
      if (!(error instanceof DesignError)) throw error;
      return {
        mode,
        channels: 0,
        marginDb: -Infinity,
        gsnrDb01nm: -Infinity,
        penaltyDb: 0,
        closes: false,
        why: 'no channel of it fits',
      };
    }
  });
}

/** Good enough for a verdict: closed interference, pumps in steps of a kilometre. */
function quick({ raman }: Simulation): Simulation {
  return { nli: { method: 'gn_model_analytic' }, raman: { ...raman, solverStepM: Math.max(raman.solverStepM, 1000) } };
}

function fill(mode: TransceiverMode, { spectra }: Settings): Channel[] {
  return spectra.flatMap(({ minHz, maxHz, spacingHz, powerDbm, txPowerDbm }) => {
    const widerDb = toDb(mode.slotHz / spacingHz);
    const count = channelCount(minHz, maxHz, mode.slotHz);
    return Array.from({ length: count }, (_, k) => ({
      frequencyHz: minHz + mode.slotHz * (k + 0.5),
      baudHz: mode.baudHz,
      slotHz: mode.slotHz,
      rollOff: mode.rollOff,
      txPowerW: fromDbm((txPowerDbm ?? powerDbm) + widerDb),
      txOsnrDb: mode.txOsnrDb,
      offsetDb: widerDb,
    }));
  });
}

function verdictOf(mode: TransceiverMode, received: readonly Received[], systemMarginDb: number): ModeVerdict {
  let worst: ModeVerdict | undefined;
  for (const at of received) {
    const { cdDb, pmdDb, pdlDb } = penaltiesOf(mode, at);
    const penaltyDb = cdDb + pmdDb + pdlDb;
    const marginDb = at.gsnrDb01nm - penaltyDb - mode.requiredOsnrDb - systemMarginDb;
    if (worst && worst.marginDb <= marginDb) continue;
    const closes = marginDb >= 0;
    const why = closes ? '' : whyNot({ cdDb, pmdDb, pdlDb }, at, marginDb);
    worst = { mode, channels: received.length, marginDb, gsnrDb01nm: at.gsnrDb01nm, penaltyDb, closes, why };
  }
  return worst!;
}

function whyNot(penalties: { cdDb: number; pmdDb: number; pdlDb: number }, at: Received, marginDb: number): string {
  if (penalties.cdDb === Infinity) return `dispersion of ${Math.round(at.cdPsPerNm)} ps/nm is beyond its limit`;
  if (penalties.pmdDb === Infinity) return `PMD of ${at.pmdPs.toFixed(1)} ps is beyond its limit`;
  if (penalties.pdlDb === Infinity) return `PDL of ${at.pdlDb.toFixed(1)} dB is beyond its limit`;
  return `GSNR is ${(-marginDb).toFixed(1)} dB too low`;
}
