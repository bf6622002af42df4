/** `npm run check:layers`: prints every import that breaks the layers (scripts/layers.ts) and fails when there is one, or when it saw nothing. */
import { fileURLToPath } from 'node:url';
import { checkLayers } from './layers.ts';

const { modules, imports, violations } = checkLayers(fileURLToPath(new URL('..', import.meta.url)));
for (const { from, to, rule } of violations) console.error(`${from} → ${to}: ${rule}`);
console.log(`${modules} modules, ${imports} imports, ${violations.length} against the layers`);
if (violations.length > 0) process.exitCode = 1;
