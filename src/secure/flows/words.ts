import type { Flow, Snapshot } from '../../model/secure/snapshot.ts';

/** `10.0.0.1 → 10.0.0.2 tcp/443`. */
export function flowText({ from, to, protocol, port }: Pick<Flow, 'from' | 'to' | 'protocol' | 'port'>): string {
  return `${from} → ${to} ${serviceWord(protocol, port)}`;
}

export function serviceWord(protocol: string, port: number): string {
  if (protocol.startsWith('icmp')) return `${protocol} type ${port}`;
  return protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp'
    ? `${protocol}/${port}`
    : `protocol ${protocol}`;
}

/** How often and how long was looked: `12 samples, one every 5 s` or `40,211 records over 3.2 days`. */
export function seenBy(snapshot: Snapshot): string {
  const { samples, intervalS, fromMs, toMs, sources } = snapshot;
  const records = sources.reduce((sum, { connections }) => sum + connections, 0);
  const spanS = fromMs === null || toMs === null ? 0 : (toMs - fromMs) / 1000;
  const over = spanS >= 1 ? ` over ${spanText(spanS)}` : '';
  const looks = `${samples} ${samples === 1 ? 'sample' : 'samples'}`;
  if (samples > 0) return intervalS !== null && samples > 1 ? `${looks}, one every ${intervalS} s` : `${looks}${over}`;
  return `${records.toLocaleString('en')} ${records === 1 ? 'record' : 'records'}${over}`;
}

export function spanText(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toPrecision(3))} s`;
  if (seconds < 7200) return `${Number((seconds / 60).toPrecision(3))} min`;
  return seconds < 172_800
    ? `${Number((seconds / 3600).toPrecision(3))} h`
    : `${Number((seconds / 86_400).toPrecision(3))} days`;
}
