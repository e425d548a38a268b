/** Small guards for JSON from a peer: a value of the wrong type is ignored, never trusted. */
export type JsonObject = Record<string, unknown>;

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A string that is not empty, cut at `max` characters. */
export function asText(value: unknown, max = 1_000): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : undefined;
}

/** A token count: a whole number from 0 that a double holds exactly. */
export function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A duration of at most about three years, in whatever unit the field has; NaN, infinite and negative are refused. */
export function asDuration(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= MAX_DURATION ? value : undefined;
}

// Ollama counts nanoseconds: a day is 8.64e13 of them.
const MAX_DURATION = 1e17;

/** Bytes of a string in UTF-8; 0 for anything that is not a string. */
export function utf8Bytes(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

/** JSON.parse that answers undefined instead of throwing (bad syntax, or nesting too deep for the engine). */
export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
