import type { OpticalNetworkReport } from '../../../model/plan/optical-network.ts';
import { num } from '../../format.ts';
import { section, table } from './section.ts';

/** What own fibre carries, and the wavelengths on it. */
export function opticalSection({ links, lightpaths, spectrum }: OpticalNetworkReport): string {
  const fibres = links.map((l) => [
    l.name,
    num(l.lengthKm),
    String(l.spansKm.length),
    l.gsnrDb01nm === null ? `– ${l.why}` : num(l.gsnrDb01nm),
    l.closes[0] ? `${l.closes[0].gbps} Gbit/s (${l.closes[0].mode}), margin ${num(l.closes[0].marginDb)} dB` : 'none',
    num(l.maxTbps),
  ]);
  const paths = lightpaths.map((l) => [
    `${l.from} → ${l.to}`,
    num(l.gbps),
    l.links.join(', ') || '–',
    l.wavelengths.map(({ count, gbps, mode }) => `${count} × ${gbps} Gbit/s (${mode})`).join(', ') || l.why,
  ]);
  return section(
    'optical',
    'Light',
    `${spectrum.usedSlots} of ${spectrum.totalSlots} slots of 12.5 GHz in use; no assignment does with fewer than ${spectrum.lowerBoundSlots}.`,
    table(['Fibre', 'Length (km)', 'Spans ()', 'GSNR (dB)', 'Fastest mode', 'Fibre pair (Tbit/s)'], fibres),
    lightpaths.length > 0 ? table(['Demand', 'Needs (Gbit/s)', 'Way', 'Wavelengths'], paths) : '',
  );
}
