import { readFile } from 'node:fs/promises';
import { canonicalAddress, portNumber } from '../../gather/connections/endpoint.ts';

/** The connection over which somebody commands this process. */
export interface Session {
  client: { address: string; port: number };
  server: { address: string; port: number };
}

/** `client-address client-port server-address server-port`, as sshd sets SSH_CONNECTION; null for anything else. */
export function parseSshConnection(text: string | undefined): Session | null {
  const [client, clientPort, server, serverPort, ...more] = (text ?? '').trim().split(/\s+/);
  const addresses = [client, server].map((one) => (one === undefined ? null : canonicalAddress(one)));
  const ports = [portNumber(clientPort), portNumber(serverPort)];
  if (more.length > 0 || addresses.includes(null) || ports.includes(null)) return null;
  return {
    client: { address: addresses[0]!, port: ports[0]! },
    server: { address: addresses[1]!, port: ports[1]! },
  };
}

/**
 * The SSH session that this process belongs to: from its own environment, or, as sudo does not hand the variable on, from that of the
 * nearest ancestor that has it. Null where there is none, or where it cannot be read.
 */
export async function findSession(env: Readonly<Record<string, string | undefined>>): Promise<Session | null> {
  const own = parseSshConnection(env['SSH_CONNECTION']);
  if (own) return own;
  let ancestor = 'self';
  for (let steps = 0; steps < 64 && ancestor !== '1' && ancestor !== '0'; steps++) {
    const status = await readFile(`/proc/${ancestor}/status`, 'latin1').catch(() => '');
    ancestor = /^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? '0';
    const environment = await readFile(`/proc/${ancestor}/environ`, 'latin1').catch(() => '');
    const word = environment.split('\0').find((one) => one.startsWith('SSH_CONNECTION='));
    const found = parseSshConnection(word?.slice('SSH_CONNECTION='.length));
    if (found) return found;
  }
  return null;
}

/**
 * Rules for both directions of exactly this connection. `established` alone would not keep it: where nothing tracked connections before, the
 * kernel meets the session for the first time under the new rules, and takes it for a new one.
 */
export function sessionRules({ client, server }: Session): { input: string; output: string } {
  const family = client.address.includes(':') ? 'ip6' : 'ip';
  const comment = 'comment "inferpath: the session that applied this"';
  return {
    input:
      `${family} saddr ${client.address} ${family} daddr ${server.address} ` +
      `tcp sport ${client.port} tcp dport ${server.port} accept ${comment}`,
    output:
      `${family} saddr ${server.address} ${family} daddr ${client.address} ` +
      `tcp sport ${server.port} tcp dport ${client.port} accept ${comment}`,
  };
}

/** Puts the session's rules first in every base chain of the hook that has them. */
export function withSession(text: string, session: Session): string {
  const rules = sessionRules(session);
  return text.replace(
    /^([ \t]*)type filter hook (input|output) priority [^;\n]*;(?:[ \t]*policy (?:accept|drop);)?[ \t]*$/gm,
    (line, indent: string, hook: 'input' | 'output') => `${line}\n${indent}${rules[hook]}`,
  );
}
