import * as z from 'zod';

/** What a token or session may be. Agents have certificates, never tokens. */
export const role = z.enum(['viewer', 'operator', 'admin', 'metrics', 'probe']).meta({
  description:
    'viewer reads; operator also reloads and enrols agents; admin also makes tokens; metrics only scrapes; probe also asks for probes.',
});
export type Role = z.infer<typeof role>;

/** What a route asks for; declared at each route, and there is no default. */
export type Permission =
  /** Anybody: health, the log-in page and its files. Says nothing about the network. */
  | 'public'
  /** Anybody who brings a one-use secret in the body, which the handler consumes. */
  | 'secret'
  | 'viewer'
  | 'operator'
  | 'admin'
  | 'metrics'
  /** Makes this server measure an endpoint of the network file: traffic, and where the endpoint is paid for, money. */
  | 'probe'
  /** A client certificate of an enrolled agent. */
  | 'agent'
  /** The same, also when it has ended a few days ago: for its renewal only. */
  | 'agent-renewal';

/** Who asks. */
export type Principal =
  | { kind: 'token'; id: string; name: string; role: Role }
  | { kind: 'session'; id: string; name: string; role: Role }
  | { kind: 'agent'; id: string; name: string; role: 'agent'; serial: string; expired: boolean };

const grants: Record<Principal['role'], readonly Permission[]> = {
  viewer: ['viewer', 'metrics'],
  operator: ['viewer', 'operator', 'metrics', 'probe'],
  admin: ['viewer', 'operator', 'admin', 'metrics', 'probe'],
  metrics: ['metrics'],
  probe: ['metrics', 'probe'],
  agent: ['agent', 'agent-renewal'],
};

/** Whether it may. What is not granted above is refused. */
export function may(principal: Principal, permission: Permission): boolean {
  if (principal.kind === 'agent' && principal.expired) return permission === 'agent-renewal';
  return grants[principal.role].includes(permission);
}
