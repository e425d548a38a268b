import type { GnpyEquipment } from '../../../gather/topology/gnpy/equipment.ts';
import type { GnpyElement, GnpyFibre, GnpyTopology } from '../../../gather/topology/gnpy/topology.ts';
import type { Amplifier, AmplifierModel } from '../amplifier.ts';
import type { Fibre, Glass } from '../fibre.ts';
import type { DesignBand, Equalisation, Roadm, RoadmProfile } from '../roadm.ts';
import { addElement, connect, type Element, emptySystem, type Library, type System } from '../system.ts';
import { glassOf } from './glass.ts';
import type { Complain } from './library.ts';

interface Sources {
  equipment: GnpyEquipment;
  library: Library;
  withoutConfig: ReadonlyMap<string, string>;
  /** Glass by its content: spans of one glass share one object, and with it the tables that are made of it. */
  glasses: Map<string, Glass>;
}

type WithParams<T extends GnpyElement['type']> = Extract<GnpyElement, { type: T }>;

/** The elements of a topology with what the library says of their varieties. */
export function systemOf(topology: GnpyTopology, sources: Omit<Sources, 'glasses'>, complain: Complain): System {
  const system = emptySystem();
  const all = { ...sources, glasses: new Map<string, Glass>() };
  for (const [i, element] of topology.elements.entries()) {
    const made = elementOf(element, all, (path, message) => complain(['elements', i, ...path], message));
    if (made) addElement(system, made);
  }
  for (const { from_node, to_node } of topology.connections)
    if (system.elements.has(from_node) && system.elements.has(to_node)) connect(system, from_node, to_node);
  return system;
}

function elementOf(element: GnpyElement, sources: Sources, complain: Complain): Element | undefined {
  const { uid } = element;
  switch (element.type) {
    case 'Transceiver':
      return { kind: 'transceiver', uid, ...bandsOf(element.params) };
    case 'Fused':
      return { kind: 'fused', uid, lossDb: element.params?.loss ?? 1 };
    case 'Roadm':
      return roadmOf(element, sources, complain);
    case 'Fiber':
    case 'RamanFiber':
      return fibreOf(element, sources, complain);
    case 'Edfa': {
      const name = element.type_variety || 'default';
      const model = name === 'default' ? undefined : modelCalled(name, sources, complain);
      if (name !== 'default' && !model) return undefined;
      return amplifierOf(uid, model, element.operational, element.variety_list ?? []);
    }
    case 'Multiband_amplifier':
      return multiBandOf(element, sources, complain);
    default:
      return element satisfies never;
  }
}

function modelCalled(
  name: string,
  { library, withoutConfig }: Sources,
  complain: Complain,
): AmplifierModel | undefined {
  const model = library.amplifiers.get(name);
  const config = withoutConfig.get(name);
  if (config !== undefined) complain(['type_variety'], `${name} needs the file ${config} beside the equipment file`);
  else if (!model) complain(['type_variety'], `${name} is no Edfa of the equipment file`);
  return model;
}

function amplifierOf(
  uid: string,
  model: AmplifierModel | undefined,
  operational: WithParams<'Edfa'>['operational'],
  allowed: readonly string[],
): Amplifier {
  const { gain_target, delta_p, tilt_target, out_voa, in_voa } = operational ?? {};
  return {
    kind: 'amplifier',
    uid,
    model,
    gainDb: gain_target ?? undefined,
    deltaPDb: delta_p ?? undefined,
    tiltDb: tilt_target ?? undefined,
    outVoaDb: out_voa ?? undefined,
    inVoaDb: in_voa ?? 0,
    allowed,
  };
}

function multiBandOf(
  element: WithParams<'Multiband_amplifier'>,
  sources: Sources,
  complain: Complain,
): Element | undefined {
  const name = element.type_variety || 'default';
  const model = name === 'default' ? undefined : sources.library.multiBand.get(name);
  if (name !== 'default' && !model) {
    complain(
      ['type_variety'],
      `${name} is no multi_band Edfa of the equipment file, or one of its amplifiers is missing there`,
    );
    return undefined;
  }
  const bands = (element.amplifiers ?? []).map((part, k) => {
    const chosen = modelCalled(part.type_variety, sources, (path, message) =>
      complain(['amplifiers', k, ...path], message),
    );
    return amplifierOf(`${element.uid} ${part.type_variety}`, chosen, part.operational, []);
  });
  return { kind: 'multi-band', uid: element.uid, model: model?.name, bands, allowed: element.variety_list ?? [] };
}

function fibreOf(element: GnpyFibre, { equipment, glasses }: Sources, complain: Complain): Fibre | undefined {
  const name = element.type_variety || 'default';
  const list = element.type === 'Fiber' ? equipment.Fiber : equipment.RamanFiber;
  const variety = list.find(({ type_variety }) => type_variety === name);
  if (!variety) {
    complain(['type_variety'], `${name} is no ${element.type} of the equipment file`);
    return undefined;
  }
  const { params } = element;
  const lengthM = params.length * (params.length_units === 'km' ? 1e3 : 1);
  const lumped = (params.lumped_losses ?? []).map(({ position, loss }) => ({
    positionM: position * 1e3,
    lossDb: loss,
  }));
  for (const [k, { positionM }] of lumped.entries())
    if (positionM <= 0 || positionM >= lengthM)
      complain(['params', 'lumped_losses', k, 'position'], `must lie inside the fibre, 0 to ${lengthM / 1e3} km`);
  const { length: _, length_units: _u, att_in, con_in, con_out, lumped_losses: _l, ...made } = params;
  const key = JSON.stringify([element.type, name, made]);
  const glass = glasses.get(key) ?? glassOf(params, variety);
  glasses.set(key, glass);
  const outLoss = 10 ** ((con_out ?? 0) / 10);
  const pumps = (element.type === 'RamanFiber' ? (element.operational?.raman_pumps ?? []) : []).map((pump) => ({
    powerW: pump.power / outLoss,
    frequencyHz: pump.frequency,
    direction: pump.propagation_direction === 'coprop' ? ('with' as const) : ('against' as const),
  }));
  return {
    kind: 'fibre',
    uid: element.uid,
    glass,
    lengthM,
    attInDb: att_in ?? 0,
    connectorInDb: con_in ?? undefined,
    connectorOutDb: con_out ?? undefined,
    lumped,
    pumps,
    temperatureK: element.operational?.temperature ?? 293,
  };
}

function bandsOf(params: WithParams<'Roadm' | 'Transceiver'>['params']): {
  designBands: DesignBand[];
  perDegreeBands: Map<string, DesignBand[]>;
} {
  const plain = (list: readonly { f_min: number; f_max: number; spacing?: number | undefined }[]) =>
    list.map(({ f_min, f_max, spacing }) => ({ minHz: f_min, maxHz: f_max, spacingHz: spacing }));
  const perDegree = Object.entries(params?.per_degree_design_bands ?? {});
  return {
    designBands: plain(params?.design_bands ?? []),
    perDegreeBands: new Map(perDegree.map(([degree, list]) => [degree, plain(list)])),
  };
}

interface Targets {
  target_pch_out_db?: number | undefined;
  target_psd_out_mWperGHz?: number | undefined;
  target_out_mWperSlotWidth?: number | undefined;
}

function equalisations(targets: Targets): Equalisation[] {
  const { target_pch_out_db: power, target_psd_out_mWperGHz: density, target_out_mWperSlotWidth: slot } = targets;
  return [
    ...(power === undefined ? [] : [{ kind: 'power' as const, powerDbm: power }]),
    ...(density === undefined ? [] : [{ kind: 'density' as const, milliwattPerGhz: density }]),
    ...(slot === undefined ? [] : [{ kind: 'slot' as const, milliwattPerGhz: slot }]),
  ];
}

function roadmOf(element: WithParams<'Roadm'>, { equipment }: Sources, complain: Complain): Roadm | undefined {
  const name = element.type_variety || 'default';
  const variety = equipment.Roadm.find(({ type_variety }) => type_variety === name);
  if (!variety) {
    complain(['type_variety'], `${name} is no Roadm of the equipment file`);
    return undefined;
  }
  const params = element.params ?? {};
  const own = equalisations(params);
  const [equalisation, second] = own.length > 0 ? own : equalisations(variety);
  if (!equalisation || second) {
    complain(
      ['params'],
      `must have one equalisation target (power, per GHz or per slot); found ${equalisation ? 'several' : 'none'}`,
    );
    return undefined;
  }
  return {
    kind: 'roadm',
    uid: element.uid,
    model: name,
    equalisation,
    perDegree: perDegreeOf(params),
    addDropOsnrDb: params.add_drop_osnr ?? variety.add_drop_osnr,
    pmdS: params.pmd ?? variety.pmd,
    pdlDb: params.pdl ?? variety.pdl,
    profiles: new Map(
      variety['roadm-path-impairments'].map((profile) => [profile['roadm-path-impairments-id'], profileOf(profile)]),
    ),
    chosen: (params.per_degree_impairments ?? []).map((one) => ({
      from: one.from_degree,
      to: one.to_degree,
      profile: one.impairment_id,
    })),
    preamps: params.restrictions?.preamp_variety_list ?? variety.restrictions.preamp_variety_list,
    boosters: params.restrictions?.booster_variety_list ?? variety.restrictions.booster_variety_list,
    ...bandsOf(params),
  };
}

/** A degree that has several targets is set to its power, else to its density, else per slot. */
function perDegreeOf(params: NonNullable<WithParams<'Roadm'>['params']>): Map<string, Equalisation> {
  const targets = new Map<string, Equalisation>();
  for (const [degree, value] of Object.entries(params.per_degree_psd_out_mWperSlotWidth ?? {}))
    targets.set(degree, { kind: 'slot', milliwattPerGhz: value });
  for (const [degree, value] of Object.entries(params.per_degree_psd_out_mWperGHz ?? {}))
    targets.set(degree, { kind: 'density', milliwattPerGhz: value });
  for (const [degree, value] of Object.entries(params.per_degree_pch_out_db ?? {}))
    targets.set(degree, { kind: 'power', powerDbm: value });
  return targets;
}

function profileOf(profile: GnpyEquipment['Roadm'][number]['roadm-path-impairments'][number]): RoadmProfile {
  const way = profile['roadm-express-path'] ? 'express' : profile['roadm-add-path'] ? 'add' : 'drop';
  const ranges = profile['roadm-express-path'] ?? profile['roadm-add-path'] ?? profile['roadm-drop-path'] ?? [];
  return {
    way,
    ranges: ranges.map((range) => ({
      minHz: range['frequency-range']?.['lower-frequency'] ?? undefined,
      maxHz: range['frequency-range']?.['upper-frequency'] ?? undefined,
      pmdS: range['roadm-pmd'] ?? 0,
      pdlDb: range['roadm-pdl'] ?? 0,
      maxLossDb: range['roadm-maxloss'] ?? 0,
      osnrDb: range['roadm-osnr'] ?? undefined,
    })),
  };
}
