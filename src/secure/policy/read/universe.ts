import type { Family } from '../../../model/cidr.ts';
import type { PolicyHook } from '../policy.ts';
import type { PacketState } from '../program.ts';

/** The packets that a text is asked about: one hook, one family, one state of the connection, and never those of a host to itself. */
export interface Universe {
  hook: PolicyHook;
  family: Family;
  state: PacketState;
}
