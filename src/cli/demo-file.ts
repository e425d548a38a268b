import { fileURLToPath } from 'node:url';

/** What `assess` and `up` take with --demo. It stands here and not deeper because the bundle lies two levels below package.json. */
export const demoFile = fileURLToPath(new URL('../../examples/quickstart.yaml', import.meta.url));
