import { addressOf, lastErrno } from '../libc.ts';
import { MSG_DONTWAIT, MSG_NOSIGNAL } from '../msghdr.ts';
import { endedBy, returnBudget, streamField, takeBudget } from './layout.ts';
import { Pace } from './pace.ts';
import { callFailed, endRunner, type Runner, type RunnerContext } from './runner.ts';

/** On a TCP socket: the octets are dropped instead of copied (tcp(7), since Linux 2.4). */
const MSG_TRUNC = 0x20;

/** Sends the same filler again and again. */
export function tcpSender(fd: number, context: RunnerContext): Runner {
  const { c, counters, offset, filler, setup, budget } = context;
  const pace = new Pace(setup.bitsPerS);
  const address = Number(addressOf(filler));
  const runner: Runner = {
    fd,
    ready: true,
    delayMs: (nowMs) => pace.delayMs(nowMs),
    step: () => {
      const wanted = setup.budgeted ? takeBudget(budget, setup.blockBytes) : setup.blockBytes;
      if (wanted === 0) return endRunner(runner, context, endedBy.budget);
      const sent = c.sendAt(fd, address, wanted, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (setup.budgeted && sent < wanted) returnBudget(budget, wanted - Math.max(0, sent));
      if (sent < 0) return callFailed(runner, context, lastErrno());
      counters[offset + streamField.bytes]! += sent;
      pace.sent(sent);
      return true;
    },
  };
  return runner;
}

/** Takes what comes and drops it in the kernel, without a copy; iperf3 has that as --skip-rx-copy. */
export function tcpReceiver(fd: number, context: RunnerContext): Runner {
  const { c, counters, offset, filler } = context;
  // Nothing is written there; a real address all the same, for kernels that would.
  const address = Number(addressOf(filler));
  const runner: Runner = {
    fd,
    ready: true,
    delayMs: () => 0,
    step: () => {
      const got = c.recvAt(fd, address, filler.length, MSG_DONTWAIT | MSG_TRUNC);
      if (got < 0) return callFailed(runner, context, lastErrno());
      if (got === 0) return endRunner(runner, context, endedBy.peer);
      counters[offset + streamField.bytes]! += got;
      return true;
    },
  };
  return runner;
}
