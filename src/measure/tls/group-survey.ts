import type { Support, TlsGroup, TlsReply } from '../../model/secure/tls-survey.ts';
import { alert, version } from '../../wire/tls/code-points.ts';
import { codePoint, groupName, groups } from '../../wire/tls/groups.ts';
import type { Answer, Asker } from './asker.ts';

const all = groups.map(({ id }) => id);

export interface GroupSurvey {
  groups: TlsGroup[];
  preference: 'server' | 'client' | 'only-one' | 'unknown';
}

/**
 * Which groups a TLS 1.3 server has, and in which order it takes them. An offer with an empty key_share makes it name one group
 * (RFC 8446 §4.2.8), so asking again without that one gives the next, until it says that nothing is left: one connection per group
 * that it has, and one more. Where the end is no such word, every group that is left is asked alone, since one that the path or
 * the peer cannot bear would hide the others.
 * @param hasTls13 false where it is known that there is none: then no group of TLS 1.3 is there
 */
export async function surveyGroups(asker: Asker, hasTls13: Support): Promise<GroupSurvey> {
  if (hasTls13 === 'no')
    return { groups: groups.map((g) => rowOf(g.id, { support: 'no', rank: null, by: null })), preference: 'unknown' };
  const found = new Map<number, Found>();
  let left = all;
  let first: Answer | undefined;
  for (;;) {
    const id = first ? `groups-without-${found.size}` : 'groups-all';
    const about = first
      ? `all groups but the ${found.size} that it has named, no key share`
      : 'all groups, no key share: which one does the server take?';
    const answer = await asker.ask({ id, about, offer: { groups: left }, depth: 'answer' });
    first ??= answer;
    const group = retryGroup(answer);
    if (group !== null && left.includes(group)) {
      found.set(group, { support: 'yes', rank: found.size + 1, by: id });
      left = left.filter((one) => one !== group);
      if (left.length > 0) continue;
      break;
    }
    if (saysNone(answer.reply)) for (const one of left) found.set(one, { support: 'no', rank: null, by: id });
    else await askAlone(asker, left, found);
    break;
  }
  const preference = await whoseOrder(asker, found);
  return { groups: all.map((one) => rowOf(one, found.get(one) ?? nothing)), preference };
}

type Found = Pick<TlsGroup, 'support' | 'rank' | 'by'>;
const nothing: Found = { support: 'unknown', rank: null, by: null };

function rowOf(id: number, found: Found): TlsGroup {
  const { kind } = groups.find((one) => one.id === id)!;
  return { name: groupName(id), codePoint: codePoint(id), kind, ...found };
}

async function askAlone(asker: Asker, left: readonly number[], found: Map<number, Found>): Promise<void> {
  const ask = async (one: number) => {
    if (asker.isInterrupted) return;
    const id = `group-alone-${groupName(one)}`;
    const about = `${groupName(one)} alone, no key share`;
    const answer = await asker.ask({ id, about, offer: { groups: [one] }, depth: 'answer' });
    const support: Support = retryGroup(answer) === one ? 'yes' : saysNone(answer.reply) ? 'no' : 'unknown';
    found.set(one, { support, rank: null, by: id });
  };
  await asker.all(left.map((one) => () => ask(one)));
}

const retryGroup = ({ heard: { retry } }: Answer): number | null =>
  retry?.version === version.tls13 ? retry.group : null;

/** An alert that means "nothing of this". A peer that is silent, resets or closes has said nothing. */
export function saysNone(reply: TlsReply): boolean {
  return (
    reply.kind === 'alert' &&
    (reply.code === alert.handshakeFailure ||
      reply.code === alert.protocolVersion ||
      reply.code === alert.insufficientSecurity)
  );
}

/** The groups that are there, offered the other way round: who still gets the same one follows an order of its own. */
async function whoseOrder(asker: Asker, found: ReadonlyMap<number, Found>): Promise<GroupSurvey['preference']> {
  const there = [...found].filter(([, { support }]) => support === 'yes');
  const ranked = there.filter(([, { rank }]) => rank !== null);
  if (there.length === 1) return 'only-one';
  if (ranked.length < 2 || asker.isInterrupted) return 'unknown';
  const answer = await asker.ask({
    id: 'groups-reversed',
    about: 'the groups that it has in the opposite order, no key share',
    offer: { groups: ranked.map(([group]) => group).reverse() },
    depth: 'answer',
  });
  const group = retryGroup(answer);
  if (group === ranked[0]![0]) return 'server';
  return group === ranked.at(-1)![0] ? 'client' : 'unknown';
}
