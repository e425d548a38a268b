import type { Amplifier, AmplifierModel } from '../amplifier.ts';
import { designPath } from '../design/design.ts';
import type { Fibre, Glass } from '../fibre.ts';
import { fullSpectrum } from '../from-gnpy/settings.ts';
import { send } from '../lightpath.ts';
import { DEFAULT_SIMULATION, type Simulation } from '../propagate.ts';
import { receive } from '../receive.ts';
import type { Roadm } from '../roadm.ts';
import type { Element, Library, Settings } from '../system.ts';
import {
  ADD_DROP_OSNR_DB,
  booster,
  inline,
  preamplifier,
  ROADM_PDL_DB,
  ROADM_PMD_S,
  ROADM_TARGET_DBM,
} from './catalogue.ts';

/** A fibre link between two places, as far as light is concerned. */
export interface OwnFibre {
  name: string;
  from: string;
  to: string;
  spansKm: readonly number[];
  glass: Glass;
  connectorLossDb: number;
  /** Power of a channel of 50 GHz into each span, dBm. */
  launchDbm: number;
}

export const noLibrary: Library = { amplifiers: new Map(), multiBand: new Map() };
export const simulation: Simulation = DEFAULT_SIMULATION;

/** The designed way over links in order, from one place to another: transmitter, a ROADM at each place, amplifiers at each hut, receiver. */
export function routePath(links: readonly OwnFibre[], from: string, settings: Settings): Element[] {
  const path: Element[] = [end(`transmitter ${from}`)];
  let at = from;
  for (const link of links) {
    path.push(roadm(at), ...lineElements(link));
    at = link.from === at ? link.to : link.from;
  }
  path.push(roadm(at), end(`receiver ${at}`));
  designPath(path, { library: noLibrary, settings, raman: simulation.raman });
  return path;
}

function end(uid: string): Element {
  return { kind: 'transceiver', uid, designBands: [], perDegreeBands: new Map() };
}

function roadm(place: string): Roadm {
  return {
    kind: 'roadm',
    uid: `ROADM ${place}`,
    model: 'Open ROADM',
    equalisation: { kind: 'power', powerDbm: ROADM_TARGET_DBM },
    perDegree: new Map(),
    addDropOsnrDb: ADD_DROP_OSNR_DB,
    pmdS: ROADM_PMD_S,
    pdlDb: ROADM_PDL_DB,
    profiles: new Map(),
    chosen: [],
    preamps: [],
    boosters: [],
    designBands: [],
    perDegreeBands: new Map(),
  };
}

function lineElements(link: OwnFibre): Element[] {
  const elements: Element[] = [amplifier(`${link.name} booster`, booster, link.launchDbm)];
  for (const [k, spanKm] of link.spansKm.entries()) {
    const last = k === link.spansKm.length - 1;
    elements.push(span(link, k, spanKm));
    elements.push(amplifier(`${link.name} amplifier ${k + 1}`, last ? preamplifier : inline, link.launchDbm));
  }
  return elements;
}

function span(link: OwnFibre, k: number, spanKm: number): Fibre {
  return {
    kind: 'fibre',
    uid: `${link.name} span ${k + 1}`,
    glass: link.glass,
    lengthM: spanKm * 1e3,
    attInDb: 0,
    connectorInDb: link.connectorLossDb,
    connectorOutDb: link.connectorLossDb,
    lumped: [],
    pumps: [],
    temperatureK: 293,
  };
}

function amplifier(uid: string, model: AmplifierModel, deltaPDb: number): Amplifier {
  return {
    kind: 'amplifier',
    uid,
    model,
    gainDb: undefined,
    deltaPDb,
    tiltDb: 0,
    outVoaDb: 0,
    inVoaDb: 0,
    allowed: [],
  };
}

/** Even spans of at most `spanKm`. */
export function evenSpans(lengthKm: number, spanKm: number): number[] {
  const count = Math.max(1, Math.ceil(lengthKm / spanKm - 1e-9));
  return Array.from({ length: count }, () => lengthKm / count);
}

const LAUNCH_DBM = [-4, -3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2];

/** Light into the spans of a link, and what is then left of it. */
export interface Launch {
  launchDbm: number;
  worstGsnrDb01nm: number;
  /** Of every channel, in the order of frequency. */
  channels: { frequencyThz: number; gsnrDb01nm: number }[];
  /** Why no amplifier can bridge a span; empty where all can. */
  why: string;
}

/**
 * The power into the spans of a link that gives its worst channel most: below it amplifiers are noisy, above it the fibre is. A full comb of 50 GHz; up to
 * what the amplifiers can give. A span that loses more than an amplifier makes good is told, whatever the numbers say.
 */
export function bestLaunch(link: OwnFibre, settings: Settings): Launch {
  let best: Launch = { launchDbm: 0, worstGsnrDb01nm: -Infinity, channels: [], why: '' };
  const comb = fullSpectrum(settings.spectra[0]!);
  for (const launchDbm of LAUNCH_DBM) {
    const path = routePath([{ ...link, launchDbm }], link.from, settings);
    const arrival = send(path, { library: noLibrary, settings, simulation, channels: comb });
    const received = receive(arrival);
    const worstGsnrDb01nm = received.reduce((least, { gsnrDb01nm }) => Math.min(least, gsnrDb01nm), Infinity);
    if (worstGsnrDb01nm <= best.worstGsnrDb01nm) continue;
    const channels = received.map(({ frequencyHz, gsnrDb01nm }) => ({ frequencyThz: frequencyHz / 1e12, gsnrDb01nm }));
    best = { launchDbm, worstGsnrDb01nm, channels, why: tooLossy(path, settings) };
  }
  return best;
}

function tooLossy(path: readonly Element[], { span }: Settings): string {
  for (const [at, element] of path.entries()) {
    if (element.kind !== 'amplifier') continue;
    const most = element.model!.gainFlatMaxDb + span.extendedGainDb;
    if (element.gainDb! > most + 1e-9)
      return `${path[at - 1]!.uid} loses ${element.gainDb!.toFixed(0)} dB, and amplifiers make good ${most} dB`;
  }
  return '';
}
