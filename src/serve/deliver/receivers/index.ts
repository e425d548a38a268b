import type { Receiver } from '../../../model/watch.ts';
import type { Attempt, Means, ReceiverKind, Sent } from '../receiver.ts';
import { ReceiverMistake } from '../secrets.ts';
import { alertmanager } from './alertmanager.ts';
import { email } from './email.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { webhook } from './webhook.ts';

/** Every kind of receiver; a new one is one file beside this and one line here. */
export const receiverKinds = { alertmanager, webhook, slack, pagerduty, email } satisfies {
  [T in Receiver['type']]: ReceiverKind<T>;
};

/** One attempt. Never rejects: whatever goes wrong is a way to end. */
export async function sendTo(receiver: Receiver, attempt: Attempt, means: Means): Promise<Sent> {
  try {
    const kind = receiverKinds[receiver.type] as ReceiverKind;
    return await kind.send(receiver, attempt, means);
  } catch (error) {
    if (error instanceof ReceiverMistake) return { kind: 'retry', words: error.message };
    return { kind: 'retry', words: means.secrets.hide(error instanceof Error ? error.message : String(error)) };
  }
}
