import { conntrackReader } from './conntrack.ts';
import type { ConnectionReader } from './connection.ts';
import { flowCsvReader } from './flow-csv.ts';
import { netstatReader } from './netstat.ts';
import { pfirewallReader } from './pfirewall.ts';
import { procNetReader } from './proc-net.ts';
import { ssReader } from './ss.ts';
import { windowsCsvReader } from './windows-csv.ts';
import { windowsJsonReader } from './windows-json.ts';

/** Every reader of connections. A new one is one file beside this and one line here. */
export const connectionReaders: readonly ConnectionReader[] = [
  procNetReader,
  ssReader,
  conntrackReader,
  windowsJsonReader,
  windowsCsvReader,
  netstatReader,
  pfirewallReader,
  flowCsvReader,
];

/** The reader that is surest of a text; null: nobody knows it. */
export function chooseReader(head: string): { reader: ConnectionReader; why: string } | null {
  let best: { reader: ConnectionReader; why: string; confidence: number } | null = null;
  for (const reader of connectionReaders) {
    const { confidence, why } = reader.detect(head);
    if (confidence > (best?.confidence ?? 0.49)) best = { reader, why, confidence };
  }
  return best;
}
