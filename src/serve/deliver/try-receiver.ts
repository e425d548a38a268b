import type { Notice } from '../../model/delivery.ts';
import type { Receiver } from '../../model/watch.ts';
import type { Io } from '../../wire/io.ts';
import type { Dialer } from './dialer.ts';
import type { Sent } from './receiver.ts';
import { sendTo } from './receivers/index.ts';
import { readSecrets } from './secrets.ts';

/**
 * Sends a receiver one alert that says that it is a test, and its end, so that nothing stays open anywhere. Two attempts and no
 * second try: whoever asks sees what happened.
 */
export async function tryReceiver(
  receiver: Receiver,
  { io, dialer, signal }: { io: Pick<Io, 'clock' | 'random' | 'env' | 'fs'>; dialer: Dialer; signal: AbortSignal },
): Promise<Sent> {
  const id = io.random.uuid();
  let last: Sent = { kind: 'refused', words: 'not sent' };
  for (const action of ['fire', 'resolve'] as const) {
    const atMs = io.clock.wallMs();
    const notice = testNotice(id, receiver.name, action, atMs);
    try {
      const secrets = await readSecrets(receiver, io);
      last = await sendTo(
        receiver,
        { key: `msg_test_${id}_${action}`, action, notice, atMs },
        { dialer, secrets, signal },
      );
    } catch (error) {
      // What readSecrets says names variables and files, and nothing that is in them.
      last = { kind: 'refused', words: error instanceof Error ? error.message : String(error) };
    }
    if (last.kind !== 'accepted') return last;
  }
  return last;
}

function testNotice(id: string, receiver: string, action: 'fire' | 'resolve', atMs: number): Notice {
  return {
    incident: `test-${id}`,
    alert: `test-${id}`,
    status: action === 'fire' ? 'firing' : 'resolved',
    severity: 'info',
    rule: 'alert-test',
    subject: 'inferpath',
    summary: `a test of the receiver ${receiver}; nothing is wrong`,
    details: ['Somebody ran inferpath alert test. No action is needed.'],
    evidence: [],
    remedy: null,
    where: null,
    blame: 'undetermined',
    agents: [],
    endpoints: [],
    flapping: false,
    sinceMs: atMs,
    atMs,
    endedAtMs: action === 'fire' ? null : atMs,
    page: 'commands/alert.md',
    link: null,
    isTest: true,
  };
}
