import type { AuditEvent } from './audit.ts';
import type { Principal } from './auth/role.ts';
import type { Peer } from './route.ts';

/** Who does something, for the audit log. */
export function doerOf(principal: Principal | null, peer: Peer): Pick<AuditEvent, 'actor' | 'address'> {
  return { actor: principal ? `${principal.kind} ${principal.name}` : 'unknown', address: peer.address };
}
