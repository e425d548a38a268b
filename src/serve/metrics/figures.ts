/** Pushes of one export by how they ended, and when one last ended well. */
export interface ExportFigures {
  done: number;
  refused: number;
  failed: number;
  doneAtMs: number | null;
}

/** What the server counts of itself, apart from what has a place of its own. */
export class Figures {
  /** `<route> <status>` → requests; routes come from the table, so that there are few. */
  readonly requests = new Map<string, number>();
  /** By the name of the export. */
  readonly exports = new Map<string, ExportFigures>();
  maintainedAtMs: number | null = null;
  maintenanceFailures = 0;

  request(route: string, status: number): void {
    const key = `${route} ${status}`;
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
  }
}
