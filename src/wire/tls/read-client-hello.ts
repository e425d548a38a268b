import { extensionType } from './code-points.ts';
import { Octets, TlsError } from './octets.ts';

/** What a ClientHello of somebody else offers, as far as a listener needs it. */
export interface HeardClientHello {
  /** Highest first, as the client lists them; GREASE (RFC 8701) left out. */
  versions: number[];
  serverName: string | null;
  alpn: string[];
  /** Application data may follow before the server has said a word (RFC 8446 §4.2.10). */
  hasEarlyData: boolean;
}

const earlyData = 42;
const maxNames = 32;
const isGrease = (value: number): boolean => (value & 0x0f_0f) === 0x0a_0a && value >> 8 === (value & 0xff);

/** RFC 8446 §4.1.2, RFC 5246 §7.4.1.2. @throws TlsError */
export function readClientHello(body: Uint8Array): HeardClientHello {
  const from = new Octets(body);
  const heard: HeardClientHello = { versions: [from.u16()], serverName: null, alpn: [], hasEarlyData: false };
  from.take(32);
  from.vector8();
  from.vector16();
  from.vector8();
  if (from.left === 0) return heard;
  const extensions = from.vector16();
  while (extensions.left > 0) readExtension(extensions.u16(), extensions.vector16(), heard);
  return heard;
}

function readExtension(type: number, content: Octets, heard: HeardClientHello): void {
  if (type === extensionType.serverName) heard.serverName = readServerName(content);
  else if (type === extensionType.alpn) heard.alpn = readAlpn(content);
  else if (type === extensionType.supportedVersions) heard.versions = readVersions(content);
  else if (type === earlyData) heard.hasEarlyData = true;
}

/** RFC 6066 §3: only host names exist. */
function readServerName(content: Octets): string | null {
  const list = content.vector16();
  if (list.left === 0 || list.u8() !== 0) return null;
  return Buffer.from(list.vector16().rest()).toString('latin1');
}

function readAlpn(content: Octets): string[] {
  const list = content.vector16();
  const names: string[] = [];
  while (list.left > 0 && names.length < maxNames) {
    const name = Buffer.from(list.vector8().rest());
    if (!(name.length === 2 && isGrease(name.readUInt16BE(0)))) names.push(name.toString('latin1'));
  }
  return names;
}

function readVersions(content: Octets): number[] {
  const list = content.vector8();
  const versions: number[] = [];
  while (list.left > 0) {
    const one = list.u16();
    if (!isGrease(one)) versions.push(one);
  }
  if (versions.length === 0) throw new TlsError('supported_versions names none');
  return versions;
}
