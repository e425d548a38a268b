/** Addresses as text, without the help of the operating system: what a rule needs to know about a host name. */

/** True for an IPv4 address in dotted decimal or an IPv6 address, with or without the brackets of a URL. */
export function isIP(host: string): boolean {
  return familyOf(host) !== null;
}

/** 4 or 6; null for what is no address. Only the form is checked, as the address comes from a parsed URL or from the kernel. */
export function familyOf(host: string): 4 | 6 | null {
  const bare = host.replace(/^\[|\]$/g, '');
  if (/^(\d{1,3}\.){3}\d{1,3}$/.test(bare)) return bare.split('.').every((part) => Number(part) <= 255) ? 4 : null;
  return /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(%[\w.-]+)?$/i.test(bare) ? 6 : null;
}

/** True for the machine itself: localhost (RFC 6761), 127.0.0.0/8 (RFC 1122) and ::1 (RFC 4291), also as ::ffff:127.x. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  if (familyOf(bare) === 4) return bare.startsWith('127.');
  return bare === '::1' || bare === '0:0:0:0:0:0:0:1' || /^::ffff:(127\.|7f[0-9a-f]{2}:)/.test(bare);
}

/** Address without its port: "10.0.0.1:443" → "10.0.0.1", "[::1]:443" → "::1". */
export function withoutPort(address: string): string {
  const bracketed = /^\[([^\]]*)\](:\d+)?$/.exec(address);
  if (bracketed) return bracketed[1]!;
  return familyOf(address) === 6 ? address : address.replace(/:\d+$/, '');
}

/** Address with a port, as in a URL: "10.0.0.1:443", "[::1]:443". */
export function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
