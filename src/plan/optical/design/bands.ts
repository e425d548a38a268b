import type { AmplifierModel } from '../amplifier.ts';
import type { Band } from '../comb.ts';
import type { DesignBand } from '../roadm.ts';
import { DesignError, type Element, type Library, type Settings } from '../system.ts';

/** Names of bands by their centre, by which the amplifiers of a multi-band amplifier are told apart. */
export function bandName({ minHz, maxHz }: Band): string {
  const centre = (minHz + maxHz) / 2;
  if (centre >= 187e12 && centre <= 189e12) return 'L';
  if (centre >= 191.3e12 && centre <= 196e12) return 'C';
  return 'other';
}

/** Bands that several things have in common. */
export function commonBands(
  sets: readonly (readonly DesignBand[])[],
  spacingAt: (band: Band) => number | undefined,
): DesignBand[] {
  const sorted = sets.map((bands) => bands.toSorted((a, b) => a.minHz - b.minHz));
  let common: readonly DesignBand[] = sorted[0] ?? [];
  for (const bands of sorted)
    common = common.flatMap((first) =>
      bands.flatMap((second) => {
        const band = { minHz: Math.max(first.minHz, second.minHz), maxHz: Math.min(first.maxHz, second.maxHz) };
        if (band.minHz >= band.maxHz) return [];
        return [{ ...band, spacingHz: widerSpacing(first, second) ?? spacingAt(band) }];
      }),
    );
  return common.toSorted((a, b) => a.minHz - b.minHz);
}

function widerSpacing(first: DesignBand, second: DesignBand): number | undefined {
  if (first.spacingHz === undefined) return second.spacingHz;
  return second.spacingHz === undefined ? first.spacingHz : Math.max(first.spacingHz, second.spacingHz);
}

/** Bands of an element that amplifies, where they are known. */
export function bandsOf(element: Element, library: Library): DesignBand[] {
  const plain = ({ minHz, maxHz }: Band): DesignBand => ({ minHz, maxHz, spacingHz: undefined });
  if (element.kind === 'amplifier') return element.model ? [plain(element.model.band)] : [];
  if (element.kind !== 'multi-band') return [];
  const chosen = element.bands.flatMap(({ model }: { model: AmplifierModel | undefined }) =>
    model ? [plain(model.band)] : [],
  );
  if (chosen.length > 0) return chosen;
  const model = element.model === undefined ? undefined : library.multiBand.get(element.model);
  return (model?.bands ?? []).map(plain);
}

/** The bands for which a line is designed: what its start and its amplifiers have in common. */
export function lineBands(
  start: Element,
  line: readonly Element[],
  library: Library,
  settings: Settings,
): DesignBand[] {
  if (start.kind !== 'roadm' && start.kind !== 'transceiver') return [];
  const degree = line[0]!.uid;
  const spacingHz = settings.spectra[0]!.spacingHz;
  const own = start.designBands.length > 0 ? start.designBands : settings.spectra;
  const spacingAt = ({ minHz, maxHz }: Band) => {
    const middle = (minHz + maxHz) / 2;
    return own.find((band) => middle >= band.minHz && middle <= band.maxHz)?.spacingHz ?? spacingHz;
  };
  const given = start.perDegreeBands.get(degree);
  if (given)
    return given
      .map((band) => ({ ...band, spacingHz: band.spacingHz ?? spacingAt(band) }))
      .toSorted((a, b) => a.minHz - b.minHz);
  const kinds = new Set(
    line.filter(({ kind }) => kind === 'amplifier' || kind === 'multi-band').map(({ kind }) => kind),
  );
  if (kinds.size > 1) throw new DesignError(degree, 'amplifiers of one band and of several bands are on one line');
  const single = kinds.size === 1 ? kinds.has('amplifier') : undefined;
  const matches = single === (own.length === 1);
  const sets = line.map((element) => bandsOf(element, library)).filter((bands) => bands.length > 0);
  const common = commonBands(matches ? [...sets, own] : sets, spacingAt);
  if (common.length > 0) return common;
  if (single === undefined || matches) return [...own];
  throw new DesignError(
    start.uid,
    `the line by ${degree} has amplifiers of ${single ? 'one band' : 'several bands'}, and the design bands are ${own.length}`,
  );
}
