import type { TlsSurvey } from '../../model/secure/tls-survey.ts';
import type { TlsVerdict } from '../../model/secure/tls.ts';
import { has, isPostQuantum, isPostQuantumName, probe, replyText, saidIn } from './probes.ts';

/**
 * What a client gets that offers post-quantum groups. The whole handshake counts, not the ServerHello: some servers send one for
 * what they then cannot do. Silence is `unknown`, whatever else is known.
 */
export function verdictOf(survey: TlsSurvey): TlsVerdict {
  const browser = probe(survey, 'browser');
  const control = probe(survey, 'control');
  if (!browser)
    return unknown(control ? `nothing to judge: ${replyText(control.reply)}` : 'nothing was asked', ['control']);
  const { reply } = browser;
  const by = ['browser'];
  if (reply.kind === 'complete') {
    const { group, viaRetry, version } = reply.said;
    const extraRoundTrips = viaRetry ? 1 : 0;
    if (isPostQuantumName(survey, group))
      return viaRetry
        ? { kind: 'pq-by-retry', reason: `${group} after a HelloRetryRequest`, group, extraRoundTrips, by }
        : { kind: 'pq-default', reason: `${group} in the first round trip`, group, extraRoundTrips, by };
    const why = `a client that offers X25519MLKEM768 gets ${group ?? 'a key exchange without a group'} in ${version ?? 'TLS'}`;
    return notChosen(survey, { group, extraRoundTrips, by }, why);
  }
  if (reply.kind !== 'alert' || reply.after !== 'nothing')
    return unknown(`a client that offers X25519MLKEM768 sees: ${replyText(reply)}`, by);
  return withoutBrowsers(survey, replyText(reply));
}

type Seen = Pick<TlsVerdict, 'group' | 'extraRoundTrips' | 'by'>;

/** A classical group was taken: is there a post-quantum one at all? */
function notChosen(survey: TlsSurvey, seen: Seen, why: string): TlsVerdict {
  const there = has(survey).filter(isPostQuantum);
  const by = [...seen.by, ...there.flatMap((group) => group.by ?? [])];
  if (there.length > 0) {
    const names = there.map(({ name }) => name).join(', ');
    return { ...seen, by, kind: 'pq-possible-not-chosen', reason: `${why}, although the server has ${names}` };
  }
  const open = survey.groups.filter((group) => isPostQuantum(group) && group.support === 'unknown');
  const is13 = survey.versions.some(({ version, support }) => version === 'TLS 1.3' && support === 'yes');
  if (open.length > 0 && is13)
    return {
      ...unknown(`${why}; whether the server has ${open.map(({ name }) => name).join(', ')} is not known`, by),
      group: seen.group,
    };
  return {
    ...seen,
    by,
    kind: 'classical',
    reason: is13 ? `${why}; it has no post-quantum group` : `${why}; there is no TLS 1.3`,
  };
}

/** The server refuses what browsers offer: it may have only groups that they do not have. */
function withoutBrowsers(survey: TlsSurvey, refusal: string): TlsVerdict {
  const all = probe(survey, 'groups-all');
  const group = (all && saidIn(all.reply)?.group) ?? null;
  const whole = probe(survey, 'retry');
  if (isPostQuantumName(survey, group) && whole?.reply.kind === 'complete' && whole.reply.said.group === group)
    return {
      kind: 'pq-by-retry',
      reason: `${group} for clients that have it; browsers of today are refused (${refusal})`,
      group,
      extraRoundTrips: 1,
      by: ['browser', 'groups-all', 'retry'],
    };
  return unknown(`the server refuses what browsers offer (${refusal})`, ['browser', 'groups-all']);
}

const unknown = (reason: string, by: string[]): TlsVerdict => ({
  kind: 'unknown',
  reason,
  group: null,
  extraRoundTrips: null,
  by,
});
