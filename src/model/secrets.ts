/**
 * Secrets that can be told by the place where they stand in a text: user and password of a URL, parameters and headers by
 * their names. What is printed, logged or reported passes here where somebody may have put one into a command line or URL.
 */

const secretName =
  /^(?:.*[-_.])?(?:access|api|auth|client|private|secret|session|shared|subscription)?[-_.]?(?:key|token|secret|password|passwd|passphrase|pwd|auth|authorization|cookie|sig|signature|credentials?|jwt|bearer)$/i;

/** Whether what has this name (parameter of a URL, header) is a secret: `api_key`, `X-Amz-Signature`, `accessToken`, `cookie`. */
export function isSecretName(name: string): boolean {
  // Longer names are none of anybody's, and the pattern would take its time.
  return name.length <= 64 && secretName.test(name.replace(/([a-z])([A-Z])/g, '$1-$2'));
}

/** The text with what may be a secret taken out: `https://…@host/v1?api_key=…`. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]{0,20}:\/{1,2})[^\s/?#"'<>@]*(?:@[^\s/?#"'<>@]*)*@/gi, '$1…@')
    .replace(/([?&;])([\w.~%-]{1,64})=([^\s&;#"'<>]+)/g, (whole, mark: string, name: string) =>
      isSecretName(name) ? `${mark}${name}=…` : whole,
    )
    .replace(
      /\b((?:proxy-)?authorization|cookie|set-cookie|x-api-key|api-key)(["']?\s*[:=]\s*["']?)[^\r\n"']+/gi,
      '$1$2…',
    )
    .replace(/\b(bearer|basic)(\s+)(?=\S{0,200}[\d=+/])[\w.~+/=-]{6,}/gi, '$1$2…');
}
