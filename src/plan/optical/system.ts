import type { Amplifier, AmplifierModel, MultiBandAmplifier } from './amplifier.ts';
import type { Band } from './comb.ts';
import type { Fibre } from './fibre.ts';
import type { DesignBand, Roadm } from './roadm.ts';

/** End of a lightpath. */
export interface Transceiver {
  kind: 'transceiver';
  uid: string;
  designBands: readonly DesignBand[];
  perDegreeBands: ReadonlyMap<string, readonly DesignBand[]>;
}

/** A passive joint, or a ROADM that is passed by. */
export interface Fused {
  kind: 'fused';
  uid: string;
  lossDb: number;
}

export type Element = Transceiver | Roadm | Fused | Fibre | Amplifier | MultiBandAmplifier;

/** An optical network: elements by name, and which follows which. */
export interface System {
  elements: Map<string, Element>;
  next: Map<string, string[]>;
  previous: Map<string, string[]>;
}

export function emptySystem(): System {
  return { elements: new Map(), next: new Map(), previous: new Map() };
}

export function addElement(system: System, element: Element): void {
  system.elements.set(element.uid, element);
  system.next.set(element.uid, []);
  system.previous.set(element.uid, []);
}

export function connect(system: System, from: string, to: string): void {
  const next = system.next.get(from)!;
  if (next.includes(to)) return;
  next.push(to);
  system.previous.get(to)!.push(from);
}

export function disconnect(system: System, from: string, to: string): void {
  system.next.set(
    from,
    system.next.get(from)!.filter((uid) => uid !== to),
  );
  system.previous.set(
    to,
    system.previous.get(to)!.filter((uid) => uid !== from),
  );
}

/** Something that an optical network lacks or that contradicts itself; the user can mend it. */
export class DesignError extends Error {
  readonly uid: string;
  constructor(uid: string, message: string) {
    super(`${uid}: ${message}`);
    this.name = 'DesignError';
    this.uid = uid;
  }
}

export function elementOf(system: System, uid: string): Element {
  const element = system.elements.get(uid);
  if (!element) throw new DesignError(uid, 'is not an element of the topology');
  return element;
}

/** All elements of a kind as they are now; the system may be changed while they are gone through. */
export function ofKind<K extends Element['kind']>(system: System, kind: K): Extract<Element, { kind: K }>[] {
  return [...system.elements.values()].filter(
    (element): element is Extract<Element, { kind: K }> => element.kind === kind,
  );
}

/** The one that follows; lines between ROADMs do not fork. */
export function nextOf(system: System, element: Element): Element {
  const uid = system.next.get(element.uid)?.[0];
  if (uid === undefined) throw new DesignError(element.uid, 'nothing is connected behind it');
  return elementOf(system, uid);
}

/** Amplifiers by name, and those that are made of one per band. */
export interface Library {
  amplifiers: ReadonlyMap<string, AmplifierModel>;
  multiBand: ReadonlyMap<string, MultiBandModel>;
}

export interface MultiBandModel {
  name: string;
  /** Names of the amplifiers that it may be made of. */
  amplifiers: readonly string[];
  bands: readonly Band[];
  forDesign: boolean;
}

/** Channels that a system is filled with when the user names none, and for which it is designed. */
export interface ReferenceSpectrum {
  minHz: number;
  maxHz: number;
  spacingHz: number;
  baudHz: number;
  rollOff: number;
  /** Power of a channel in a span that design refers to. */
  powerDbm: number;
  /** Power out of transmitters, where it is not the former. */
  txPowerDbm: number | undefined;
  txOsnrDb: number;
  marginDb: number;
  /** Design for as many channels as fit this spectrum, and not as fit the band of each line. */
  countForDesign: boolean;
}

/** Rules of auto-design. */
export interface SpanRules {
  /** Amplifiers are set for a power per span (true), or keep the gain that the file gives them. */
  powerMode: boolean;
  /** Least, most, step. */
  deltaPowerDb: readonly [number, number, number];
  maxLossPerMForRamanDb: number;
  extendedGainDb: number;
  maxLengthM: number;
  paddingDb: number;
  endOfLifeDb: number;
  connectorInDb: number;
  connectorOutDb: number;
  referenceLossDb: number;
  powerSlope: number;
  voaMarginDb: number;
  voaStepDb: number;
}

export interface Settings {
  span: SpanRules;
  /** The first is the default. */
  spectra: readonly ReferenceSpectrum[];
}

/** Channels in a band: the first stands one spacing above the lower end. */
export function channelCount(minHz: number, maxHz: number, spacingHz: number): number {
  return Math.floor((maxHz - minHz) / spacingHz);
}
