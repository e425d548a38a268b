/** A pattern and what it means in words; messages and docs never show a bare regular expression. */
export const named = {
  name: {
    pattern: /^[a-z0-9][a-z0-9._-]{0,62}$/,
    words: '1 to 63 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
  },
  env: { pattern: /^[A-Za-z_][A-Za-z0-9_]*$/, words: 'the name of an environment variable, like INFERENCE_API_KEY' },
  hostPort: {
    pattern: /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/,
    words: 'HOST:PORT, an IPv6 address in brackets',
  },
  cidr: { pattern: /^[0-9A-Fa-f:.]+(\/\d{1,3})?$/, words: 'a network like 10.0.0.0/8 or fd00::/8, or one address' },
  duration: { pattern: /^[1-9]\d{0,8}(ms|s|m|h|d)$/, words: 'a whole number with ms, s, m, h or d, like 30s' },
  portRange: { pattern: /^\d{1,5}-\d{1,5}$/, words: 'a port from 0 to 65535 or a range like 30000-30010' },
  service: {
    pattern: /^([a-z0-9][a-z0-9._-]{0,62}|(tcp|udp)\/\d{1,5}(-\d{1,5})?)$/,
    words: 'the name of a service, or a protocol with a port, like tcp/443 or udp/3000-3010',
  },
  oneLine: { pattern: /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, words: 'one line of text' },
  header: { pattern: /^[A-Za-z0-9-]+$/, words: 'the name of an HTTP header' },
};

/** Source of a pattern in the JSON Schema → its meaning in words. */
export const patternWords: ReadonlyMap<string, string> = new Map(
  Object.values(named).map(({ pattern, words }) => [pattern.source, words]),
);
