/** What this process has used so far. */
export interface ProcessUse {
  cpuSeconds: number;
  residentBytes: number;
  /** Seconds that it has run. */
  upSeconds: number;
}

export function processUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss(), upSeconds: process.uptime() };
}
