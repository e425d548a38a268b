import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TruthRow, truthRow } from '../../src/lab/reflect/truth.ts';

/** Of the server, in every run. */
export const PORT = 7041;

/** What stands beside the captures of a run. */
export interface Numbers {
  requests: number;
  /** Octets of the server’s log that were written while warming up. */
  truthFrom: number;
  /** Monotonic clock of the log less the clock of the captures, ms. */
  monoMinusWallMs: number;
  /** TcpRetransSegs of the server’s kernel. */
  kernelRetransmissions: number;
}

/** What one run left: both taps, the server’s log, the kernel’s count. */
export interface Recorded extends Numbers {
  client: Buffer;
  server: Buffer;
  /** The files, for peers that read files. */
  files: { client: string; server: string };
  truth: TruthRow[];
}

/** @throws where the run that should have filled the folder did not come to its end */
export async function recorded(folder: string): Promise<Recorded> {
  const files = { client: join(folder, 'client.pcap'), server: join(folder, 'server.pcap') };
  const numbers = JSON.parse(await readFile(join(folder, 'numbers.json'), 'utf8')) as Numbers;
  const log = await readFile(join(folder, 'truth.jsonl'), 'utf8');
  const rows = log.slice(numbers.truthFrom).split('\n').filter(Boolean);
  return {
    ...numbers,
    files,
    client: await readFile(files.client),
    server: await readFile(files.server),
    truth: rows.map((line) => truthRow.parse(JSON.parse(line))),
  };
}

/** Its numbers are written last. */
export async function isRecorded(folder: string): Promise<boolean> {
  return access(join(folder, 'numbers.json')).then(
    () => true,
    () => false,
  );
}
