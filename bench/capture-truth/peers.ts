import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PORT, type Recorded } from './recorded.ts';
import { tcptraceRetransmissions } from './tcptrace.ts';

/** What other programs say of a tap. */
interface PeerSays {
  /** Frames of the server that tshark calls sent again. */
  tshark: number[];
  /** Per port of the client, how many of the server's packets tcptrace counts as sent again; null: not installed. */
  tcptrace: [port: string, count: number][] | null;
}

export interface Peers {
  client: PeerSays;
  server: PeerSays;
}

/** They are slow and do not change: what they said of a recording that is kept stands beside it. */
export async function peersOf(recorded: Recorded, folder: string): Promise<Peers> {
  const file = join(folder, 'peers.json');
  const before = await readFile(file, 'utf8').catch(() => null);
  if (before !== null) return JSON.parse(before) as Peers;
  const [client, server] = await Promise.all([peerSays(recorded, 'client'), peerSays(recorded, 'server')]);
  await writeFile(file, JSON.stringify({ client, server }));
  return { client, server };
}

async function peerSays(recorded: Recorded, tap: 'client' | 'server'): Promise<PeerSays> {
  const sums = await tcptraceRetransmissions(recorded[tap]);
  return { tshark: await tsharkRetransmissions(recorded.files[tap]), tcptrace: sums && [...sums] };
}

async function tsharkRetransmissions(file: string): Promise<number[]> {
  const filter = `tcp.analysis.retransmission && tcp.srcport == ${PORT}`;
  const words = ['-r', file, '-Y', filter, '-T', 'fields', '-e', 'frame.number'];
  const { stdout } = await promisify(execFile)('tshark', words, { maxBuffer: 1 << 28 });
  return stdout.split('\n').filter(Boolean).map(Number);
}
