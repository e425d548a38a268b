import { libc, memory } from './libc.ts';

/** What the kernel says of its wall clock, by adjtimex(2), which anybody may ask. */
export interface ClockSync {
  /** Somebody (NTP, PTP, a hypervisor) keeps the clock to UTC. */
  synchronised: boolean;
  /** How wrong it is estimated to be when synchronised; else the largest error, which grows while nobody keeps it. Seconds. */
  errorSec: number;
}

/** sizeof(struct timex) on 64-bit Linux, and where its fields lie (linux/timex.h). */
const TIMEX_BYTES = 208;
const AT = { maxerror: 24, esterror: 32, status: 40 } as const;
const STA_UNSYNC = 0x40;
/** Return value of a clock that is not synchronised. */
const TIME_ERROR = 5;
/** With STA_UNSYNC the kernel lets the error grow to 16 s; where it says nothing at all, no claim is made either. */
const UNKNOWN_SEC = 16;

export function readClockSync(): ClockSync {
  const timex = memory(TIMEX_BYTES);
  const state = libc().adjtimex(timex);
  if (state < 0) return { synchronised: false, errorSec: UNKNOWN_SEC };
  const synchronised = state !== TIME_ERROR && (timex.readInt32LE(AT.status) & STA_UNSYNC) === 0;
  const microseconds = Number(timex.readBigInt64LE(synchronised ? AT.esterror : AT.maxerror));
  return { synchronised, errorSec: Math.max(1, microseconds) / 1e6 };
}
