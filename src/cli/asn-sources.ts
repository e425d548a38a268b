import { readAsnDatabase } from '../gather/asn/mmdb.ts';
import { type AsnLookup, PrefixFileError, readPrefixTable } from '../gather/asn/prefix-table.ts';
import type { Io } from '../wire/io.ts';
import { UsageError } from './command.ts';
import { chunksOf } from '../wire/open-file.ts';

/** Databases of all the Internet are some tens of megabytes. */
const maxBytes = 512 << 20;

/**
 * Where the autonomous systems of addresses come from: only files of the user, and of them the prefix file first.
 * @returns null when there is none
 * @throws UsageError for a file that is not what it should be
 */
export async function asnSources(
  files: { asnDb?: string | undefined; prefixes?: string | undefined },
  io: Io,
): Promise<AsnLookup | null> {
  const lookups: AsnLookup[] = [];
  if (files.prefixes !== undefined) {
    const text = await read('--prefixes', files.prefixes, async (path) => io.fs.readText(path, maxBytes));
    lookups.push(prefixTable(files.prefixes, text));
  }
  if (files.asnDb !== undefined) {
    const bytes = await read('--asn-db', files.asnDb, (path) => allBytes(io, path));
    try {
      lookups.push(readAsnDatabase(bytes));
    } catch (error) {
      throw new UsageError(`--asn-db: ${files.asnDb}: ${(error as Error).message}`);
    }
  }
  if (lookups.length === 0) return null;
  return (address) => {
    for (const lookup of lookups) {
      const found = lookup(address);
      if (found) return found;
    }
    return null;
  };
}

function prefixTable(path: string, text: string): AsnLookup {
  try {
    return readPrefixTable(text);
  } catch (error) {
    if (!(error instanceof PrefixFileError)) throw error;
    const lines = error.mistakes.map(({ line, message }) => `${path}:${line}: ${message}`);
    throw new UsageError(lines.join('\n'), 'a line is a prefix, an AS number and a name: 10.0.0.0/8 64512 Example');
  }
}

async function read<T>(flag: string, path: string, open: (path: string) => Promise<T>): Promise<T> {
  try {
    return await open(path);
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${JSON.stringify(path)}: ${(error as Error).message}`);
  }
}

async function allBytes(io: Io, path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(await io.fs.openRead(path))) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError(`larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
