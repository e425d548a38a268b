import type { Io } from '../wire/io.ts';

export interface ServiceManager {
  /** It does its work from now on. Further calls say nothing. */
  ready(status: string): void;
  stopping(): void;
}

type Send = (socket: string, state: string) => void;

const silent: ServiceManager = { ready: () => undefined, stopping: () => undefined };

/**
 * The service manager that started this process (systemd with Type=notify), if one did. Its watchdog is fed from the event loop: a
 * process whose loop is stuck answers nobody, and is started again.
 */
export async function serviceManager(io: Io, send?: Send): Promise<ServiceManager> {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog, WATCHDOG_PID: pid } = io.env;
  if (socket === undefined || socket === '') return silent;
  const deliver = send ?? (await import('../wire/service-manager.ts')).notifyServiceManager;
  const tell = (state: string) => {
    try {
      deliver(socket, state);
    } catch (error) {
      io.log.warn(
        `the service manager was not told ${state.split('=', 1)[0]}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const watchdogMs = Number(watchdog) / 1000;
  const isOurs = watchdogMs > 0 && (pid === undefined || pid === String(process.pid));
  let isReady = false;
  return {
    ready: (status) => {
      if (isReady) return;
      isReady = true;
      tell(`READY=1\nSTATUS=${status.replaceAll('\n', ' ')}`);
      // Twice per period, as sd_watchdog_enabled(3) advises.
      if (isOurs) setInterval(() => tell('WATCHDOG=1'), watchdogMs / 2).unref();
    },
    // Fed on until the process ends: to finish what is open takes seconds that are no fault.
    stopping: () => tell('STOPPING=1'),
  };
}
