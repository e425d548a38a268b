import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Problem } from './problem.ts';

const unzip = promisify(gunzip);

/**
 * The JSON value of a request body of at most `limitBytes`, before and after decompression.
 * @throws Problem for another media type, too many octets, or what is not JSON
 */
export async function readJson(request: Request, limitBytes: number): Promise<unknown> {
  const media = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (media !== 'application/json')
    throw new Problem('unsupported-media-type', 'expected content-type: application/json');
  const octets = await decoded(
    await readOctets(request, limitBytes),
    request.headers.get('content-encoding'),
    limitBytes,
  );
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets)) as unknown;
  } catch {
    throw new Problem('bad-request', 'the body is not JSON in UTF-8');
  }
}

async function readOctets(request: Request, limitBytes: number): Promise<Uint8Array> {
  const length = request.headers.get('content-length');
  const tooLarge = new Problem('body-too-large', `at most ${limitBytes} octets are taken here`);
  if (length !== null) {
    if (Number(length) > limitBytes) throw tooLarge;
    // The HTTP parser holds the sender to the length it has declared.
    return new Uint8Array(await request.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function decoded(octets: Uint8Array, encoding: string | null, limitBytes: number): Promise<Uint8Array> {
  if (encoding === null || encoding === 'identity') return octets;
  if (encoding !== 'gzip') throw new Problem('unsupported-media-type', 'expected content-encoding: gzip, or none');
  try {
    return await unzip(octets, { maxOutputLength: limitBytes });
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (isLarge) throw new Problem('body-too-large', `at most ${limitBytes} octets are taken here, unpacked`);
    throw new Problem('bad-request', 'the body is not gzip');
  }
}
