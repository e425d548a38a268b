import type { TlsGroup, TlsProbeRow, TlsReply, TlsSaid, TlsSurvey } from '../../model/secure/tls-survey.ts';
import { describeOutcome, printable } from '../../model/outcome.ts';

export const probe = (survey: TlsSurvey, id: string): TlsProbeRow | undefined =>
  survey.probes.find((one) => one.id === id);

/** Whether a group counts as post-quantum: hybrids and pure ML-KEM, and no draft. */
export const isPostQuantum = ({ kind }: Pick<TlsGroup, 'kind'>): boolean => kind === 'hybrid' || kind === 'pure';

export const isPostQuantumName = (survey: TlsSurvey, name: string | null): boolean =>
  survey.groups.some((group) => group.name === name && isPostQuantum(group));

export const has = (survey: TlsSurvey): TlsGroup[] => survey.groups.filter(({ support }) => support === 'yes');

export const saidIn = (reply: TlsReply): TlsSaid | null => ('said' in reply ? reply.said : null);

/** A reply in a few words. */
export function replyText(reply: TlsReply): string {
  switch (reply.kind) {
    case 'complete':
      return `whole handshake, ${saidText(reply.said)}`;
    case 'hello':
      return `ServerHello, ${saidText(reply.said)}`;
    case 'retry':
      return `HelloRetryRequest for ${reply.said.group ?? 'no group'}`;
    case 'alert':
      return `alert ${reply.name}${behind(reply.after)}`;
    case 'reset':
      return `connection reset${behind(reply.after)}`;
    case 'closed':
      return `connection closed without an answer${behind(reply.after)}`;
    case 'timedOut':
      return `no answer for ${(reply.afterMs / 1000).toFixed(1)} s${behind(reply.after)}`;
    case 'malformed':
      return `${printable(reply.why)}${behind(reply.after)}`;
    case 'unreached':
      return describeOutcome(reply.outcome);
    case 'interrupted':
      return 'interrupted';
  }
}

const saidText = ({ version, group, viaRetry }: TlsSaid): string =>
  [version === 'TLS 1.3' ? null : version, group, ...(viaRetry ? ['after a HelloRetryRequest'] : [])]
    .filter(Boolean)
    .join(', ');

const behind = (after: 'nothing' | 'retry' | 'hello'): string =>
  ({ nothing: '', retry: ' behind a HelloRetryRequest', hello: ' behind a ServerHello' })[after];
