import { readFileSync } from 'node:fs';

// package.json stands two levels up from src/cli and from dist/cli alike, so the version has one place.
const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** The version of inferpath, as in package.json. */
export const version: string =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
