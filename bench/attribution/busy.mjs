import { isMainThread } from 'node:worker_threads';

// Keeps the main thread of whatever process loads it busy for 30 ms of every 50 ms, as a heavy application around a client would.
const BUSY_MS = 30;
const EVERY_MS = 50;

if (isMainThread)
  setInterval(() => {
    const untilMs = performance.now() + BUSY_MS;
    while (performance.now() < untilMs);
  }, EVERY_MS).unref();
