import type { GnpyEquipment } from '../../../gather/topology/gnpy/equipment.ts';
import type { GnpySimParams, GnpySpectrum } from '../../../gather/topology/gnpy/spectrum.ts';
import type { Channel } from '../comb.ts';
import { DEFAULT_SIMULATION, type Simulation } from '../propagate.ts';
import { channelCount, type ReferenceSpectrum, type Settings } from '../system.ts';
import { fromDbm } from '../units.ts';
import type { Complain } from './library.ts';

export function settingsOf(equipment: GnpyEquipment): Settings {
  const span = equipment.Span[0]!;
  const spectra = equipment.SI.map((si): ReferenceSpectrum => ({
    minHz: si.f_min,
    maxHz: si.f_max,
    spacingHz: si.spacing,
    baudHz: si.baud_rate,
    rollOff: si.roll_off,
    powerDbm: si.power_dbm,
    txPowerDbm: si.tx_power_dbm ?? undefined,
    txOsnrDb: si.tx_osnr,
    marginDb: si.sys_margins,
    countForDesign: si.use_si_channel_count_for_design,
  }));
  const isDefault = equipment.SI.findIndex(
    ({ type_variety }) => type_variety === undefined || type_variety === 'default',
  );
  // The default stands first, wherever the file has it.
  if (isDefault > 0) spectra.unshift(...spectra.splice(isDefault, 1));
  return {
    span: {
      powerMode: span.power_mode,
      deltaPowerDb: span.delta_power_range_db ?? [0, 0, 0],
      maxLossPerMForRamanDb: span.max_fiber_lineic_loss_for_raman * 1e-3,
      extendedGainDb: span.target_extended_gain,
      maxLengthM: span.max_length * (span.length_units === 'km' ? 1e3 : 1),
      paddingDb: span.padding,
      endOfLifeDb: span.EOL,
      connectorInDb: span.con_in,
      connectorOutDb: span.con_out,
      referenceLossDb: span.span_loss_ref,
      powerSlope: span.power_slope,
      voaMarginDb: span.voa_margin,
      voaStepDb: span.voa_step,
    },
    spectra,
  };
}

export function simulationOf(params: GnpySimParams | undefined): Simulation {
  const { raman_params: raman, nli_params: nli } = params ?? {};
  const settings = raman
    ? {
        on: raman.flag,
        method: raman.method,
        order: raman.order,
        resultStepM: raman.result_spatial_resolution,
        solverStepM: raman.solver_spatial_resolution,
      }
    : DEFAULT_SIMULATION.raman;
  if (!nli || nli.method === 'gn_model_analytic') return { nli: { method: 'gn_model_analytic' }, raman: settings };
  const channels = nli.computed_channels?.map((channel) => channel - 1);
  return {
    nli: {
      method: nli.method,
      dispersionTolerance: nli.dispersion_tolerance,
      phaseShiftTolerance: nli.phase_shift_tolerance,
      profileStepM: settings.resultStepM,
      ...(channels ? { computedChannels: channels } : {}),
      ...(nli.computed_number_of_channels ? { computedCount: nli.computed_number_of_channels } : {}),
    },
    raman: settings,
  };
}

/** The channels that fill a reference spectrum. */
export function fullSpectrum(reference: ReferenceSpectrum): Channel[] {
  const { minHz, maxHz, spacingHz } = reference;
  return Array.from({ length: channelCount(minHz, maxHz, spacingHz) }, (_, k) => ({
    frequencyHz: minHz + spacingHz * (k + 1),
    baudHz: reference.baudHz,
    slotHz: spacingHz,
    rollOff: reference.rollOff,
    txPowerW: fromDbm(reference.txPowerDbm ?? reference.powerDbm),
    txOsnrDb: reference.txOsnrDb,
    offsetDb: 0,
  }));
}

/** The channels of a spectrum file, in the order of frequency; overlaps are told. */
export function channelsOf(file: GnpySpectrum, complain: Complain): Channel[] {
  const listed = 'channels' in file ? file.channels.map(listedChannel) : file.spectrum.flatMap(combPart);
  const sorted = listed.toSorted((a, b) => a.channel.frequencyHz - b.channel.frequencyHz);
  for (const [i, { channel, path }] of sorted.entries()) {
    if (channel.baudHz > channel.slotHz) complain(path, 'the symbol rate is wider than the slot');
    const before = sorted[i - 1]?.channel;
    if (before && before.frequencyHz + before.slotHz / 2 > channel.frequencyHz - channel.slotHz / 2 + 1)
      complain(path, `the slot at ${thz(channel)} THz overlaps the one at ${thz(before)} THz`);
  }
  return sorted.map(({ channel }) => channel);
}

function thz({ frequencyHz }: Channel): string {
  return (frequencyHz / 1e12).toFixed(4);
}

interface Listed {
  channel: Channel;
  path: PropertyKey[];
}

function listedChannel(one: Extract<GnpySpectrum, { channels: unknown }>['channels'][number], i: number): Listed {
  const channel = {
    frequencyHz: one.frequencyThz * 1e12,
    baudHz: one.baudRateGbd * 1e9,
    slotHz: one.slotWidthGhz * 1e9,
    rollOff: one.rollOff,
    txPowerW: fromDbm(one.txPowerDbm),
    txOsnrDb: one.txOsnrDb,
    offsetDb: one.deltaPDb,
  };
  return { channel, path: ['channels', i] };
}

function combPart(part: Extract<GnpySpectrum, { spectrum: unknown }>['spectrum'][number], i: number): Listed[] {
  const count = Math.floor((part.f_max - part.f_min) / part.slot_width) + 1;
  return Array.from({ length: count }, (_, k) => ({
    channel: {
      frequencyHz: part.f_min + k * part.slot_width,
      baudHz: part.baud_rate,
      slotHz: part.slot_width,
      rollOff: part.roll_off,
      txPowerW: fromDbm(part.tx_power_dbm),
      txOsnrDb: part.tx_osnr,
      offsetDb: part.delta_pdb,
    },
    path: ['spectrum', i],
  }));
}
