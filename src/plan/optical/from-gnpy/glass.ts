import type { GnpyEquipment } from '../../../gather/topology/gnpy/equipment.ts';
import type { GnpyFibre } from '../../../gather/topology/gnpy/topology.ts';
import { constant, type Curve } from '../curve.ts';
import {
  areaAt,
  areaOfGamma,
  DEFAULT_AREA_M2,
  DEFAULT_DISPERSION,
  DEFAULT_REFERENCE_HZ,
  type Glass,
  type RamanGain,
} from '../fibre.ts';
import { RAMAN_GAIN_TIMES_AREA, RAMAN_OFFSET_THZ, RAMAN_REFERENCE_HZ } from '../measured.ts';
import { LIGHT_SPEED_M_PER_S as C } from '../units.ts';

type Variety = GnpyEquipment['Fiber'][number];
type Params = GnpyFibre['params'];

/** The glass of a fibre: what the element says, and of its variety what it does not say. */
export function glassOf(params: Params, variety: Variety): Glass {
  const given = { ...variety, ...defined(params) };
  const referenceHz =
    given.ref_wavelength === undefined ? (given.ref_frequency ?? DEFAULT_REFERENCE_HZ) : C / given.ref_wavelength;
  const glass: Glass = {
    lossDbPerM: lossOf(params),
    dispersion: given.dispersion_per_frequency
      ? { frequencyHz: given.dispersion_per_frequency.frequency, value: given.dispersion_per_frequency.value }
      : given.dispersion === undefined
        ? DEFAULT_DISPERSION
        : constant(given.dispersion),
    referenceHz,
    effectiveAreaM2:
      given.effective_area ?? (given.gamma === undefined ? DEFAULT_AREA_M2 : areaOfGamma(given.gamma, referenceHz)),
    // A coefficient of zero in an element means that it is not known.
    pmdCoefficient: params.pmd_coef || (variety.pmd_coef ?? 0),
    raman: { offsetHz: new Float64Array(0), perPumpHz: new Float64Array(0) },
  };
  if (given.dispersion_slope !== undefined && !given.dispersion_per_frequency)
    glass.dispersionSlope = given.dispersion_slope;
  glass.raman = ramanOf(glass, given);
  return glass;
}

/** A copy without what is undefined. */
function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
}

function lossOf({ loss_coef, loss_coef_per_frequency }: Params): Curve {
  if (typeof loss_coef === 'number') return constant(loss_coef * 1e-3);
  const points = loss_coef
    ? loss_coef.frequency.map((frequency, i) => ({ frequency, loss_coef_value: loss_coef.value[i]! }))
    : (loss_coef_per_frequency ?? []).toSorted((a, b) => a.frequency - b.frequency);
  return { frequencyHz: points.map((p) => p.frequency), value: points.map((p) => p.loss_coef_value * 1e-3) };
}

/** Gain coefficients hold for one area and pump; area and pump of the fibre at hand come in when they are used. */
function ramanOf(glass: Glass, given: Partial<Variety>): RamanGain {
  const own = given.raman_coefficient ?? efficiency(given);
  if (!own)
    return {
      offsetHz: Float64Array.from(RAMAN_OFFSET_THZ, (thz) => thz * 1e12),
      perPumpHz: Float64Array.from(RAMAN_GAIN_TIMES_AREA, (gain) => gain / RAMAN_REFERENCE_HZ),
    };
  const pumpHz = own.reference_frequency;
  const overlap = (offsetHz: number) => (areaAt(glass, pumpHz - offsetHz) + areaAt(glass, pumpHz)) / 2;
  return {
    offsetHz: Float64Array.from(own.frequency_offset),
    perPumpHz: Float64Array.from(own.g0, (g0, i) => (g0 * overlap(own.frequency_offset[i]!)) / pumpHz),
  };
}

function efficiency({ raman_efficiency }: Partial<Variety>): Variety['raman_coefficient'] {
  if (!raman_efficiency) return undefined;
  return {
    g0: raman_efficiency.cr,
    frequency_offset: raman_efficiency.frequency_offset,
    reference_frequency: RAMAN_REFERENCE_HZ,
  };
}
