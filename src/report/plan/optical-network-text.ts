import { printable } from '../../model/outcome.ts';
import type { OpticalNetworkReport } from '../../model/plan/optical-network.ts';
import { clip, hang, pad, padLeft, type Palette, palette, type TextOptions } from '../ansi.ts';
import { num, plural } from '../format.ts';

/** `inferpath plan optical NETWORK` for a terminal: what each fibre carries, then the light for each demand, then the spectrum. */
export function renderOpticalNetworkText(report: OpticalNetworkReport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  if (report.of.links === 0)
    return 'no link has fibre that is yours to light: kind darkFibre, mofn or spectrum, or a key fibre, with a length\n';
  const blocks = [
    endedLines(report, columns, paint),
    linkLines(report, columns, paint),
    lightpathLines(report, columns, paint),
    spectrumLines(report, columns, paint),
    report.figures
      .flatMap((f) => hang('', `${f.origin}: ${f.name} ${num(f.value)} ${f.unit}: ${f.how}`, columns))
      .map(paint.dim),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function endedLines({ ended, links, lightpaths, of }: OpticalNetworkReport, columns: number, paint: Palette): string[] {
  if (ended === 'complete') return [];
  const seen = `${links.length} of ${plural(of.links, 'link')} and the light of ${lightpaths.length} of ${plural(of.lightpaths, 'demand')}: what is not here was not looked at`;
  return hang(`${paint.verdict.unknown(ended.toUpperCase())}  `, seen, columns);
}

function linkLines({ links }: OpticalNetworkReport, columns: number, paint: Palette): string[] {
  const width = Math.min(28, Math.max(4, ...links.map(({ name }) => name.length)));
  const head = `${pad('link', width)}${padLeft('km', 7)}${padLeft('spans', 7)}${padLeft('ms', 7)}${padLeft('GSNR', 7)}${padLeft('Tbit/s', 8)}  fastest that closes`;
  return [
    paint.bold(clip(head, columns)),
    ...links.map((link) => {
      const [best] = link.closes;
      const fastest = best
        ? `${best.mode}, ${best.marginDb.toFixed(1)} dB${best.how === 'assumed' ? ' (assumed)' : ''}`
        : link.why || 'none';
      const cells = [
        link.lengthKm.toFixed(0),
        String(link.spansKm.length),
        link.latencyMs.toFixed(2),
        link.gsnrDb01nm === null ? '–' : link.gsnrDb01nm.toFixed(1),
      ];
      const numbers = `${cells.map((text) => padLeft(text, 7)).join('')}${padLeft(num(link.maxTbps), 8)}`;
      return clip(`${pad(clip(printable(link.name, 100), width), width)}${numbers}  ${fastest}`, columns);
    }),
  ];
}

function lightpathLines({ lightpaths }: OpticalNetworkReport, columns: number, paint: Palette): string[] {
  const without = lightpaths.filter(({ links }) => links.length === 0);
  const apart = without.map(({ from, to }) => `${printable(from, 60)} – ${printable(to, 60)}`).join(', ');
  const lines = lightpaths.flatMap((one) => {
    if (one.links.length === 0) return [];
    const ends = `${printable(one.from, 60)} – ${printable(one.to, 60)}`;
    const mark = one.why === '' ? paint.verdict.pass('CLOSES  ') : paint.verdict.fail('NO      ');
    const waves = one.wavelengths
      .map((w) => `${w.count} × ${printable(w.mode, 60)} (${w.marginDb.toFixed(1)} dB)`)
      .join(', then ');
    const again =
      one.regeneratedAt.length > 0
        ? `, sent again at ${one.regeneratedAt.map((s) => printable(s, 60)).join(', ')}`
        : '';
    const way = `${Math.round(one.lengthKm)} km, ${(one.latencyMs ?? 0).toFixed(2)} ms one way`;
    return hang(mark, `${ends}, ${num(one.gbps)} Gbit/s: ${one.why === '' ? waves : one.why}; ${way}${again}`, columns);
  });
  const none = `no own fibre leads from one to the other of ${apart}`;
  return [...lines, ...(without.length > 0 ? hang(paint.dim('–       '), none, columns) : [])];
}

function spectrumLines({ spectrum }: OpticalNetworkReport, columns: number, paint: Palette): string[] {
  const { usedSlots, lowerBoundSlots, totalSlots, fits } = spectrum;
  if (usedSlots === 0) return [];
  const least =
    usedSlots === lowerBoundSlots ? 'which is the least' : `at least ${plural(lowerBoundSlots, 'slot')} are needed`;
  const text = `${plural(usedSlots, 'slot')} of 12.5 GHz in use of ${totalSlots} (${least})`;
  return hang(fits ? paint.verdict.pass('FITS    ') : paint.verdict.fail('FULL    '), text, columns);
}
