/** The last moment that ISO 8601 has with four digits of the year; a clock that is beyond it is none. */
const latestMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A time of a capture as text. Files may say any number: what lies outside of the years 1970 to 9999 becomes the nearest inside. */
export function isoTime(epochMs: number): string {
  return new Date(Number.isNaN(epochMs) ? 0 : Math.min(latestMs, Math.max(0, epochMs))).toISOString();
}
