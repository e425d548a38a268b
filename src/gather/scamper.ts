import { emitTrace, type HopReply, hopOf, MAX_TTL, type TraceMethod } from './hops.ts';
import { type Importer, type ImportContext, marks, type Sink } from './importer.ts';
import { asArray, asNumber, asObject, asText, type JsonObject, ndjsonReader } from './json.ts';
import { probeRun } from './probe-run.ts';
import { multipathGraph } from './scamper-graph.ts';

/** scamper's JSON (`-O json`, or `sc_warts2json`): one record per line. Pings, traces, and the multipath traces of tracelb. */
export const scamperImporter: Importer = {
  format: 'scamper-json',
  about: 'scamper -O json and sc_warts2json: ping, trace, tracelb',
  detect: (head) =>
    marks(head, [
      [/^\{"type":"(?:ping|trace|tracelb|cycle-start|cycle-def)",/m, 1, 'records with "type" ping, trace or tracelb'],
    ]),
  open: (context, sink) =>
    ndjsonReader(sink, (record, line) => {
      const type = asText(record['type']);
      const read = type === null ? undefined : records[type];
      if (type?.startsWith('cycle-')) return true;
      if (!read) {
        if (type !== null) sink.warning(line, `records of type "${type.slice(0, 40)}" are not read`);
        return false;
      }
      const from = context.from ?? asText(record['src']) ?? undefined;
      return read(record, { ...context, from }, sink);
    }),
};

const records: Readonly<Record<string, (record: JsonObject, context: ImportContext, sink: Sink) => boolean>> = {
  ping: readPing,
  trace: readTrace,
  tracelb: readTracelb,
};

function readPing(record: JsonObject, context: ImportContext, sink: Sink): boolean {
  const to = asText(record['dst']);
  const sent = asNumber(record['ping_sent']);
  if (to === null) return false;
  const isTcp = (asText(record['method']) ?? '').startsWith('tcp');
  const method = isTcp ? ('tcp-connect' as const) : ('icmp' as const);
  const tool = `scamper ping (${asText(record['method']) ?? 'unnamed method'})`;
  const startMs = stampMs(record['start']);
  const waitMs = asNumber(record['wait']);
  const timed: ImportContext = {
    ...context,
    clock: startMs === null ? context.clock : { ms: startMs, of: 'start' },
    intervalMs: context.intervalMs ?? (waitMs === null ? undefined : waitMs * 1000),
  };
  const run = probeRun({ to: context.to ?? to, address: to, method, tool, firstSequence: 0 }, timed, sink);
  for (const one of asArray(record['responses']).slice(0, 65_536)) {
    const response = asObject(one);
    const [sequence, rttMs] = [asNumber(response?.['seq']), asNumber(response?.['rtt'])];
    if (!response || sequence === null || rttMs === null) continue;
    const by = asText(response['from']) ?? to;
    const type = asNumber(response['icmp_type']);
    // 3 and 11 are ICMP's destination unreachable and time exceeded (RFC 792); 1 and 3 those of ICMPv6 (RFC 4443).
    const refused = to.includes(':') ? type === 1 || type === 3 : type === 3 || type === 11;
    const message = `ICMP type ${type} code ${asNumber(response['icmp_code'])}`;
    const outcome = refused ? ({ kind: 'unreachable', by, message } as const) : ({ kind: 'answered' } as const);
    run.add({ sequence, address: to, outcome, rttMs: refused ? null : rttMs, atMs: stampMs(response['tx']) });
  }
  run.close({ sent: sent === null || sent > 65_536 ? null : sent });
  return true;
}

function readTrace(record: JsonObject, context: ImportContext, sink: Sink): boolean {
  const to = asText(record['dst']);
  if (to === null) return false;
  const byTtl = new Map<number, HopReply[]>();
  for (const one of asArray(record['hops'])) {
    const hop = asObject(one);
    const [ttl, address] = [asNumber(hop?.['probe_ttl']), asText(hop?.['addr'])];
    if (ttl === null || ttl < 1 || ttl > MAX_TTL || address === null) continue;
    const code = asNumber(hop?.['icmp_type']) === 3 ? asNumber(hop?.['icmp_code']) : null;
    const note = code === null || address === to ? {} : { note: `!<${code}>` };
    byTtl.set(ttl, [...(byTtl.get(ttl) ?? []), { address, rttMs: asNumber(hop?.['rtt']), ...note }].slice(0, 1000));
  }
  const stop = asText(record['stop_reason']) ?? '';
  const how = asText(record['method']) ?? 'unnamed method';
  emitTrace(
    {
      to,
      address: to,
      tool: `scamper trace (${how}, stopped: ${stop.toLowerCase()})`,
      method: methodOf(how),
      hops: [...byTtl].map(([ttl, replies]) => hopOf(ttl, replies)),
      reached: stop === 'COMPLETED' || stop === 'completed' ? true : null,
      atMs: stampMs(record['start']),
    },
    context,
    sink,
  );
  return true;
}

function readTracelb(record: JsonObject, context: ImportContext, sink: Sink): boolean {
  const to = asText(record['dst']);
  const built = to === null ? null : multipathGraph(record, to);
  if (to === null || !built) return false;
  const how = asText(record['method']) ?? 'unnamed method';
  emitTrace(
    {
      to,
      address: to,
      tool: `scamper tracelb (${how})`,
      method: methodOf(how),
      hops: built.hops,
      reached: built.graph.nodes.some((node) => node.address === to),
      atMs: stampMs(record['start']),
      graph: built.graph,
    },
    context,
    sink,
  );
  return true;
}

function methodOf(name: string): TraceMethod {
  const found = (['icmp', 'udp', 'tcp'] as const).find((method) => name.startsWith(method));
  return found ?? 'unknown';
}

/** `{sec, usec}`. */
function stampMs(value: unknown): number | null {
  const stamp = asObject(value);
  const [seconds, micros] = [asNumber(stamp?.['sec']), asNumber(stamp?.['usec'])];
  return seconds === null || micros === null ? null : seconds * 1000 + micros / 1000;
}
