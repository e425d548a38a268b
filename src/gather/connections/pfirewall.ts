import { found } from '../topology/parsed.ts';
import type { Connection, ConnectionReader, ConnectionState, Endpoint } from './connection.ts';
import { canonicalAddress, portNumber, protocolName } from './endpoint.ts';

const actions: Record<string, ConnectionState> = {
  ALLOW: 'allowed',
  OPEN: 'allowed',
  'OPEN-INBOUND': 'allowed',
  CLOSE: 'closed',
  DROP: 'denied',
};

/**
 * `pfirewall.log` of Windows, read by its `#Fields` header, because newer builds write more columns. Times are local: `zoneMinutes` says
 * where. `INFO-EVENTS-LOST` means that the firewall itself lost events: a gap. Lines of what was dropped stand in it only after
 * `Set-NetFirewallProfile -LogBlocked True -LogAllowed True`.
 */
export const pfirewallReader: ConnectionReader = {
  format: 'pfirewall',
  about: 'pfirewall.log of Windows',
  detect: (head) => {
    if (/^#Fields:(?=.*\bsrc-ip\b).*\bdst-ip\b/m.test(head)) return { confidence: 1, why: '#Fields of pfirewall.log' };
    return { confidence: 0, why: '' };
  },
  open: ({ source, zoneMinutes }, sink) => {
    let fields: string[] | null = null;
    return {
      line: (text, line) => {
        if (text.trim() === '') return;
        if (text.startsWith('#')) {
          if (/^#Fields:/i.test(text)) fields = text.slice(8).trim().toLowerCase().split(/\s+/).slice(0, 64);
          const zone = /^#Time Format:\s*(\S+)/i.exec(text)?.[1];
          if (zone !== undefined && zone !== 'Local')
            sink.note(line, `times are said to be ${JSON.stringify(zone.slice(0, 20))}; read as local`);
          return;
        }
        if (!fields) {
          sink.mistake(line, 'row', `${found(text)}; allowed: the header #Fields first`);
          return;
        }
        const values = text.slice(0, 2000).trim().split(/\s+/);
        const field = (name: string): string | undefined => {
          const value = values[fields!.indexOf(name)];
          return value === '-' ? undefined : value;
        };
        const atMs = localTime(field('date'), field('time'), zoneMinutes);
        if (atMs === null) {
          sink.mistake(line, 'date', `${found(text.slice(0, 19))}; allowed: YYYY-MM-DD hh:mm:ss`);
          return;
        }
        const action = field('action')?.toUpperCase();
        if (action === 'INFO-EVENTS-LOST') {
          sink.gap(line, atMs, 'the firewall lost events (INFO-EVENTS-LOST)');
          return;
        }
        const state = actions[action ?? ''];
        if (state === undefined) {
          sink.mistake(
            line,
            'action',
            `${found(action)}; allowed: ${Object.keys(actions).join(', ')}, INFO-EVENTS-LOST`,
          );
          return;
        }
        const one = connectionOf(field, state, atMs, source, line);
        if (typeof one === 'string')
          sink.mistake(line, one, `${found(field(one))}; allowed: numbers as the firewall writes them`);
        else sink.connection(one);
      },
      end: () => undefined,
    };
  },
};

/** The connection, or the name of the field that is wrong. */
function connectionOf(
  field: (name: string) => string | undefined,
  state: ConnectionState,
  atMs: number,
  source: string,
  line: number,
): Connection | string {
  const protocol = protocolName(field('protocol'));
  if (protocol === null) return 'protocol';
  const from = endpoint(field('src-ip'), field('src-port'));
  if (!from) return wrongHalf('src', field);
  const to = endpoint(field('dst-ip'), field('dst-port'));
  if (!to) return wrongHalf('dst', field);
  const path = field('path')?.toUpperCase();
  const icmpType = Number(field('icmptype') ?? 0);
  if ((protocol === 'icmp' || protocol === 'icmpv6') && Number.isInteger(icmpType)) to.port = icmpType & 0xff;
  const base = { protocol, state, atMs, line };
  if (path === 'RECEIVE') return { ...base, local: to, remote: from, direction: 'in', how: `${source}; path RECEIVE` };
  if (path === 'SEND') return { ...base, local: from, remote: to, direction: 'out', how: `${source}; path SEND` };
  return { ...base, local: from, remote: to, direction: 'through', how: `${source}; no path, from src to dst` };
}

function wrongHalf(side: 'src' | 'dst', field: (name: string) => string | undefined): string {
  return canonicalAddress(field(`${side}-ip`) ?? '') === null ? `${side}-ip` : `${side}-port`;
}

function endpoint(addressWord: string | undefined, portWord = '0'): Endpoint | null {
  const address = addressWord === undefined ? null : canonicalAddress(addressWord);
  const port = portNumber(portWord);
  return address === null || port === null ? null : { address, port };
}

function localTime(date: string | undefined, time: string | undefined, zoneMinutes: number): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(date ?? '') || !/^\d\d:\d\d:\d\d$/.test(time ?? '')) return null;
  const ms = Date.parse(`${date}T${time}Z`) - zoneMinutes * 60_000;
  return Number.isFinite(ms) ? ms : null;
}
