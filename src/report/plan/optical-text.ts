import { printable } from '../../model/outcome.ts';
import type { OpticalReport } from '../../model/plan/optical.ts';
import { clip, hang, pad, padLeft, type Palette, palette, type TextOptions } from '../ansi.ts';
import { plural } from '../format.ts';

/** Rows of channels that are shown: enough to see the shape over the band. */
const CHANNEL_ROWS = 12;

/** `inferpath plan optical` for a terminal: what closes, then the channels over the band, then where the light loses quality. */
export function renderOpticalText(report: OpticalReport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(60, options.columns);
  const blocks = [
    heading(report, columns, paint),
    modeLines(report, columns, paint),
    channelLines(report, paint),
    elementLines(report, columns, paint),
    hang('', report.how, columns).map(paint.dim),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function heading(report: OpticalReport, columns: number, paint: Palette): string[] {
  const { channels, notCarriedThz, elements } = report;
  const ends = `${printable(report.from, 60)} → ${printable(report.to, 60)}`;
  const kinds = (kind: string) => elements.filter((element) => element.kind === kind).length;
  const amplifiers = kinds('amplifier') + kinds('multi-band');
  const named = (list: typeof elements) => list.map(({ uid }) => printable(uid, 60)).join(', ');
  const saturated = elements.filter((element) => element.saturated);
  const strained = elements.filter(({ overGainDb = 0 }) => overGainDb > 0.01);
  return [
    ...hang('', `${ends}: ${Math.round(report.lengthKm)} km, ${report.latencyMs.toFixed(2)} ms one way`, columns).map(
      paint.bold,
    ),
    ...hang(
      '',
      `${plural(channels.length, 'channel')} over ${plural(kinds('fibre'), 'fibre')}, ${plural(amplifiers, 'amplifier')}, ${plural(kinds('roadm'), 'ROADM')}; ` +
        `GSNR ${report.worstGsnrDb01nm.toFixed(2)} dB (0.1 nm) on the worst channel, ${report.meanGsnrDb01nm.toFixed(2)} dB in the mean`,
      columns,
    ),
    ...(notCarriedThz.length === 0
      ? []
      : hang(
          paint.verdict.unknown('LEFT OUT  '),
          `${plural(notCarriedThz.length, 'channel')} outside the band of the amplifiers`,
          columns,
        )),
    ...(saturated.length === 0 ? [] : hang(paint.verdict.unknown('SATURATED  '), named(saturated), columns)),
    ...(strained.length === 0
      ? []
      : hang(
          paint.verdict.unknown('BEYOND ITS GAIN  '),
          `${named(strained)}: more than the model gives flat`,
          columns,
        )),
  ];
}

function modeLines({ modes }: OpticalReport, columns: number, paint: Palette): string[] {
  const rows = modes.toSorted((a, b) => a.gbps - b.gbps || (b.marginDb ?? -Infinity) - (a.marginDb ?? -Infinity));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    paint.bold(
      `${pad('', 8)}${padLeft('Gbit/s', 6)}  ${pad('mode', width)}  ${padLeft('margin', 8)}  ${padLeft('channels', 8)}`,
    ),
    ...rows.map((row) => {
      const mark = row.closes ? paint.verdict.pass('CLOSES  ') : paint.verdict.fail('NO      ');
      const margin = row.marginDb === null ? '' : `${row.marginDb.toFixed(1)} dB`;
      const note = [row.why, row.how === 'sourced' ? '' : row.how].filter((text) => text !== '').join('; ');
      const plain = `${padLeft(String(row.gbps), 6)}  ${pad(row.name, width)}  ${padLeft(margin, 8)}  ${padLeft(String(row.channels), 8)}  ${note}`;
      return mark + clip(plain, columns - 8);
    }),
  ];
}

function channelLines({ channels }: OpticalReport, paint: Palette): string[] {
  const cell = (value: number | null, digits: number) => padLeft(value === null ? '–' : value.toFixed(digits), 8);
  const step = Math.max(1, Math.ceil((channels.length - 1) / (CHANNEL_ROWS - 1)));
  const shown = channels.filter((_, i) => i % step === 0 || i === channels.length - 1);
  const title = ['THz', 'GBd', 'GSNR', 'ASE', 'NLI', 'dBm', 'ps/nm', 'PMD ps', 'PDL dB']
    .map((text) => padLeft(text, 8))
    .join('');
  return [
    paint.bold(title),
    ...shown.map((c) =>
      [
        cell(c.frequencyThz, 3),
        cell(c.baudRateGbd, 1),
        cell(c.gsnrDb01nm, 2),
        cell(c.osnrAseDb01nm, 2),
        cell(c.osnrNliDb01nm, 2),
        cell(c.powerDbm, 1),
        cell(c.cdPsPerNm, 0),
        cell(c.pmdPs, 2),
        cell(c.pdlDb, 2),
      ].join(''),
    ),
    ...(shown.length < channels.length
      ? [paint.dim(`${plural(channels.length - shown.length, 'channel')} between them: --json`)]
      : []),
  ];
}

function elementLines({ elements }: OpticalReport, columns: number, paint: Palette): string[] {
  const amplifiers = elements.filter(({ kind }) => kind === 'amplifier');
  if (amplifiers.length === 0) return [];
  const model = Math.max(5, ...amplifiers.map((a) => (a.model ?? '').length));
  return [
    paint.bold(`${padLeft('gain', 6)}${padLeft('NF', 7)}${padLeft('out dBm', 9)}  ${pad('model', model)}  amplifier`),
    ...amplifiers.map(({ uid, gainDb = 0, nfDb, outputDbm, model: name = '' }) => {
      const nf = typeof nfDb === 'number' ? nfDb.toFixed(1) : '–';
      const numbers = `${padLeft(gainDb.toFixed(1), 6)}${padLeft(nf, 7)}${padLeft(outputDbm.toFixed(1), 9)}`;
      return clip(`${numbers}  ${pad(name, model)}  ${printable(uid, 200)}`, columns);
    }),
  ];
}
