import type { CaptureFlowsReport } from '../model/capture/collection-report.ts';
import { printable } from '../model/outcome.ts';
import { withPort } from '../stats/address.ts';
import { hang, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import { trafficLines } from './capture-text.ts';
import { num, plural } from './format.ts';

/** `inferpath capture --listen` for a terminal: what came, what of it was lost and by whom, what it looks like. */
export function renderCaptureFlowsText(report: CaptureFlowsReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const blocks = [
    head(report, columns, paint),
    exporters(report, columns, paint),
    trafficLines(report.patterns, columns, paint),
  ];
  return `${blocks
    .filter((b) => b.length > 0)
    .map((b) => b.map((l) => l.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head(report: CaptureFlowsReport, columns: number, paint: Palette): string[] {
  const { collection } = report;
  const places = collection.listen.map(({ address, port }) => withPort(address, port)).join(', ');
  const scaled = report.sampled ? ', scaled by sampling' : '';
  const facts = `${plural(report.records, 'record')} in ${plural(collection.datagrams, 'datagram')} in ${num(report.durationMs / 1000)} s: ${num(report.packets)} packets, ${num(report.octets / 1e6)} MB${scaled}`;
  const trouble = [
    ...(collection.kernelDrops !== null && collection.kernelDrops > 0
      ? [`${plural(collection.kernelDrops, 'datagram')} dropped by the kernel: this process was too slow`]
      : []),
    ...(collection.foreign > 0 ? [`${plural(collection.foreign, 'datagram')} of no format that is read`] : []),
    ...(report.toldAgain > 0
      ? [`${plural(report.toldAgain, 'record')} told of what another exporter had told, and counted once below`]
      : []),
  ];
  return [
    ...hang('', `flow exports to ${places}`, columns).map(paint.bold),
    ...wrap(facts, columns).map(paint.dim),
    ...trouble.flatMap((line) => hang(`${paint.verdict.unknown('!')} `, line, columns)),
  ];
}

function exporters({ collection }: CaptureFlowsReport, columns: number, paint: Palette): string[] {
  if (collection.exporters.length === 0) return [];
  const lines = collection.exporters.flatMap((one) => {
    const { sequence, malformed, unreadSets, samplesDropped } = one;
    const lost = [
      ...(sequence.lost > 0 ? [`${sequence.lost} ${sequence.unit} lost on the way`] : []),
      ...(sequence.restarts > 0 ? [plural(sequence.restarts, 'restart')] : []),
      ...(malformed > 0 ? [`${malformed} malformed`] : []),
      ...(unreadSets > 0 ? [`${plural(unreadSets, 'set')} without template`] : []),
      ...(samplesDropped > 0 ? [`${plural(samplesDropped, 'sample')} dropped by the agent`] : []),
    ];
    const state = lost.length > 0 ? lost.join(', ') : 'nothing lost';
    const name = `${one.agent ? printable(one.agent, 40) : withPort(one.address, one.port)}, ${one.format}, domain ${one.domain}`;
    return hang(
      '  ',
      `${name}: ${plural(one.flows, 'record')} in ${plural(one.messages, 'message')}, ${state}`,
      columns,
    );
  });
  return [paint.bold('Exporters'), ...lines];
}
