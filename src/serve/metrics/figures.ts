/** What the server counts of itself, apart from what has a place of its own. */
export class Figures {
  /** `<route> <status>` → requests; routes come from the table, so that there are few. */
  readonly requests = new Map<string, number>();
  maintainedAtMs: number | null = null;
  maintenanceFailures = 0;

  request(route: string, status: number): void {
    const key = `${route} ${status}`;
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
  }
}
