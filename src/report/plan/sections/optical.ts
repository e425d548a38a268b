import type { OpticalNetworkReport } from '../../../model/plan/optical-network.ts';
import { num } from '../../format.ts';
import { lines } from '../../svg/lines.ts';
import { picture, section, table } from './section.ts';

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
  const lit = links.filter(({ gsnrDb01nm, channels }) => gsnrDb01nm !== null && channels.length > 0).slice(0, 6);
  const all = lit.flatMap(({ channels }) => channels);
  const floor = (values: number[]) => Math.floor(Math.min(...values));
  const spectrumChart = (width: number) =>
    lines(
      {
        title: 'GSNR of every channel',
        xUnit: 'THz',
        yUnit: 'dB',
        xFrom: floor(all.map(({ frequencyThz }) => frequencyThz)),
        yFrom: floor(all.map(({ gsnrDb01nm }) => gsnrDb01nm)),
        series: lit.map(({ name, channels }) => ({
          label: name,
          points: channels.map((c) => ({ x: c.frequencyThz, y: c.gsnrDb01nm })),
        })),
        marks: false,
      },
      width,
    );
  const paths = lightpaths
    .filter(({ links: way }) => way.length > 0)
    .map((l) => [
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
    lit.length > 0 ? picture('GSNR of every channel of a full comb, 0.1 nm', spectrumChart) : '',
    paths.length > 0 ? table(['Demand', 'Needs (Gbit/s)', 'Way', 'Wavelengths'], paths) : '',
  );
}
