import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { asArray, asNumber, asObject, asText, type JsonObject, ndjsonReader } from './json.ts';
import { probeRun, type ProbeRun } from './probe-run.ts';
import { emitRoundTrips } from './round-trips.ts';

const MAX_TARGETS = 65_536;

/** `fping --json` of 5.5: one object per line, its only key says what it is. What is not known is skipped, as its makers ask. */
export const fpingJsonImporter: Importer = {
  format: 'fping-json',
  about: 'fping --json (5.5, alpha)',
  detect: (head) =>
    marks(head, [
      [
        /^\{ ?"(?:resp|timeout|summary|vSum|intSum)" ?: ?\{ ?"/m,
        1,
        'objects with the key "resp", "timeout" or "summary"',
      ],
    ]),
  open: readFpingJson,
};

function readFpingJson(context: ImportContext, sink: Sink): LineReader {
  const runs = new Map<string, ProbeRun>();

  const add = (host: string, sequence: number, rttMs: number | null): boolean => {
    if (!runs.has(host) && runs.size >= MAX_TARGETS) return false;
    const head = {
      to: context.to ?? host,
      address: host,
      method: 'icmp' as const,
      tool: 'fping --json',
      firstSequence: 0,
    };
    const run = runs.get(host) ?? probeRun(head, context, sink);
    runs.set(host, run);
    const outcome = rttMs === null ? ({ kind: 'lost' } as const) : ({ kind: 'answered' } as const);
    run.add({ sequence, address: host, outcome, rttMs, atMs: null });
    return true;
  };

  const end = (host: string, sent: number | null, received: number | null) => {
    runs.get(host)?.close({ sent, received });
    runs.delete(host);
  };

  const kinds: Readonly<Record<string, (host: string, body: JsonObject) => boolean>> = {
    resp: (host, body) => {
      const [sequence, rttMs] = [asNumber(body['seq']), asNumber(body['rtt'])];
      return sequence !== null && rttMs !== null && add(host, sequence, rttMs);
    },
    timeout: (host, body) => {
      const sequence = asNumber(body['seq']);
      return sequence !== null && add(host, sequence, null);
    },
    vSum: (host, body) => {
      if (runs.has(host)) {
        end(host, null, null);
        return true;
      }
      const values = asArray(body['values']);
      const added = values.every((value, sequence) => add(host, sequence, asNumber(value)));
      end(host, values.length, null);
      return added;
    },
    summary: (host, body) => {
      const [sent, received] = [asNumber(body['xmt']), asNumber(body['rcv'])];
      if (runs.has(host)) end(host, sent, received);
      else summarise(host, body, null);
      return true;
    },
    intSum: (host, body) => {
      const seconds = asNumber(body['time']);
      summarise(host, body, seconds === null ? null : seconds * 1000);
      return true;
    },
  };

  const summarise = (host: string, body: JsonObject, atMs: number | null) => {
    const figures = {
      sent: asNumber(body['xmt']),
      received: asNumber(body['rcv']),
      minMs: asNumber(body['rttMin']),
      medianMs: null,
      meanMs: asNumber(body['rttAvg']),
      maxMs: asNumber(body['rttMax']),
      stddevMs: null,
    };
    emitRoundTrips({ to: host, address: host, tool: 'fping --json', method: 'icmp', figures, atMs }, context, sink);
  };

  return ndjsonReader(
    sink,
    (object) => {
      for (const [kind, value] of Object.entries(object)) {
        const body = asObject(value);
        const host = asText(body?.['host']);
        if (kind === 'stats') return true;
        const read = kinds[kind];
        // An object of a kind that came later is no mistake.
        if (!body || (read && (host === null || !read(host, body)))) return false;
      }
      return true;
    },
    () => {
      for (const run of runs.values()) run.close();
    },
  );
}
