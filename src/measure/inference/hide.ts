/** What a request carried that nobody else may read, and what is said in its place. */
export type Secrets = ReadonlyMap<string, string>;

/** Shorter texts are words, which would be taken out of the middle of others. */
const shortest = 6;

/** The secrets of a request: its key, the values of headers that the user added, what it told a proxy. */
export function secretsOf(request: {
  apiKey: string | undefined;
  headers: Readonly<Record<string, string>>;
  link: { proxy?: URL | undefined };
}): Secrets {
  const { apiKey, headers, link } = request;
  const proxy = link.proxy;
  const userPassword = proxy ? [decoded(proxy.username), decoded(proxy.password)] : [];
  const others = [
    ...Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]),
    ...userPassword.slice(1),
    Buffer.from(userPassword.join(':')).toString('base64'),
  ];
  const key = apiKey?.trim() ?? '';
  const found = new Map(others.filter((text) => text.length >= shortest).map((text) => [text, '…']));
  if (key !== '') found.set(key, '(the API key)');
  // The longest first: a part of a secret must not be replaced inside of it.
  return new Map([...found].sort(([a], [b]) => b.length - a.length));
}

/** The same value without the secrets in its texts: some servers repeat them, and what we say goes to screens, files and logs. */
export function withoutThem<T>(value: T, secrets: Secrets): T {
  if (secrets.size === 0) return value;
  if (typeof value === 'string') return hiddenIn(value, secrets) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => withoutThem(one, secrets)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withoutThem<unknown>(one, secrets)]),
  ) as T;
}

function hiddenIn(text: string, secrets: Secrets): string {
  let result = text;
  for (const [secret, words] of secrets) {
    result = result.replaceAll(secret, words);
    // A text that was cut may end in the middle of it.
    for (let length = Math.min(secret.length - 1, result.length); length >= shortest; length--)
      if (result.endsWith(secret.slice(0, length))) result = `${result.slice(0, -length)}${words}`;
  }
  return result;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
