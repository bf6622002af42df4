/**
 * `npm run check -- layers`: prints every import that breaks the rules of scripts/layers.ts, and every import cycle. Fails if there is any, or if
 * there were no imports to check.
 */
import { fileURLToPath } from 'node:url';
import { checkLayers } from './layers.ts';

const { modules, imports, violations, circles } = checkLayers(fileURLToPath(new URL('..', import.meta.url)));
for (const { from, to, rule } of violations) console.error(`${from} → ${to}: ${rule}`);
for (const circle of circles) console.error(`import cycle: ${circle.join(', ')}`);
console.log(`${modules} modules, ${imports} imports, ${violations.length} break the layers' rules, ${circles.length} import cycles`);
if (violations.length > 0 || circles.length > 0) process.exitCode = 1;
