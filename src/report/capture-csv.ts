import type { FlowWithExchanges } from '../model/capture/report.ts';

type Cell = string | number | null;

/** One conversation a row; what is not known is empty. */
const columns: readonly (readonly [name: string, of: (flow: FlowWithExchanges) => Cell])[] = [
  ['number', ({ number }) => number],
  ['protocol', ({ protocol }) => protocol],
  ['client', ({ client }) => client],
  ['server', ({ server }) => server],
  ['class', ({ pattern }) => pattern.class],
  ['direction', ({ pattern }) => pattern.direction],
  ['startMs', ({ startMs }) => startMs],
  ['durationMs', ({ durationMs }) => durationMs],
  ['clientPackets', ({ packets }) => packets.client],
  ['serverPackets', ({ packets }) => packets.server],
  ['clientOctets', ({ octets }) => octets.client],
  ['serverOctets', ({ octets }) => octets.server],
  ['toServerRttMs', ({ tcp }) => tcp?.toServer?.lowestMs ?? null],
  ['toClientRttMs', ({ tcp }) => tcp?.toClient?.lowestMs ?? null],
  ['quicSpinRttMs', ({ quic }) => (quic?.spin.kind === 'spins' ? quic.spin.client.p50Ms : null)],
  ['quicServerGapP99Ms', ({ quic }) => quic?.gaps.serverP99Ms ?? null],
  ['clientRetransmittedSegments', ({ tcp }) => tcp?.client.retransmittedSegments ?? null],
  ['serverRetransmittedSegments', ({ tcp }) => tcp?.server.retransmittedSegments ?? null],
  ['serverLostBeforeTap', ({ tcp }) => tcp?.server.originalsUnseen ?? null],
  ['serverReordered', ({ tcp }) => tcp?.server.reordered ?? null],
  ['zeroWindows', ({ tcp }) => (tcp ? tcp.client.zeroWindows + tcp.server.zeroWindows : null)],
  ['notCapturedOctets', ({ tcp }) => (tcp ? tcp.client.captureLossOctets + tcp.server.captureLossOctets : null)],
  ['exchanges', ({ exchanges, exchangesNotListed }) => exchanges.length + exchangesNotListed],
  ['worstFirstChunkMs', ({ exchanges }) => most(exchanges.map(({ firstChunk }) => firstChunk?.atTapMs ?? null))],
  ['stalls', ({ exchanges }) => exchanges.reduce((sum, { stalls }) => sum + stalls.length, 0)],
  ['stalledByNetworkMs', ({ exchanges }) => sum(exchanges.map(({ stalledMs }) => stalledMs.network))],
  ['stalledByServerMs', ({ exchanges }) => sum(exchanges.map(({ stalledMs }) => stalledMs.server))],
];

/** RFC 4180. */
export function captureCsv(flows: readonly FlowWithExchanges[]): string {
  const rows = [columns.map(([name]) => name), ...flows.map((flow) => columns.map(([, of]) => of(flow)))];
  return rows.map((row) => `${row.map(cellText).join(',')}\r\n`).join('');
}

function cellText(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function most(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? Math.max(...known) : null;
}

function sum(values: readonly number[]): number {
  return Math.round(values.reduce((total, value) => total + value, 0) * 1000) / 1000;
}
