import type { ConnectionState, Endpoint } from './connection.ts';
import { canonicalAddress, portNumber } from './endpoint.ts';
import type { SocketRow } from './snapshot-rows.ts';

/** The numbers that Windows PowerShell 5.1 writes for State (MIB_TCP_STATE; 100 is Bound), and the words of PowerShell 7 and of CSV. */
const states: Record<string, ConnectionState> = {
  '1': 'closed',
  '2': 'listen',
  '3': 'opening',
  '4': 'opening',
  '5': 'established',
  '6': 'closing',
  '7': 'closing',
  '8': 'closing',
  '9': 'closing',
  '10': 'closing',
  '11': 'closing',
  '12': 'closed',
  '100': 'closed',
  closed: 'closed',
  listen: 'listen',
  synsent: 'opening',
  synreceived: 'opening',
  established: 'established',
  finwait1: 'closing',
  finwait2: 'closing',
  closewait: 'closing',
  closing: 'closing',
  lastack: 'closing',
  timewait: 'closing',
  deletetcb: 'closed',
  bound: 'closed',
};

/** Fields of a row by their names in small letters. */
export type WindowsFields = ReadonlyMap<string, string>;

/** What is wrong, in the words of a mistake; or the row. */
export type WindowsRow =
  | { ok: true; row: SocketRow }
  | { ok: false; key: string; found: string | undefined; allowed: string };

/** A row of Get-NetTCPConnection, or of Get-NetUDPEndpoint, which has no remote end. */
export function windowsRow(fields: WindowsFields, line: number): WindowsRow {
  const wrong = (key: string, allowed: string): WindowsRow => ({
    ok: false,
    key,
    found: fields.get(key.toLowerCase()),
    allowed,
  });
  const local = endpoint(fields.get('localaddress'), fields.get('localport'));
  if (!local) return wrong(wrongHalf('Local', fields), 'an IP address, and a port from 0 to 65535');
  const base = { local, line, ...processOf(fields), ...timeOf(fields) };
  if (!fields.has('remoteaddress') && !fields.has('state')) {
    const remote = { address: local.address.includes(':') ? '::' : '0.0.0.0', port: 0 };
    return { ok: true, row: { ...base, protocol: 'udp', remote, state: 'bound' } };
  }
  const remote = endpoint(fields.get('remoteaddress'), fields.get('remoteport'));
  if (!remote) return wrong(wrongHalf('Remote', fields), 'an IP address, and a port from 0 to 65535');
  const state = states[fields.get('state')?.trim().toLowerCase() ?? ''];
  if (state === undefined) return wrong('State', 'a number of Windows (2 is Listen, 5 Established), or its word');
  return { ok: true, row: { ...base, protocol: 'tcp', remote, state } };
}

function endpoint(addressWord: string | undefined, portWord: string | undefined): Endpoint | null {
  const address = addressWord === undefined ? null : canonicalAddress(addressWord.trim());
  const port = portNumber(portWord?.trim());
  return address === null || port === null ? null : { address, port };
}

function wrongHalf(side: 'Local' | 'Remote', fields: WindowsFields): string {
  const address = fields.get(`${side.toLowerCase()}address`)?.trim() ?? '';
  return canonicalAddress(address) === null ? `${side}Address` : `${side}Port`;
}

function processOf(fields: WindowsFields): { process?: string } {
  const id = fields.get('owningprocess')?.trim() ?? '';
  return /^\d{1,10}$/.test(id) ? { process: id } : {};
}

/** `/Date(1700000000000)/` of PowerShell 5.1 or ISO 8601 with its zone; words of a culture are left alone. Year 1601 means none. */
function timeOf(fields: WindowsFields): { atMs?: number } {
  const text = fields.get('creationtime')?.trim() ?? '';
  const ms = /^\/Date\((-?\d{1,15})\)\/$/.exec(text)?.[1];
  const isIso = /^\d{4}-\d\d-\d\dT[\d:.]{5,20}(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const atMs = ms === undefined ? (isIso ? Date.parse(text) : Number.NaN) : Number(ms);
  return Number.isFinite(atMs) && atMs > 0 ? { atMs } : {};
}
