import type { TcpSizes } from '../../model/mtu.ts';
import { errnoOf } from '../../wire/error-queue.ts';
import type { Io } from '../../wire/io.ts';
import type { MssProbe } from '../../wire/mss-probe.ts';
import type { Task } from './task.ts';
import { tcpSizesOf } from './verdict.ts';

const POLL_MS = 1;

/** The segment sizes of one connection to the port; null, with a note in the task, when there is none to be had. */
export async function lookAtTcp(
  task: Task,
  port: number,
  io: Io,
  signal: AbortSignal,
  openMss: (address: string, port: number) => MssProbe,
): Promise<TcpSizes | null> {
  const none = (why: string): null => {
    task.notes.push(`no TCP connection to port ${port}, so segment sizes are not known: ${why}`);
    return null;
  };
  let probe: MssProbe;
  try {
    probe = openMss(task.address, port);
  } catch (error) {
    return none(errnoOf(error));
  }
  try {
    const untilMs = io.clock.monoMs() + task.options.timeoutMs;
    for (;;) {
      const result = probe.poll();
      if (result?.kind === 'connected')
        return tcpSizesOf(result.sizes, { family: task.family, port, interfaceMtuBytes: task.egress.mtuBytes });
      if (result) return none(result.kind === 'failed' ? result.errno : `${result.by} says ${result.message}`);
      if (signal.aborted) return none('stopped');
      if (io.clock.monoMs() >= untilMs) return none('no answer');
      await io.clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  } finally {
    probe.close();
  }
}
