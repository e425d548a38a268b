/** A mistake that no single value shows: names that are taken twice, references to nothing, secrets in a URL. */
export interface NetworkIssue {
  path: (string | number)[];
  /** Begins with "must be" where it says what is allowed. */
  message: string;
  params?: {
    /** Names that would have been right, for a suggestion. */
    candidates?: readonly string[];
    /** The value holds a secret and must not be printed. */
    secret?: true;
  };
}

export type Loose = Readonly<Record<string, unknown>>;

/** Names that stand more than once in a section. */
export function repeatedNames(key: string, items: readonly Loose[]): NetworkIssue[] {
  const seen = new Set<string>();
  return items.flatMap(({ name }, i) => {
    if (typeof name !== 'string') return [];
    const repeated = seen.has(name);
    seen.add(name);
    return repeated ? [{ path: [key, i, 'name'], message: `must be a name that stands only once in ${key}` }] : [];
  });
}

/** A name that is none of the known ones; anything but a text is passed over. */
export function unknownReference(
  value: unknown,
  path: (string | number)[],
  what: string,
  known: string[],
): NetworkIssue[] {
  if (typeof value !== 'string' || known.includes(value)) return [];
  const shown = [...new Set(known)].slice(0, 20).join(', ');
  const message =
    known.length === 0 ? `must be a ${what} of this file, which has none` : `must be a known ${what}: ${shown}`;
  return [{ path, message, params: { candidates: known } }];
}

export function mapping(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

export function list(root: Loose, key: string): Loose[] {
  const value = root[key];
  return Array.isArray(value) ? value.map(mapping) : [];
}

export function names(items: readonly Loose[]): string[] {
  return items.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
}
