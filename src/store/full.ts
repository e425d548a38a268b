/** The medium has no room for more samples; what is there is whole, and the same batch may come again. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}

/** Whether a write failed for want of room: by our own word, or in those of the engines (ClickHouse: NOT_ENOUGH_SPACE, 243). */
export function isFull(error: unknown): boolean {
  return error instanceof StoreFullError || /no space left|ENOSPC|EDQUOT|not enough (free )?space/i.test(String(error));
}
