import type { Family } from '../../../model/cidr.ts';
import { type Addresses, families, permitsAt, type PolicyMeaning } from '../policy.ts';
import { everyAddress, type Ranges, sizeOf } from '../ranges.ts';
import { type ServicePart, servicePartsOf } from './rules.ts';

/** A permission of members: whom they may talk with, in one family, for one protocol. */
export interface MemberRule {
  line: string;
  family: Family;
  peers: Ranges;
  part: ServicePart;
}

/** Addresses that share their permissions, for targets whose rules hang on machines or pods and not on a place in the network. */
export interface MemberGroup {
  name: string;
  members: Addresses;
  ingress: MemberRule[];
  egress: MemberRule[];
}

/** The part of a policy for inbound and, if it is judged, outbound connections, by whom it is about. */
export function memberGroups(meaning: PolicyMeaning, self: Addresses): MemberGroup[] {
  const groups = new Map<string, MemberGroup>();
  const taken = new Set<string>();
  const groupOf = (members: Addresses, line: string): MemberGroup => {
    const key = families.map((family) => String(members[family])).join('|');
    const known = groups.get(key);
    if (known) return known;
    const isAll = families.every((family) => sizeOf(members[family]) === sizeOf(everyAddress[family]));
    let name = isAll ? 'all' : line;
    for (let n = 2; taken.has(name); n++) name = `${line}-${n}`;
    taken.add(name);
    const made: MemberGroup = { name, members, ingress: [], egress: [] };
    groups.set(key, made);
    return made;
  };
  // Everybody is in one group, so that whoever has no permission is denied and not forgotten.
  groupOf(self, 'all');
  for (const hook of ['inbound', 'outbound'] as const) {
    if (!meaning.enforce.includes(hook)) continue;
    const [mine, theirs] = hook === 'inbound' ? (['dst', 'src'] as const) : (['src', 'dst'] as const);
    const permits = { 4: permitsAt(meaning, hook, 4, self), 6: permitsAt(meaning, hook, 6, self) };
    for (const line of new Set(families.flatMap((family) => permits[family].map((one) => one.line)))) {
      const of = (family: Family) => permits[family].filter((one) => one.line === line).map(({ box }) => box);
      const [v4, v6] = [of(4), of(6)];
      // One box in each family: the same machines by both of their addresses.
      const pairs =
        v4.length <= 1 && v6.length <= 1 ? [[v4[0], v6[0]]] : [...v4.map((b) => [b]), ...v6.map((b) => [undefined, b])];
      for (const [a, b] of pairs) {
        const group = groupOf({ 4: a?.[mine] ?? [], 6: b?.[mine] ?? [] }, line);
        const rules = hook === 'inbound' ? group.ingress : group.egress;
        for (const [family, box] of [
          [4, a],
          [6, b],
        ] as const)
          if (box)
            for (const part of servicePartsOf(box, family)) rules.push({ line, family, peers: box[theirs], part });
      }
    }
  }
  return [...groups.values()];
}
