/** How X25519MLKEM768 is switched on, by what terminates TLS. Versions are the first that have it. */
export const switchOn: readonly { what: string; how: string }[] = [
  {
    what: 'OpenSSL ≥ 3.5',
    how: 'on by default; else Groups = X25519MLKEM768:X25519:P-256 in openssl.cnf, section system_default',
  },
  {
    what: 'nginx with OpenSSL ≥ 3.5',
    how: 'ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1;',
  },
  { what: 'HAProxy with OpenSSL ≥ 3.5', how: 'ssl-default-bind-curves X25519MLKEM768:X25519:P-256 in global' },
  { what: 'Envoy (BoringSSL)', how: 'tls_params: { ecdh_curves: [X25519MLKEM768, X25519, P-256] }' },
  { what: 'Go ≥ 1.24 (Caddy, Traefik)', how: 'on by default while CurvePreferences is not set' },
  { what: 'Node.js ≥ 24', how: 'on by default while ecdhCurve is not set' },
  { what: 'rustls ≥ 0.23.27', how: 'on by default with aws-lc-rs' },
];

export const switchOnText = switchOn.map(({ what, how }) => `${what}: ${how}`);

export const switchOnRemedy = 'Switch X25519MLKEM768 on where TLS ends; docs/secure/tls.md says how.';
export const preferRemedy = 'Put the post-quantum group before the others where TLS ends; docs/secure/tls.md says how.';
